"""Requests in the access logs of web servers, proxies and delivery networks, in one form for the rules.

What a request means does not depend on who wrote it down. A line in any format of `shapes.ACCESS` becomes

    CLIENT STATUS METHOD TARGET VERSION | REST

in lower case, with what clients hide by percent signs and backslashes written out: rules see `../` whether it
came as `..%2f`, `%2E%2E/` or `%252e%252e%252f`. REST is what the server kept of referrer and user agent.
"""

import polars as pl

from tocsin.sift.shapes import ACCESS, ALL, Format

FIRST_SHAPE = len(ALL) - len(ACCESS)  # the number of the first format in `shapes.ALL`

# What a client may write in another way, in lower case, and what it means: %XX of printable ASCII, the
# servers' own \xXX, over-long UTF-8. NULs and ends of lines become signs that a pattern's dot still matches.
_NUL, _LINE_END = "\N{SYMBOL FOR NULL}", "\N{SYMBOL FOR LINE FEED}"
_HIDDEN = {
    **{f"{mark}{code:02x}": chr(code) for mark in ("%", "\\x") for code in range(0x20, 0x7F)},
    "\\\\": "\\", '\\"': '"', "%u002e": ".", "%u2215": "/", "%u2216": "\\", "%c0%ae": ".", "%c0%af": "/",
    "%c1%9c": "\\", "%00": _NUL, "\\x00": _NUL, "%09": " ", "%0a": _LINE_END, "%0d": _LINE_END,
}  # fmt: skip
_ROUNDS = 3  # what was hidden more often, no server understands


def transcribe(lines: pl.Series) -> pl.DataFrame:
    """The lines that are of one of the formats, in order of `place` (their row here).

    Gives `place`, `message` (above), `hour`, `minute`, `second` and `shape` (its number in `shapes.ALL`).
    """
    left = pl.DataFrame({"place": pl.int_range(lines.len(), dtype=pl.UInt32, eager=True), "line": lines})
    done = [_NOTHING]
    for number, form in enumerate(ACCESS.values(), start=FIRST_SHAPE):
        if not left.height:
            break
        groups = left["line"].str.extract_groups(form.pattern).struct.unnest()
        hit = groups["client"].is_not_null()
        if hit.any():
            done.append(_written_out(groups.filter(hit), left["place"].filter(hit), form, number))
            left = left.filter(~hit)
    return pl.concat(done).sort("place")


def _written_out(groups: pl.DataFrame, place: pl.Series, form: Format, number: int) -> pl.DataFrame:
    def optional(name: str, before: str, after: str) -> pl.Expr:
        if name not in groups.columns:
            return pl.lit("")
        empty = pl.col(name).is_null() | pl.col(name).is_in(["", "-"])
        return pl.when(empty).then(pl.lit("")).otherwise(pl.lit(before) + pl.col(name) + pl.lit(after))

    request = optional("method", "", " ") + pl.col("request") + optional("query", "?", "")
    zone = pl.col("tail").fill_null("") if form.has_tail else pl.lit("Z" if form.is_utc else "")
    message = pl.concat_str("client", pl.lit(" "), "status", pl.lit(" "), request, pl.lit(" |"), "rest")
    return groups.select(
        place,
        _plain(message).alias("message"),
        (pl.col("hour") + zone).alias("hour"),
        "minute",
        "second",
        pl.lit(number, pl.Int8).alias("shape"),
    )


def _plain(text: pl.Expr) -> pl.Expr:
    text = text.str.to_lowercase()
    for _ in range(_ROUNDS):
        text = text.str.replace_many(list(_HIDDEN), list(_HIDDEN.values()))
    return text


_NOTHING = pl.DataFrame(
    schema={
        "place": pl.UInt32, "message": pl.String, "hour": pl.String, "minute": pl.String, "second": pl.String,
        "shape": pl.Int8,
    }
)  # fmt: skip
