"""What each member has in each case, kept by sums: a case of a thousand reports is never counted again."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, F, Min, Q, QuerySet

from tocsin.cases.models import Case, Link, Share
from tocsin.intake.models import Report
from tocsin.journal.acts import act
from tocsin.journal.projections import Happened
from tocsin.store import bulk

BATCH = 1_000
NEWS = ("cases:case:opened", "cases:clock:breached", "cases:clock:escalated")  # change nothing of a case

ADD = """
INSERT INTO cases_share (case_id, member_id, reports, first_report) VALUES (%s, %s, %s, %s)
ON CONFLICT (case_id, member_id) DO UPDATE SET
    reports = cases_share.reports + excluded.reports,
    first_report = CASE WHEN excluded.first_report < cases_share.first_report
        THEN excluded.first_report ELSE cases_share.first_report END
"""


# How the cases stand, written to the shares that say otherwise.
STAND = """
UPDATE cases_share SET
    status = c.status, outcome_code = c.outcome_code, closed_at = c.closed_at, due_at = c.due_at
FROM cases_case c
WHERE c.id = cases_share.case_id AND c.id = ANY(%s) AND (
    cases_share.status <> c.status OR cases_share.outcome_code <> c.outcome_code
    OR cases_share.closed_at IS DISTINCT FROM c.closed_at OR cases_share.due_at IS DISTINCT FROM c.due_at
)
"""
HAVE = "SELECT case_id, member_id FROM cases_share WHERE case_id = ANY(%s) AND member_id = ANY(%s)"
SEATS = """
SELECT s.case_id, m.force_id, m.country FROM cases_share s JOIN access_member m ON m.id = s.member_id
WHERE s.case_id = ANY(%s) ORDER BY s.first_report
"""


class Seat(NamedTuple):
    """Where a reporting member is registered."""

    force_id: str
    country: str


def add(joined: Sequence[tuple[Case, Report]]) -> set[int]:
    """Count reports that have just been linked, each to its case, and set the cases' counts.

    Gives the cases (their primary keys) in which a member is new.
    """
    sums: dict[tuple[int, int], tuple[int, int]] = {}
    for case, report in joined:
        key = case.pk, report.member_id
        count, first = sums.get(key, (0, report.pk))
        sums[key] = count + 1, min(first, report.pk)
        case.report_count += 1
    case_pks, members = list({case for case, _ in sums}), list({who for _, who in sums})
    new = sums.keys() - {(case_pk, who) for case_pk, who in bulk.select(HAVE, case_pks, members)}
    newcomers = Counter(case_pk for case_pk, _ in new)
    for case in {case.pk: case for case, _ in joined}.values():
        case.member_count += newcomers[case.pk]
    _add([(*key, *numbers) for key, numbers in sums.items()])
    return set(newcomers)


def count_anew(cases: Sequence[Case]) -> None:
    """Count these cases from their links, and set their counts: after reports have left them."""
    rows = list(
        Link.objects.filter(case__in=cases, detached_at__isnull=True)
        .values_list("case_id", "report__member")
        .annotate(reports=Count("pk"), first=Min("report"))
    )
    Share.objects.filter(case__in=cases).delete()
    _add(rows)
    note_standing([case.pk for case in cases])
    for case in cases:
        mine = [reports for case_pk, _, reports, _ in rows if case_pk == case.pk]
        case.report_count, case.member_count = sum(mine), len(mine)


def follow(happened: Sequence[Happened]) -> None:
    """Let shares say how their cases stand, at the end of an act upon cases and in its transaction."""
    ids = {subject for event, subject in happened if subject.startswith("case_") and event not in NEWS}
    if ids:
        note_standing(list(Case.objects.filter(case_id__in=ids).values_list("pk", flat=True)))


def note_standing(case_pks: Sequence[int]) -> None:
    """Write beside the shares of these cases how the cases stand; intake asks for it itself, once a batch."""
    if case_pks:
        bulk.change(STAND, list(case_pks))


def standing_anew() -> None:
    """Write it for all cases."""
    last = 0
    while pks := list(Case.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with act():
            note_standing(pks)
        last = pks[-1]


def mistaken() -> QuerySet[Share]:
    """Shares that do not say how their case stands; `tocsin check` asks."""
    same = Q(status=F("case__status"), outcome_code=F("case__outcome_code"))
    for name in ("closed_at", "due_at"):
        same &= Q(**{name: F(f"case__{name}")}) | Q(
            **{f"{name}__isnull": True, f"case__{name}__isnull": True}
        )
    return Share.objects.exclude(same)


def seats(case_pks: Iterable[int]) -> dict[int, list[Seat]]:
    """Where the members of each of these cases sit, each seat once, the first reporter's first."""
    found: dict[int, dict[Seat, None]] = defaultdict(dict)
    for case_pk, force_id, country in bulk.select(SEATS, list(case_pks)):
        found[case_pk][Seat(force_id, country)] = None
    return {case_pk: list(sits) for case_pk, sits in found.items()}


def _add(sums: list[tuple[int, int, int, int]]) -> None:
    """Add (case, member, reports, first report) to what is there."""
    with connection.cursor() as cursor:
        cursor.executemany(ADD, sums)
