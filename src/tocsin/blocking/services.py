"""Taking tallies: the highest number told for a member, a log, a value and an hour stands."""

import datetime as dt
from collections.abc import Iterable
from itertools import groupby

from tocsin.access.models import Member
from tocsin.access.policy import Actor, require
from tocsin.blocking.models import Tally
from tocsin.blocking.rules import Counted, check
from tocsin.journal.acts import act
from tocsin.kernel.ids import new_id
from tocsin.kernel.time import now
from tocsin.sharing import queries
from tocsin.wire.tally import TallyAnswer, TallyBatch

TAKEN = "blocking:tallies:taken"


def take_tallies(actor: Actor, batch: TallyBatch) -> TallyAnswer:
    """Take what one log of the key's member counted; one entry for a batch that taught something.

    Idempotent: the same or a lower number for an hour changes nothing. Values that were never shared are
    counted in the answer and kept nowhere. Raises NotSignedIn, NotAllowed, BadTally.
    """
    require(actor, "tally.write")
    member, at = actor.members[0], now()
    counted = check(batch, at)
    known = find_shared(counted)
    of_shared = {(known[c.kind, c.value], c.hour): c for c in counted if (c.kind, c.value) in known}
    answer = TallyAnswer(taken=len(of_shared), unknown=len(counted) - len(of_shared))
    if not of_shared:
        return answer
    with act() as recorded:
        lock_member(member)
        higher = keep_higher(member, batch.source_id, of_shared, at)
        if higher:
            content = {
                "member": member.member_id,
                "source_id": batch.source_id,
                "tallies": higher,
                "unknown": answer.unknown,
                "hits": sum(one.hits for one in of_shared.values()),
            }
            recorded.record(TAKEN, new_id("tallies"), content)
    return answer


def find_shared(counted: Iterable[Counted]) -> dict[tuple[str, str], int]:
    """Primary keys of the indicators that ever stood on a list, by kind and value."""
    found = {}
    ordered = sorted({(item.kind, item.value) for item in counted})
    for kind, values in groupby(ordered, key=lambda pair: pair[0]):
        rows = queries.ever_shared().filter(kind=kind, value__in=[value for _, value in values])
        found.update({(kind, value): pk for value, pk in rows.values_list("value", "pk")})
    return found


def lock_member(member: Member) -> None:
    """One batch of a member at a time, so that a lower number cannot replace a higher one."""
    Member.objects.select_for_update(no_key=True).values_list("pk").get(pk=member.pk)


def keep_higher(
    member: Member, source_id: str, told: dict[tuple[int, dt.datetime], Counted], at: dt.datetime
) -> int:
    """Write what is new or higher than before, with the clients told with it; gives how many rows."""
    before = stored(member, source_id, told)
    rows = [
        Tally(
            member=member,
            source_id=source_id,
            indicator_id=indicator,
            hour=hour,
            hits=one.hits,
            clients=one.clients,
            told_at=at,
        )
        for (indicator, hour), one in told.items()
        if one.hits > before.get((indicator, hour), 0)
    ]
    Tally.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["member", "source_id", "indicator", "hour"],
        update_fields=["hits", "clients", "told_at"],
        batch_size=1_000,
    )
    return len(rows)


def stored(
    member: Member, source_id: str, told: dict[tuple[int, dt.datetime], Counted]
) -> dict[tuple[int, dt.datetime], int]:
    """What this log told before for these indicators, within the hours in question."""
    hours = [hour for _, hour in told]
    rows = Tally.objects.filter(
        member=member,
        source_id=source_id,
        indicator__in={indicator for indicator, _ in told},
        hour__gte=min(hours),
        hour__lte=max(hours),
    )
    return {(pk, hour): hits for pk, hour, hits in rows.values_list("indicator_id", "hour", "hits")}
