"""Small sources: their words wait for a batch and leave by lot, so that their instants tell nothing.

A member is known by the hours at which it reports. The words of those who call themselves small are closed
into a batch at a fixed instant, once there are enough of them from enough members or the oldest can wait no
longer. Then each leaves at an instant of its own, drawn by lot over most of a day: nothing tells it from the
words of those who report as it happens. That all leave at one instant instead can be chosen (`hiding.toml`),
and is worse: it tells that they are small sources' (docs/decisions/0021). A critical report, and one of a
case in which a life is in danger, waits for nothing.
"""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Min, Q, QuerySet

from tocsin.access.models import Member
from tocsin.access.policy import Actor, require
from tocsin.access.services import subject_of
from tocsin.cases.models import Link
from tocsin.journal.acts import act
from tocsin.kernel.ids import new_id
from tocsin.kernel.problems import NotAllowed
from tocsin.kernel.time import now
from tocsin.sharing.hiding import DEFAULTS
from tocsin.sharing.judging import judge_all
from tocsin.sharing.models import Assertion, Indicator
from tocsin.sharing.services import TURN
from tocsin.store import locks
from tocsin.store.rows import update_rows

CLOSED, SET = "sharing:batch:closed", "sharing:source:batched"
SHOWN = 50


@dataclass(frozen=True)
class WaitingWord:
    """A member's own word, or the renewal of one, that waits for its batch; it leaves at the latest then."""

    indicator_id: str
    value: str
    since: dt.datetime
    leaves_by: dt.datetime
    is_renewal: bool


@dataclass(frozen=True)
class Batching:
    """How the actor's member shares: by batches or at once, and what waits; `count` is all of it."""

    is_small_source: bool
    waiting: tuple[WaitingWord, ...]
    count: int
    may_set: bool


def batching_of(actor: Actor) -> Batching:
    """How the actor's member shares, the words that waited longest first. Raises NotSignedIn, NotAllowed."""
    require(actor, "source.read")
    found = _waiting().filter(member__in=[member.pk for member in actor.members])
    rows = found.select_related("indicator").order_by("waits_since", "pk")[:SHOWN]
    return Batching(
        is_small_source=any(member.is_small_source for member in actor.members),
        waiting=tuple(
            WaitingWord(
                indicator_id=row.indicator.indicator_id,
                value=row.indicator.value,
                since=row.waits_since or row.asserted_at,
                leaves_by=(row.waits_since or row.asserted_at)
                + dt.timedelta(hours=DEFAULTS.batch.most_hours),
                is_renewal=row.is_heard,
            )
            for row in rows
        ),
        count=found.count(),
        may_set=len(actor.members) == 1,
    )


def call_small(actor: Actor, is_small: bool) -> None:
    """The member's words wait for batches from now on, or no longer; twice changes nothing.

    What waits already leaves with its batch. Raises NotSignedIn, NotAllowed.
    """
    require(actor, "source.batch")
    if len(actor.members) != 1:
        raise NotAllowed("this is chosen for one member, by somebody who reports for it alone")
    with act() as recorded:
        member = Member.objects.select_for_update().get(pk=actor.members[0].pk)
        if member.is_small_source != is_small:
            Member.objects.filter(pk=member.pk).update(is_small_source=is_small)
            by = subject_of(actor.person) if actor.person is not None else actor.label
            recorded.record(SET, member.member_id, {"by": by, "is_small": is_small})
    for one in actor.members:
        one.is_small_source = is_small


def sweep_batches(at: dt.datetime | None = None) -> int:
    """Close the batch that is due, and let go what is due and words of danger; gives how many left."""
    at = at or now()
    if not _waiting().exists():
        return 0
    close(at)
    leaving = _waiting().filter(_in_danger() | Q(leaves_at__lte=at)).values_list("pk", flat=True)
    return leave(sorted(set(leaving)), at)


def close(at: dt.datetime) -> int:
    """Draw by lot when each word leaves that was said before the last fixed instant; gives how many.

    None is drawn where they are too few, of too few members, and can still wait.
    """
    figures = DEFAULTS.batch
    tick = figures.tick(at)
    before = _waiting().filter(waits_since__lt=tick, leaves_at=None)
    counted = before.aggregate(
        things=Count("indicator", distinct=True),
        members=Count("member", distinct=True),
        oldest=Min("waits_since"),
    )
    oldest = counted["oldest"]
    if oldest is None or not figures.is_due(counted["things"], counted["members"], oldest, tick):
        return 0
    with act() as recorded:
        rows = list(before.select_for_update())
        for row in rows:
            row.leaves_at = tick + dt.timedelta(seconds=secrets.randbelow(3_600 * figures.spread_hours + 1))
        update_rows(rows, ["leaves_at"])
        recorded.record(CLOSED, new_id("batch"), {"words": len(rows)})
    return len(rows)


def leave(words: Sequence[int], at: dt.datetime) -> int:
    """These waiting words, by primary key, are said now, all with this instant; gives how many there were."""
    if not words:
        return 0
    with act() as recorded:
        locks.in_turn(TURN)
        found = _waiting().filter(pk__in=words).select_related("indicator", "report")
        rows = list(found.defer("report__content"))
        if not rows:
            return 0
        touched = {row.indicator_id: row.indicator for row in rows}
        known = Assertion.objects.filter(indicator__in=touched, is_heard=True)
        heard = set(known.values_list("indicator_id", flat=True))
        for row in rows:
            indicator = touched[row.indicator_id]
            if row.indicator_id not in heard:
                indicator.asserted_at = at
            if row.report is not None and indicator.state != Indicator.State.SHARED:
                indicator.attack_kind = row.report.kind
        update_rows(list(touched.values()), ["asserted_at", "attack_kind"])
        Assertion.objects.filter(pk__in=[row.pk for row in rows]).update(
            asserted_at=at, is_heard=True, waits_since=None, leaves_at=None
        )
        judge_all(recorded, sorted(touched), at)
    return len(rows)


def _in_danger() -> Q:
    """Words of reports in a case of which somebody has said that a life is in danger."""
    alarmed = Link.objects.filter(case__is_threat_to_life=True, detached_at__isnull=True)
    return Q(report__in=alarmed.values("report"))


def _waiting() -> QuerySet[Assertion]:
    return Assertion.objects.filter(waits_since__isnull=False, withdrawn_at=None)
