"""Blocks in the logs of resolvers: BIND's `rpz` category and Unbound's `rpz-log`, block by block in Polars.

Only names that stood on a list of the exchange are counted: what other policies of the resolver stopped is
the member's own business and stays here, and so does who asked.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import polars as pl

from tocsin.sift.lines import IMPOSSIBLE_TIME, NO_HEADER, Block
from tocsin.sift.stamps import MONTHS, Clock
from tocsin.sift.values import Balance

NO_RPZ_FORM = "an RPZ line of a form that is not known"
# BIND's policies, then Unbound's actions; passed, disabled and truncated answers stop nobody.
STOPPED = frozenset({"nxdomain", "nodata", "drop", "local-data", "cname"})
STOPPED |= {"rpz-nxdomain", "rpz-nodata", "rpz-drop", "rpz-local-data", "rpz-cname-override"}
HOUR = 3600
EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)

_MONTH = "(?:" + "|".join(MONTHS) + ")"
_STAMP = (
    r"^(?:<[0-9]{1,3}>)?(?:1 )?(?:"
    r"\[(?P<epoch>[0-9]{9,11})(?:\.[0-9]+)?\]"
    r"|(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}):[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?"
    r"(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?"
    rf"|(?P<dmy>[0-9]{{2}}-{_MONTH}-[0-9]{{4}} [0-9]{{2}}):[0-9]{{2}}:[0-9]{{2}}(?:\.[0-9]+)?"
    rf"|(?P<bsd>{_MONTH} {{1,2}}[0-9]{{1,2}} [0-9]{{2}}):[0-9]{{2}}:[0-9]{{2}}(?:\.[0-9]+)?"
    r") "
)
# What stands behind the first literal; the second one tells blocks from what else a daemon says of policies.
_BIND = r"^[A-Z-]+ (?P<action>[A-Za-z-]+) rewrite (?P<name>[^ ]+) via (?P<trigger>[^ ]+)$"
_UNBOUND = (
    r"^(?:\[[^\]]*\] )?(?:[a-z-]+ )?(?P<trigger>[^ ]+) (?P<action>rpz-[a-z-]+) "
    r"[^ ]+@[0-9]+ (?P<name>[^ ]+) [A-Z0-9-]+ [A-Z0-9-]+$"
)
_FORMS = ((" rpz ", " rewrite ", _BIND), (" rpz: applied ", "rpz: applied ", _UNBOUND))
_QUESTION = re.compile(r"(?:/[A-Z0-9-]+){2}$")  # BIND writes type and class behind the name
_WHEN = ("iso", "offset", "dmy", "bsd")
_DMY = re.compile(r"(\d\d)-([A-Z][a-z]{2})-(\d{4}) (\d\d)")


class Listed:
    """The names that stood on the exchange's list, as far as this machine knows.

    `wild` are those whose subdomains were listed too. Without any list every trigger counts as listed, which
    is good for a look and never for sending.
    """

    def __init__(self, names: Iterable[str] | None, wild: Iterable[str] = ()) -> None:
        self._names = None if names is None else frozenset(names)
        self._wild = frozenset(wild)
        self.name_of: Callable[[str, str], str | None] = lru_cache(maxsize=100_000)(self._name_of)

    def _name_of(self, name: str, trigger: str) -> str | None:
        """The listed name that made a resolver rewrite `name`; None where another policy did.

        BIND writes the trigger with the policy zone behind it, and for a wildcard the name that was asked
        instead of the wildcard; Unbound writes the trigger alone.
        """
        name, trigger = normalised(_QUESTION.sub("", name)), normalised(trigger)
        told = trigger.removeprefix("*.")
        if self._names is None:
            return name if trigger.startswith(name + ".") else told
        labels = told.split(".")
        for end in range(len(labels), 0, -1):
            candidate = ".".join(labels[:end])
            if candidate in self._names:
                return candidate
        if not trigger.startswith(name):
            return None
        parents = name.split(".")
        suffixes = (".".join(parents[start:]) for start in range(1, len(parents)))
        return next((suffix for suffix in suffixes if suffix in self._wild), None)


@dataclass
class Hits:
    """What was counted so far: (value, start of the hour in seconds since 1970) to hits, and the lines."""

    balance: Balance
    reject: Callable[[int, str, bytes], None]
    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    elsewhere: int = 0

    def read(self, block: Block, clock: Clock, listed: Listed) -> None:
        """Take in one block of lines."""
        text = block.text
        headed = text.str.contains(_STAMP)
        for row in (~headed & (text.str.strip_chars() != "")).arg_true():
            self.reject(block.number(row), NO_HEADER, block.line(row))
        rows = (headed & text.str.contains("rpz", literal=True)).arg_true()
        lines = pl.DataFrame({"row": rows, "line": text.gather(rows)})
        seen = 0
        for literal, telling, pattern in _FORMS:
            holding = lines["line"].str.contains(telling, literal=True)
            frame = _taken_apart(lines.filter(holding), literal, pattern)
            seen += self._count(block, frame, clock, listed)
        self.balance.noise += int(headed.sum()) - seen

    def _count(self, block: Block, frame: pl.DataFrame, clock: Clock, listed: Listed) -> int:
        """Count the lines that one program wrote; gives how many were counted or rejected."""
        unread = frame["trigger"].is_null()
        for row in frame.filter(unread)["row"]:
            self.reject(block.number(row), NO_RPZ_FORM, block.line(row))
        keys = [name for name in frame.columns if name != "row"]
        grouped = frame.filter(~unread).group_by(keys).agg(pl.col("row"))
        counted = int(unread.sum())
        for *when, turned_off, action, name, trigger, at_rows in grouped.iter_rows():
            value = None
            if not turned_off and action.lower() in STOPPED:
                value = listed.name_of(name, trigger)
            if value is None:
                self.elsewhere += len(at_rows)
                continue
            hour = hour_of(clock, *when)
            if hour is None:
                for row in at_rows:
                    self.reject(block.number(row), IMPOSSIBLE_TIME, block.line(row))
            else:
                self.counts[value, hour] += len(at_rows)
                self.balance.observed += len(at_rows)
            counted += len(at_rows)
        return counted


def _taken_apart(lines: pl.DataFrame, literal: str, pattern: str) -> pl.DataFrame:
    """Lines as `row`, the parts of the stamp, `off`, `action`, `name`, `trigger` (None: a form unknown)."""
    parts = lines["line"].str.splitn(literal, 2).struct
    head, told = parts.field("field_0"), parts.field("field_1").str.extract_groups(pattern).struct.unnest()
    stamp = head.str.extract_groups(_STAMP).struct.unnest()
    frame = pl.concat([lines.select("row"), stamp, told], how="horizontal")
    return frame.select(
        "row",
        pl.col("epoch").cast(pl.Int64) // HOUR * HOUR,
        *_WHEN,
        head.str.ends_with("disabled").alias("off"),
        "action",
        "name",
        "trigger",
    )


def hour_of(
    clock: Clock, epoch: int | None, iso: str | None, offset: str | None, dmy: str | None, bsd: str | None
) -> int | None:
    """The start of the hour (UTC) that a stamp falls into, in seconds since 1970; None where none is."""
    at = epoch
    if dmy:
        at = _dmy(clock, dmy)
    elif at is None:
        at = clock.hour((iso or bsd or "") + (offset or ""))
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    if at is None or not EARLIEST.timestamp() <= at <= tomorrow.timestamp():
        return None
    return at // HOUR * HOUR


def normalised(name: str) -> str:
    """A name in lower case without its final dot."""
    return name.lower().removesuffix(".")


def _dmy(clock: Clock, text: str) -> int | None:
    day, month, year, hour = _DMY.fullmatch(text).groups()  # type: ignore[union-attr]  # the pattern found it
    return clock.hour(f"{year}-{MONTHS[month]:02}-{day}T{hour}")
