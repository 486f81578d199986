"""What a MISP search asks for, judged strictly: a filter that is not known is refused."""

import datetime as dt
import re
import uuid
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db.models import Q
from django.http import HttpRequest

from tocsin.kernel.problems import BadInput
from tocsin.wire.misp import TYPES

MOST = 50_000  # attributes of one answer
EVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# Filters that change nothing here: all that is shared is published, off the warning lists and without files.
IDLE = {
    "enforceWarninglist", "excludeDecayed", "headerless", "includeContext", "includeCorrelations",
    "includeDecayScore", "includeEventTags", "includeEventUuid", "includeSightings", "requested_attributes",
    "sgReferenceOnly", "withAttachments",
}  # fmt: skip
CATEGORY = "Network activity"
HINT = (
    "known filters: value, type, category, tags, timestamp, last, from, to, to_ids, deleted, uuid, eventid, "
    "limit, page, metadata"
)
KINDS = {name: kind for kind, name in TYPES.items()}
_ago = re.compile(r"(\d{1,6})([dhms])")
_units = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


@dataclass(frozen=True)
class Chosen:
    """Values that are wanted, and values that are not; without either all pass. `%` stands for any text."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()

    def lets(self, text: str) -> bool:
        """Does this text pass?"""
        if any(_fits(text, pattern) for pattern in self.unwanted):
            return False
        return not self.wanted or any(_fits(text, pattern) for pattern in self.wanted)

    def within(self, field: str) -> Q:
        """The same as a question to the database."""
        found = Q()
        for pattern in self.wanted:
            found |= _like(field, pattern)
        for pattern in self.unwanted:
            found &= ~_like(field, pattern)
        return found


@dataclass(frozen=True)
class Search:
    """One search. `events` and `number` are UUIDs; `since` and `until` of an attribute's timestamp."""

    values: Chosen
    types: Chosen
    categories: Chosen
    tags: Chosen
    since: dt.datetime | None
    until: dt.datetime | None
    to_ids: bool | None
    over: bool | None
    numbers: frozenset[uuid.UUID]
    events: frozenset[uuid.UUID]
    limit: int | None
    page: int
    metadata: bool


def asked(request: HttpRequest, at: dt.datetime) -> Search:
    """What a request asks for. Raises BadInput, naming the filter."""
    told = {name: value for name, value in _sent(request).items() if value not in (None, "", [])}
    if told.pop("returnFormat", "json") != "json":
        raise BadInput("returnFormat must be json", hint="STIX is read by TAXII, lists under /api/v1/lists/")
    for name in IDLE & set(told):
        del told[name]
    if _yes_or_no(told, "published") is False:
        raise BadInput("all that is shared is published")
    since, until = _span(told, at)
    search = Search(
        values=_chosen(told, "value"),
        types=_chosen(told, "type"),
        categories=_chosen(told, "category"),
        tags=_chosen(told, "tags"),
        since=since,
        until=until,
        to_ids=_yes_or_no(told, "to_ids"),
        over=_yes_or_no(told, "deleted") if "deleted" in told else False,
        numbers=_numbers(told, "uuid"),
        events=_numbers(told, "eventid"),
        limit=_whole(told, "limit"),
        page=_whole(told, "page") or 1,
        metadata=bool(_yes_or_no(told, "metadata")),
    )
    for tag in (*search.tags.wanted, *search.tags.unwanted):
        if not tag.lower().startswith(("tlp:", "%")):
            raise BadInput(f"tags are searched by label alone, such as tlp:green: {tag[:60]!r}")
    if told:
        raise BadInput(f"no filter here: {', '.join(sorted(told))[:200]}", hint=HINT)
    return search


