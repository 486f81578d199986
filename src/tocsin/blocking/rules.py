"""What makes a tally acceptable, and which numbers may be shown. Pure decisions, no table is read."""

import datetime as dt
import ipaddress
import re
from dataclasses import dataclass

from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import UTC, parse_rfc3339
from tocsin.wire.tally import Tally, TallyBatch

MAX_BATCH = 10_000
MAX_HITS = 10**15
LEAST_SHOWN = 5  # smaller numbers could point at one network (DESIGN section 7, rule 5)
CLOCK_TOLERANCE = dt.timedelta(hours=24)  # how far ahead a member's clock may be
EARLIEST = dt.datetime(1990, 1, 1, tzinfo=UTC)

_source = re.compile(r"[^\x00-\x1f\x7f/\\]{1,120}")
_hour = re.compile(r"\d{4}-\d\d-\d\dT\d\d:00:00Z")


class BadTally(BadInput):
    """A tally is not as docs/wire.md describes it."""

    slug = "bad-tally"
    hint = "correct it and send the whole batch again: nothing of it was taken"


@dataclass(frozen=True, slots=True)
class Counted:
    """One tally that was found good: what was stopped, in which hour, how often, for how many clients."""

    kind: str
    value: str
    hour: dt.datetime
    hits: int
    clients: int | None = None


def check(batch: TallyBatch, at: dt.datetime) -> list[Counted]:
    """Judge a batch that arrives at `at`; gives one row a value and hour, the highest number of each.

    Raises BadTally, naming the field.
    """
    if len(batch.tallies) > MAX_BATCH:
        raise BadTally(f"a batch may have {MAX_BATCH:,} tallies", hint="send the rest in another")
    if not _source.fullmatch(batch.source_id):
        raise BadTally("source_id is not a short name without a path")
    highest: dict[tuple[str, str, dt.datetime], Counted] = {}
    for tally in batch.tallies:
        key = (tally.kind, normalised(tally), _hour_of(tally.hour, at))
        if not 1 <= tally.hits <= MAX_HITS:
            raise BadTally("hits must be 1 or more")
        if tally.clients is not None and not LEAST_SHOWN <= tally.clients <= tally.hits:
            raise BadTally(f"clients must be {LEAST_SHOWN} or more, no more than hits, or null")
        counted = Counted(*key, tally.hits, tally.clients)
        if key not in highest or counted.hits > highest[key].hits:
            highest[key] = counted
    return list(highest.values())


def normalised(tally: Tally) -> str:
    """The value as lists spell it: a compressed address, or a name in lower case without final dot."""
    if tally.kind == "name":
        return tally.value.lower().removesuffix(".")
    try:
        return ipaddress.ip_address(tally.value).compressed
    except ValueError:
        raise BadTally(f"value is not an address: {tally.value[:60]!r}") from None


def _hour_of(text: str, at: dt.datetime) -> dt.datetime:
    try:
        if _hour.fullmatch(text):
            hour = parse_rfc3339(text)
            if EARLIEST <= hour <= at + CLOCK_TOLERANCE:
                return hour
    except ValueError:
        pass
    raise BadTally(f"hour is not the start of an hour (UTC) after 1990: {text[:40]!r}")


def words(own: int, others: int, networks: int) -> str:
    """What was stopped, in words that tell a reporter nothing of a single other network.

    `own` connections are the reporter's; `others` were stopped at so many other `networks`. Where these are
    few, their connections are told by their leading digit only: they could be one competitor's volume.
    """
    if not others:
        return f"stopped {_count(own, 'connection')} at your own network" if own else ""
    where = "network" if not own else "other network"
    at = f"{networks:,} {where}s" if networks >= LEAST_SHOWN else f"fewer than {LEAST_SHOWN} {where}s"
    said = f"stopped {_connections(others, networks)} at {at}"
    return f"{said}, and {own:,} at your own" if own else said


def appeal_words(made: int, upheld: int) -> str:
    """`0 appeals`, `3 appeals, 1 of them upheld`."""
    said = _count(made, "appeal")
    if not upheld:
        return said
    return f"{said}, upheld" if made == upheld == 1 else f"{said}, {upheld:,} of them upheld"


def shown(others: int, networks: int) -> int:
    """The connections that may be shown: 0 where they are few, rounded down where the networks are."""
    if others < LEAST_SHOWN:
        return 0
    if networks >= LEAST_SHOWN:
        return others
    leading, rest = str(others)[0], str(others)[1:]
    return int(leading + "0" * len(rest))


def _connections(others: int, networks: int) -> str:
    seen = shown(others, networks)
    if not seen:
        return f"fewer than {LEAST_SHOWN} connections"
    return f"{seen:,} connections" if seen == others else f"more than {seen:,} connections"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' if number != 1 else ''}"
