"""Is my network protected? What is shared now, and what this member's machines last read and told."""

import contextlib
import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Max, Q, QuerySet, Sum

from tocsin.access.models import ApiKey
from tocsin.access.policy import Actor, may, require
from tocsin.blocking.models import Tally
from tocsin.cases.units import current_pack
from tocsin.kernel.time import now
from tocsin.sharing import queries as sharing
from tocsin.sharing.models import Indicator
from tocsin.sharing.publishing import hour_of
from tocsin.sharing.queries import ListVersion

SCOPE = "lists:read"
NEWEST = 20
WINDOW = dt.timedelta(days=30)
LATE_AFTER = dt.timedelta(minutes=10)  # a machine that asks every minute and was silent so long has stopped
KINDS = (
    ("name", "names", Indicator.Kind.NAME, "names.rpz"),
    ("address", "addresses", Indicator.Kind.ADDRESS, "addresses.nft"),
)


@dataclass(frozen=True)
class SharedList:
    """One of the two lists as it stands: `one` and `many` name what is on it, `file` its main form."""

    one: str
    many: str
    file: str
    version: ListVersion

    @property
    def said(self) -> str:
        """`1 name`, `12 addresses`."""
        return f"{self.version.count:,} {self.one if self.version.count == 1 else self.many}"


@dataclass(frozen=True)
class Reader:
    """A key of the member's that may read the lists; when it was used last, whatever for."""

    label: str
    used_at: dt.datetime | None
    is_late: bool


@dataclass(frozen=True)
class Source:
    """A log of the member's that tells what it stopped: in the last 30 days, last hit, last word."""

    source_id: str
    hits: int
    last_hit_at: dt.datetime
    told_at: dt.datetime


@dataclass(frozen=True)
class IndicatorRow:
    """One line of a list of indicators."""

    indicator_id: str
    value: str
    kind_words: str
    reason: str
    changed_at: dt.datetime
    valid_until: dt.datetime | None


@dataclass(frozen=True)
class NetworkView:
    """The network engineer's page. `held` is for those who may share alone, and empty for anybody else."""

    sentence: str
    lists: tuple[SharedList, ...]
    readers: tuple[Reader, ...]
    sources: tuple[Source, ...]
    newest: tuple[IndicatorRow, ...]
    held: tuple[IndicatorRow, ...]
    is_member: bool


def network(actor: Actor, at: dt.datetime | None = None) -> NetworkView:
    """What is shared now, and how the actor's members use it. Raises NotSignedIn, NotAllowed."""
    require(actor, "network.read")
    at = at or now()
    lists = tuple(SharedList(one, many, file, sharing.list_version(kind)) for one, many, kind, file in KINDS)
    members = [member.pk for member in actor.members]
    readers = _readers(members, at)
    known = sharing.visible_to(actor)
    shared = known.filter(state=Indicator.State.SHARED, valid_until__gt=at).order_by("-changed_at", "-pk")
    held = known.filter(state=Indicator.State.HELD).order_by("-asserted_at", "-pk")
    return NetworkView(
        sentence=network_sentence(lists, readers, is_member=bool(members)),
        lists=lists,
        readers=readers,
        sources=_sources(members, at),
        newest=_rows(shared[:NEWEST]),
        held=_rows(held[:NEWEST]) if may(actor, "indicator.approve") else (),
        is_member=bool(members),
    )


def look_up(actor: Actor, text: str) -> str | None:
    """The id of the indicator of this address or name, where there is one that the actor may see."""
    require(actor, "network.read")
    values = {text.lower().removesuffix(".")}
    with contextlib.suppress(ValueError):
        values.add(ipaddress.ip_address(text).compressed)
    return sharing.visible_to(actor).filter(value__in=values).values_list("indicator_id", flat=True).first()


def network_sentence(lists: Sequence[SharedList], readers: Sequence[Reader], *, is_member: bool) -> str:
    """Am I protected? In one line, from what the exchange can see."""
    start = f"{' and '.join(listed.said for listed in lists)} are shared now"
    if not is_member:
        return f"{start}."
    if not readers:
        return f"{start}; none of your machines reads them yet."
    if all(reader.used_at is None for reader in readers):
        return f"{start}; your key to the lists was never used."
    if all(reader.is_late for reader in readers):
        return f"{start}; your machines have stopped asking for them."
    return f"{start}, and your machines ask for them."


def _readers(members: Sequence[int], at: dt.datetime) -> tuple[Reader, ...]:
    keys = ApiKey.objects.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at), member__in=members)
    return tuple(
        Reader(key.label, key.last_used_at, key.last_used_at is None or at - key.last_used_at > LATE_AFTER)
        for key in keys.filter(revoked_at__isnull=True).order_by("label", "pk")
        if SCOPE in key.scopes
    )


def _sources(members: Sequence[int], at: dt.datetime) -> tuple[Source, ...]:
    rows = (
        Tally.objects.filter(member__in=members, hour__gt=at - WINDOW)
        .values("source_id")
        .annotate(sum=Sum("hits"), last=Max("hour"), told=Max("told_at"))
        .order_by("source_id")
    )
    return tuple(Source(row["source_id"], row["sum"], row["last"], row["told"]) for row in rows)


def _rows(indicators: QuerySet[Indicator]) -> tuple[IndicatorRow, ...]:
    pack = current_pack()
    return tuple(
        IndicatorRow(
            found.indicator_id,
            found.value,
            pack.kind_words(found.attack_kind),
            found.reason,
            hour_of(found.changed_at),
            found.valid_until,
        )
        for found in indicators
    )