def _sent(request: HttpRequest) -> dict[str, Any]:
    try:
        sent = msgspec.json.decode(request.body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadInput(f"no JSON: {problem}") from None
    if isinstance(sent, dict) and isinstance(sent.get("request"), dict):
        sent = sent["request"]
    if not isinstance(sent, dict):
        raise BadInput("a search is a JSON object")
    return sent


def _chosen(told: dict[str, Any], name: str) -> Chosen:
    """A text, several (any of them), `!` before what is not wanted, or OR and NOT."""
    given = told.pop(name, None)
    if given is None:
        return Chosen()
    unwanted: list[Any] = []
    if isinstance(given, dict):
        if set(given) - {"OR", "NOT"}:
            raise BadInput(f"{name} may have OR and NOT")
        unwanted, given = _listed(given.get("NOT")), _listed(given.get("OR"))
    texts, others = _listed(given), _listed(unwanted)
    if not all(isinstance(text, str) and text for text in texts + others):
        raise BadInput(f"{name} must be texts")
    return Chosen(
        tuple(text for text in texts if not text.startswith("!")),
        (*others, *(text[1:] for text in texts if text.startswith("!"))),
    )


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [] if given is None else [given]


def _span(told: dict[str, Any], at: dt.datetime) -> tuple[dt.datetime | None, dt.datetime | None]:
    """The instants between which something must have changed: the narrowest of all that is said."""
    since, until = [], []
    for name in ("timestamp", "publish_timestamp", "last", "event_timestamp"):
        given = told.pop(name, None)
        if given is None:
            continue
        ends = given if isinstance(given, list) else [given]
        if not 1 <= len(ends) <= 2:
            raise BadInput(f"{name} is an instant, or two")
        since.append(instant(ends[0], at, name))
        if len(ends) == 2:
            until.append(instant(ends[1], at, name))
    if (given := told.pop("from", None)) is not None:
        since.append(instant(given, at, "from"))
    if (given := told.pop("to", None)) is not None:
        until.append(instant(given, at, "to"))
    return max(since, default=None), min(until, default=None)


def instant(given: Any, at: dt.datetime, name: str) -> dt.datetime:
    """Unix seconds, a date, or how long ago: `7d`, `12h`, `30m`. Raises BadInput."""
    text = str(given).strip()
    try:
        if ago := _ago.fullmatch(text):
            return at - dt.timedelta(**{_units[ago[2]]: int(ago[1])})
        if re.fullmatch(r"\d{1,12}(\.\d+)?", text):
            return dt.datetime.fromtimestamp(float(text), dt.UTC)
        found = dt.datetime.fromisoformat(text)
        return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise BadInput(
            f"{name} is no instant: {text[:40]!r}", hint="Unix seconds, 2026-11-26 or 7d"
        ) from None


def _yes_or_no(told: dict[str, Any], name: str) -> bool | None:
    """True or False, or None for both."""
    given = told.pop(name, None)
    answers = {_truth(one, name) for one in _listed(given)}
    return answers.pop() if len(answers) == 1 else None


def _truth(given: Any, name: str) -> bool:
    text = str(given).lower()
    if text not in {"0", "1", "true", "false"}:
        raise BadInput(f"{name} is 0 or 1")
    return text in {"1", "true"}


def _numbers(told: dict[str, Any], name: str) -> frozenset[uuid.UUID]:
    try:
        return frozenset(uuid.UUID(str(one)) for one in _listed(told.pop(name, None)))
    except ValueError:
        raise BadInput(f"{name} must be UUIDs: events and attributes have no other numbers here") from None


def _whole(told: dict[str, Any], name: str) -> int | None:
    given = told.pop(name, None)
    if given is None:
        return None
    if not re.fullmatch(r"[1-9]\d{0,8}", str(given)):
        raise BadInput(f"{name} must be a positive number")
    return int(given)


def _fits(text: str, pattern: str) -> bool:
    shape = ".*".join(re.escape(part) for part in pattern.lower().split("%"))
    return re.fullmatch(shape, text.lower()) is not None


def _like(field: str, pattern: str) -> Q:
    if "%" not in pattern:
        return Q(**{field: pattern.lower()})
    return Q(**{f"{field}__iregex": "^" + ".*".join(re.escape(part) for part in pattern.split("%")) + "$"})
