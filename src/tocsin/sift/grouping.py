"""Matching lines as groups, so that what adds them up sees groups and not lines."""

from collections.abc import Sequence

import polars as pl


def grouped(rows: pl.DataFrame, signs: Sequence[int], *, by_row: bool) -> pl.DataFrame:
    """Matching lines by kind, evidence, origin, target and day, each with its lines in order; verdicts first.

    Their text is joined, but `by_row`, where it is not what the source holds: then the rows are named.
    """
    groups = (
        _telling(rows, signs)
        .group_by("shelf", "origin", "target", "day")
        .agg(
            pl.col("row") if by_row else pl.col("line").str.join("\n"),
            pl.col("number"),
            pl.col("count").sum(),
            (pl.col("count") * pl.col("weight")).sum().alias("score"),
            pl.col("at").min().alias("first"),
            pl.col("at").max().alias("last"),
            pl.col("rule").min(),
            pl.col("shape").min(),
            pl.col("solid").max(),
        )
    )
    return groups.sort("shelf", "origin", "target", "day")


def _telling(rows: pl.DataFrame, signs: Sequence[int]) -> pl.DataFrame:
    """Lines without signs of what a verdict among these very lines tells: they will never count."""
    is_sign = rows["shelf"].is_in(signs)
    if not is_sign.any():
        return rows
    rest, doubtful = rows.filter(~is_sign), rows.filter(is_sign)
    told = rest.select("origin", "kind").unique()
    return pl.concat([rest, doubtful.join(told, on=["origin", "kind"], how="anti")])
