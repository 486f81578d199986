"""What each member has in each case, kept by sums: a case of a thousand reports is never counted again."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Min

from tocsin.cases.models import Case, Link, Share
from tocsin.intake.models import Report
from tocsin.store import bulk

ADD = """
INSERT INTO cases_share (case_id, member_id, reports, first_report) VALUES (%s, %s, %s, %s)
ON CONFLICT (case_id, member_id) DO UPDATE SET
    reports = cases_share.reports + excluded.reports,
    first_report = CASE WHEN excluded.first_report < cases_share.first_report
        THEN excluded.first_report ELSE cases_share.first_report END
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
    for case in cases:
        mine = [reports for case_pk, _, reports, _ in rows if case_pk == case.pk]
        case.report_count, case.member_count = sum(mine), len(mine)


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
