"""Each source's record of right and wrong, counted from what became of its words."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection

from django.db.models import Case, Count, Q, Value, When

from tocsin.kernel.time import now
from tocsin.sharing import rules
from tocsin.sharing.confidence import Record, weight_of
from tocsin.sharing.models import Assertion, Indicator, SourceRecord

FALL = 0.25  # a smaller loss of weight changes no verdict worth looking for


def weights() -> dict[int, float]:
    """What one word of each member weighs, by primary key; who is missing has no record yet."""
    return dict(SourceRecord.objects.values_list("pk", "weight"))


def records_of(at: dt.datetime, members: Collection[int] | None = None) -> dict[int, Record]:
    """How the words of these members (of all) that were told in the last months ended, by primary key."""
    since = at - dt.timedelta(days=rules.DEFAULTS.source.window_days)
    is_over = Q()
    for kind, life in rules.EXPIRY.items():
        is_over |= Q(indicator__kind=kind, asserted_at__lte=at - life)
    how = Case(
        When(indicator__basis="refused", then=Value("wrong")),
        When(indicator__basis="listed", then=Value("listed")),
        When(indicator__confirmed_at__isnull=False, then=Value("right")),
        When(is_over & Q(indicator__state=Indicator.State.HELD), then=Value("alone")),
        default=Value(""),
    )
    told = Assertion.objects.filter(asserted_at__gt=since, withdrawn_at=None, is_heard=True)
    if members is not None:
        told = told.filter(member__in=members)
    counted = told.order_by().annotate(how=how).values_list("member", "how").annotate(Count("pk"))
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for member, ended, count in counted:
        if ended:
            found[member][ended] = count
    return {member: Record(**counts) for member, counts in found.items()}


def count_anew(at: dt.datetime | None = None) -> list[int]:
    """Count every record again; gives the members whose word weighs clearly less than before."""
    at = at or now()
    before, fallen = weights(), []
    rows = []
    for member, record in records_of(at).items():
        weight = weight_of(record, rules.DEFAULTS)
        if weight < before.get(member, rules.USUAL) - FALL:
            fallen.append(member)
        rows.append(
            SourceRecord(
                member_id=member,
                right=record.right,
                wrong=record.wrong,
                listed=record.listed,
                alone=record.alone,
                weight=weight,
                counted_at=at,
            )
        )
    SourceRecord.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["member"],
        update_fields=["right", "wrong", "listed", "alone", "weight", "counted_at"],
    )
    return fallen
