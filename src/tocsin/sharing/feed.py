"""The outward feed, entry by entry in the order in which they became visible."""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from tocsin.sharing.models import Channel, Outgoing


@dataclass(frozen=True)
class Wanted:
    """Which entries: each filter narrows the others, an empty one lets all pass.

    `versions` are `first`, `last`, `all` or instants of exactly that version; `after` is the number and
    `added_after` the instant behind which to begin.
    """

    ids: tuple[uuid.UUID, ...] = ()
    types: tuple[str, ...] = ()
    versions: tuple[str | dt.datetime, ...] = ("last",)
    added_after: dt.datetime | None = None
    after: int = 0
    nothing: bool = False


@dataclass(frozen=True)
class Page:
    """Some entries in order; `more` says that others follow number `last`."""

    bodies: list[bytes]
    last: int
    more: bool
    first_at: dt.datetime | None = None
    last_at: dt.datetime | None = None


def bodies(channel: Channel, wanted: Wanted, limit: int) -> Page:
    """At most `limit` objects as they are served: stored bytes, nothing is built."""
    rows = list(entries(channel, wanted).values_list("number", "body")[: limit + 1])
    more = len(rows) > limit
    del rows[limit:]
    if not rows:
        return Page([], wanted.after, more=False)
    first, last = rows[0][0], rows[-1][0]
    ends = Outgoing.objects.filter(channel=channel, number__in=(first, last))
    added = dict(ends.values_list("number", "date_added"))
    return Page([bytes(body) for _, body in rows], last, more, added[first], added[last])


def records(channel: Channel, wanted: Wanted, limit: int) -> tuple[list[Outgoing], bool]:
    """At most `limit` entries without their bodies, and whether others follow."""
    rows = list(entries(channel, wanted).defer("body")[: limit + 1])
    return rows[:limit], len(rows) > limit


def is_known(channel: Channel, stix_id: uuid.UUID) -> bool:
    """Was such an object ever in the feed?"""
    return Outgoing.objects.filter(channel=channel, stix_id=stix_id).exists()


def entries(channel: Channel, wanted: Wanted) -> QuerySet[Outgoing]:
    """The entries of a feed that are wanted, in order."""
    found = Outgoing.objects.filter(channel=channel).order_by("number")
    if wanted.nothing:
        return found.none()
    if wanted.after:
        found = found.filter(number__gt=wanted.after)
    if wanted.added_after is not None:
        found = found.filter(date_added__gt=wanted.added_after)
    if wanted.ids:
        found = found.filter(stix_id__in=wanted.ids)
    if wanted.types:
        found = found.filter(stix_type__in=wanted.types)
    if "all" not in wanted.versions:
        found = found.filter(_of_versions(wanted.versions))
    return found


def _of_versions(versions: tuple[str | dt.datetime, ...]) -> Q:
    exact = [version for version in versions if isinstance(version, dt.datetime)]
    chosen = Q(modified__in=exact)
    if "last" in versions:
        chosen |= Q(is_latest=True)
    if "first" in versions:
        earlier = Outgoing.objects.filter(
            channel=OuterRef("channel"), stix_id=OuterRef("stix_id"), modified__lt=OuterRef("modified")
        )
        chosen |= ~Q(Exists(earlier))
    return chosen
