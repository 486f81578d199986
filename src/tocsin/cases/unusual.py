"""What is unusual in a group below the threshold, so that a person sees which of many to open."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from django.db.models import Count, Sum

from tocsin.cases import words
from tocsin.cases.models import Case, CaseOrigin, Link

ENOUGH = 5  # groups of one kind that say what is usual
TIMES = 10  # as many attempts as usual, or more, are unusual


def unusual(cases: Sequence[Case]) -> dict[int, str]:
    """Of each of these groups what stands out, in words; nothing for those like all the others."""
    facts = {
        row["case_id"]: row
        for row in Link.objects.filter(case__in=cases, detached_at__isnull=True)
        .order_by()
        .values("case_id")
        .annotate(attempts=Sum("report__count"), targets=Count("report__target", distinct=True))
    }
    usual = usual_attempts(cases, {pk: row["attempts"] for pk, row in facts.items()})
    known = known_origins(cases)
    found: dict[int, list[str]] = defaultdict(list)
    for case in cases:
        row = facts.get(case.pk)
        if case.pk in known:
            found[case.pk].append("the same origin is in an open case above the threshold")
        if case.names_origin:
            found[case.pk].append("a member can say whose the origin is")
        if case.member_count > 1:
            found[case.pk].append(f"seen by {words.many(case.member_count, 'provider')}")
        if row is not None and case.kind in usual and row["attempts"] >= TIMES * usual[case.kind]:
            times = int(row["attempts"] / usual[case.kind])
            found[case.pk].append(f"{times:,} times as many attempts as such groups usually have here")
        if row is not None and row["targets"] > TIMES:
            found[case.pk].append(f"{row['targets']:,} targets")
    return {pk: "; ".join(said) for pk, said in found.items()}


def usual_attempts(cases: Sequence[Case], attempts: dict[int, int]) -> dict[str, float]:
    """By kind, the attempts that the group in the middle has, where there are enough groups to say so."""
    by_kind: dict[str, list[int]] = defaultdict(list)
    for case in cases:
        by_kind[case.kind].append(attempts.get(case.pk, 0))
    return {kind: max(1.0, median(counts)) for kind, counts in by_kind.items() if len(counts) >= ENOUGH}


def known_origins(cases: Sequence[Case]) -> set[int]:
    """The groups whose origin is also a key of an open case above the threshold."""
    keys = CaseOrigin.objects.filter(case__in=cases).values_list("case_id", "origin")
    of_group = {case_pk: key.rsplit("/", 1)[-1] for case_pk, key in keys}
    open_cases = CaseOrigin.objects.filter(
        origin__in=set(of_group.values()), case__closed_at__isnull=True, case__is_group=False
    )
    there = set(open_cases.values_list("origin", flat=True))
    return {case_pk for case_pk, origin in of_group.items() if origin in there}
