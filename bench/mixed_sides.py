"""The two sides of `bench.mixed`, each a process: `python -m bench.mixed_sides SIDE RULES LOG`.

`by_hand` is what somebody would write for one site who knows Polars and these rules.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.mixed import chosen

BLOCK = 16 << 20
HEADER = r"^[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [^ ]+ [^ ]"


def tocsin(log: str, books: list[Any]) -> dict[str, int]:
    """Ours, with these rules alone."""
    from tocsin.sift import engine
    from tocsin.sift.rulebook import Ruleset

    rules = Ruleset(books)
    engine.ruleset = lambda _: rules  # type: ignore[assignment]
    sifted = engine.sift([log], engine.Options(year=2025))
    return {"lines": sum(part.observed for part in sifted.inputs), "origins": sifted.origin_count}


def by_hand(log: str, books: list[Any]) -> dict[str, int]:
    """Polars, a block at a time on two threads: header check, line numbers, rules in order, groups."""
    os.environ["POLARS_MAX_THREADS"] = "2"
    import polars as pl

    def work(block: tuple[int, bytes]) -> tuple[int, list[tuple[Any, ...]]]:
        first, data = block
        lines = pl.read_csv(
            data, has_header=False, separator="\0", quote_char=None, new_columns=["line"], infer_schema=False
        )
        lines = lines.with_row_index("number", offset=first)
        bad = lines.height - int(lines["line"].str.contains(HEADER).sum())
        parts = lines["line"].str.splitn(": ", 2).struct
        head = parts.field("field_0")
        lines = lines.with_columns(
            head.str.extract(r"([^ \[]+?)(?:\[[0-9]+\])?$", 1).alias("program"),
            head.str.slice(0, 6).alias("day"),
            head.str.extract(r"^.{15} ([^ ]+) ", 1).alias("host"),
            parts.field("field_1").alias("message"),
        )
        found = []
        for programs, rules in _sections(books).items():
            left = lines.filter(pl.col("program").is_in(list(programs)))
            for number, literals, pattern in rules:
                if not left.height:
                    break
                part = left.filter(pl.col("message").str.contains_any(list(literals)))
                if not part.height:
                    continue
                origin = part["message"].str.extract_groups(pattern).struct.field("origin")
                part = part.with_columns(origin.alias("origin"), pl.lit(number).alias("rule"))
                part = part.drop_nulls("origin")
                found.append(part)
                left = left.join(part.select("number"), on="number", how="anti")
        groups = (
            pl.concat(found)
            .group_by("rule", "origin", "host", "day")
            .agg("number", pl.len().alias("count"), pl.col("line").str.join("\n"))
        )
        return bad, groups.rows()

    total: Counter[tuple[Any, ...]] = Counter()
    with ThreadPoolExecutor(2) as threads:
        for _, rows in threads.map(work, _blocks(log)):
            for rule, origin, host, day, _, count, _ in rows:
                total[rule, origin, host, day] += count
    return {"lines": sum(total.values()), "origins": len({key[1] for key in total})}


def _sections(books: list[Any]) -> dict[tuple[str, ...], list[tuple[int, tuple[str, ...], str]]]:
    found: dict[tuple[str, ...], list[tuple[int, tuple[str, ...], str]]] = {}
    number = 0
    for book in books:
        for rule in book.rules:
            number += 1
            if not rule.local:
                found.setdefault(book.programs, []).append((number, rule.literals, book.full_pattern(rule)))
    return found


def _blocks(log: str) -> Iterator[tuple[int, bytes]]:
    first, rest = 1, b""
    with open(log, "rb") as file:  # noqa: PTH123
        while data := file.read(BLOCK - len(rest)):
            data = rest + data
            end = data.rfind(b"\n") + 1
            yield first, data[:end]
            first, rest = first + data.count(b"\n", 0, end), data[end:]


if __name__ == "__main__":
    side, most, log = sys.argv[1:]
    print(json.dumps({"tocsin": tocsin, "by_hand": by_hand}[side](log, chosen(int(most)))))
