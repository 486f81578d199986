"""Blocks in the logs of resolvers, block by block in Polars: BIND, Unbound, Knot Resolver, PowerDNS Recursor.

Only names that stood on a list of the exchange are counted for it: what other policies of the resolver
stopped is the member's own business and stays here, and so does who asked.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from tocsin.sift.hits.names import Listed
from tocsin.sift.lines import IMPOSSIBLE_TIME, NO_HEADER, Block
from tocsin.sift.stamps import EARLIEST, MONTHS, Clock, not_after
from tocsin.sift.values import Balance

NO_RPZ_FORM = "an RPZ line of a form that is not known"
# BIND's policies, then Unbound's actions; passed, disabled and truncated answers stop nobody.
# BIND's policies, Unbound's actions, Knot Resolver's; passed, disabled and truncated answers stop nobody.
STOPPED = frozenset({"nxdomain", "nodata", "drop", "local-data", "cname"})
STOPPED |= {"rpz-nxdomain", "rpz-nodata", "rpz-drop", "rpz-local-data", "rpz-cname-override"}
STOPPED |= {"deny", "refuse", "answer (nodata)", "answer (forged)", "applied", "dropping"}
HOUR = 3600

_MONTH = "(?:" + "|".join(MONTHS) + ")"
_STAMP = (
    r"^(?:<[0-9]{1,3}>)?(?:1 )?(?:"
    r"\[(?P<epoch>[0-9]{9,11})(?:\.[0-9]+)?\]"
    r"|(?:(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2})"
    rf"|(?P<dmy>[0-9]{{2}}-{_MONTH}-[0-9]{{4}} [0-9]{{2}})"
    rf"|(?P<bsd>{_MONTH} {{1,2}}[0-9]{{1,2}} (?:[0-9]{{4}} )?[0-9]{{2}}))"
    r":(?P<minute>[0-9]{2}):[0-9]{2}(?:[.,][0-9]+)?(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?"
    r") "
)
_PEER = r"(?P<client>[^ #@]+)[#@][0-9]+"
_BIND = (
    rf"(?:client (?:@0x[0-9a-f]+ )?{_PEER} .*?)?(?P<off>disabled )?"
    r"rpz [A-Z-]+ (?P<action>[A-Za-z-]+) rewrite (?P<name>[^ ]+) via (?P<trigger>[^ ]+)$"
)
_UNBOUND = (
    r"rpz: applied (?:\[[^\]]*\] )?(?:[a-z-]+ )?(?P<trigger>[^ ]+) (?P<action>rpz-[a-z-]+) "
    rf"{_PEER} (?P<name>[^ ]+) [A-Z0-9-]+ [A-Z0-9-]+$"
)
# Knot Resolver 6 with `log: [ip, name]`, and 5 with debugging on for the policy group (it names no client).
_KNOT = r"=> local data (?P<action>[a-z-]+)(?:, user: (?P<client>[^ ,]+))?, name: (?P<name>[^ ,]+)(?:, .*)?$"
_KNOT5 = r"\[policy\]\[[0-9.]+\] +(?P<action>[A-Z_]+(?: \([a-z]+\))?) applied for (?P<name>[^ ]+) [A-Z0-9]+$"
# PowerDNS Recursor says of a dropped question that a policy did it. Of others it only tells that it answered
# without having asked anybody (`quiet=no`), in words or as `key="value"` (structured logging).
_PDNS_DROP = (
    r"(?P<action>Dropping) query because of a filtering policy(?: \((?P<name>[^ /]+)/[A-Z0-9]+ from "
    r"\[?(?P<client>[0-9a-fA-F.:]+?)\]?:[0-9]+\))$"
)
_PDNS_DROP_KEYS = (
    r"\"(?P<action>Dropping) query because of a filtering policy\".* qname=\"(?P<name>[^\"]+)\".* "
    r"remote=\"\[?(?P<client>[0-9a-fA-F.:]+?)\]?:[0-9]+\""
)
_PDNS = (
    r"answer to question '(?P<name>[^ |]+)\|[A-Z0-9]+': 0 answers, .*\b(?P<took>took [0-9]+) packets.*"
    r"(?P<rcode>rcode=[0-9]+)"
)
_PDNS_KEYS = (
    r"msg=\"Answer\".* answers=\"0\".* (?P<took>outqueries=\"[0-9]+)\".* qname=\"(?P<name>[^\"]+)\".* "
    r"(?P<rcode>rcode=\"[0-9]+)\".* remote=\"\[?(?P<client>[0-9a-fA-F.:]+?)\]?:[0-9]+\""
)


@dataclass(frozen=True)
class Form:
    """How one daemon writes a block: what a line must hold to be one, and its parts.

    An `implied` block is only told by its effect: it counts where the name is listed for certain. A form that
    is `loose` leaves lines it cannot read to be noise.
    """

    telling: str
    pattern: str
    is_implied: bool = False
    is_loose: bool = False


FORMS = (
    Form(" rewrite ", _BIND),
    Form("rpz: applied ", _UNBOUND),
    Form("=> local data ", _KNOT, is_loose=True),
    Form(" applied for ", _KNOT5, is_loose=True),
    Form("a filtering policy (", _PDNS_DROP),
    Form('a filtering policy"', _PDNS_DROP_KEYS),
    Form("answer to question ", _PDNS, is_implied=True, is_loose=True),
    Form('msg="Answer"', _PDNS_KEYS, is_implied=True, is_loose=True),
)
NAMED = ("action", "name", "trigger", "client", "off", "took", "rcode")
_WHEN = ("epoch", "iso", "offset", "dmy", "bsd", "minute")
_DMY = re.compile(r"(\d\d)-([A-Z][a-z]{2})-(\d{4}) (\d\d)")


@dataclass
class Hits:
    """What was counted so far, by value, hour (its start in seconds since 1970) and client; and the lines."""

    balance: Balance
    reject: Callable[[int, str, bytes], None]
    frames: list[pl.DataFrame] = field(default_factory=list)
    elsewhere: int = 0

    @property
    def counts(self) -> Counter[tuple[str, int]]:
        """Hits by value and hour, of all clients."""
        found: Counter[tuple[str, int]] = Counter()
        for frame in self.frames:
            for value, hour, _, hits in frame.iter_rows():
                found[value, hour] += hits
        return found

    def read(self, block: Block, clock: Clock, listed: Listed) -> None:
        """Take in one block of lines."""
        text = block.text
        headed = text.str.contains(_STAMP)
        for row in (~headed & (text.str.strip_chars() != "")).arg_true():
            self.reject(block.number(row), NO_HEADER, block.line(row))
        seen = 0
        for form in FORMS:
            rows = (headed & text.str.contains(form.telling, literal=True)).arg_true()
            if len(rows):
                lines = pl.DataFrame({"row": rows, "line": text.gather(rows)})
                seen += self._count(block, form, _taken_apart(lines, form), clock, listed)
        self.balance.noise += int(headed.sum()) - seen

    def _count(self, block: Block, form: Form, frame: pl.DataFrame, clock: Clock, listed: Listed) -> int:
        """Count the lines of one form; gives how many were counted or rejected."""
        unread = frame["name"].is_null()
        rejected = 0
        if not form.is_loose:
            # `rewrite` alone is an ordinary word: BIND's line has its own besides.
            for row in frame.filter(unread)["row"]:
                if b"rpz" in block.line(row) or form.telling != " rewrite ":
                    self.reject(block.number(row), NO_RPZ_FORM, block.line(row))
                    rejected += 1
        frame = frame.filter(~unread)
        said = ("action", "name", "trigger", "off", "took", "rcode")
        frame = _looked_up(frame, said, "value", lambda *parts: _value(form, listed, *parts))
        self.elsewhere += int(frame["value"].is_null().sum())
        frame = _looked_up(
            frame.filter(pl.col("value").is_not_null()), _WHEN, "hour", lambda *when: hour_of(clock, *when)
        )
        for row in frame.filter(pl.col("hour").is_null())["row"]:
            self.reject(block.number(row), IMPOSSIBLE_TIME, block.line(row))
        good = frame.filter(pl.col("hour").is_not_null())
        if len(good):
            self.frames.append(good.group_by("value", "hour", "client").agg(hits=pl.len().cast(pl.Int64)))
        self.balance.observed += len(good)
        return rejected + len(frame)


def _value(
    form: Form, listed: Listed, action: str, name: str, trigger: str, off: str, took: str, rcode: str
) -> str | None:
    """The listed value that a line is about; None where it stopped nobody, or not because of a list."""
    if form.is_implied:
        refused = took in ("took 0", 'outqueries="0') and rcode.endswith(("=3", '"3'))
        return listed.named(name) if refused else None
    if off or action.lower() not in STOPPED:
        return None
    return listed.name_of(name, trigger) if trigger else listed.named(name, is_told=True)


def _looked_up(
    frame: pl.DataFrame, keys: Sequence[str], into: str, find: Callable[..., str | int | None]
) -> pl.DataFrame:
    """The frame with what `find` says of each different combination of its columns `keys`."""
    kind = pl.String if into == "value" else pl.Int64
    unique = frame.select(keys).unique()
    found = [find(*row) for row in unique.iter_rows()]
    return frame.join(
        unique.with_columns(pl.Series(into, found, dtype=kind)), on=list(keys), nulls_equal=True
    )


def _taken_apart(lines: pl.DataFrame, form: Form) -> pl.DataFrame:
    """Lines as `row`, the parts of the stamp, and what the form tells; no `name` where it cannot be read."""
    stamp = lines["line"].str.extract_groups(_STAMP).struct.unnest()
    told = lines["line"].str.extract_groups(form.pattern).struct.unnest()
    missing = [pl.lit("").alias(name) for name in NAMED if name not in (*told.columns, "client")]
    if "client" not in told.columns:
        missing.append(pl.lit(None, dtype=pl.String).alias("client"))
    frame = pl.concat([lines.select("row"), stamp, told], how="horizontal").with_columns(missing)
    return frame.with_columns(pl.col("off").fill_null(""), pl.col("epoch").cast(pl.Int64) // HOUR * HOUR)


def hour_of(
    clock: Clock,
    epoch: int | None,
    iso: str | None,
    offset: str | None,
    dmy: str | None,
    bsd: str | None,
    minute: str | None,
) -> int | None:
    """The start of the hour (UTC) that a stamp falls into, in seconds since 1970; None where none is."""
    at = epoch
    if dmy:
        at = _dmy(clock, dmy)
    elif at is None:
        at = clock.hour((iso or bsd or "") + (offset or ""))
    if at is not None and minute:  # zones of half an hour
        at += int(minute) * 60
    if at is None or not EARLIEST.timestamp() <= at <= not_after():
        return None
    return at // HOUR * HOUR


def _dmy(clock: Clock, text: str) -> int | None:
    day, month, year, hour = _DMY.fullmatch(text).groups()  # type: ignore[union-attr]  # the pattern found it
    return clock.hour(f"{year}-{MONTHS[month]:02}-{day}T{hour}")
