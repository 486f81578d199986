"""What each member has in each case, kept by sums: a case of a thousand reports is never counted again."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Min

from tocsin.cases.models import Case, Link, Share
from tocsin.intake.models import Report

ADD = """
INSERT INTO cases_share (case_id, member_id, reports, first_report) VALUES (%s, %s, %s, %s)
ON CONFLICT (case_id, member_id) DO UPDATE SET
    reports = cases_share.reports + excluded.reports,
    first_report = CASE WHEN excluded.first_report < cases_share.first_report
        THEN excluded.first_report ELSE cases_share.first_report END
"""


class Seat(NamedTuple):
    """Where a reporting member is registered."""

    force_id: str
    country: str


class Standing(NamedTuple):
    """Who is in a case: its reports, its members, and where these sit, the first reporter's seat first."""

    reports: int
    members: int
    seats: tuple[Seat, ...]


def add(joined: Iterable[tuple[Case, Report]]) -> None:
    """Count reports that have just been linked, each to its case."""
    sums: dict[tuple[int, int], tuple[int, int]] = {}
    for case, report in joined:
        key = case.pk, report.member_id
        count, first = sums.get(key, (0, report.pk))
        sums[key] = count + 1, min(first, report.pk)
    _add([(*key, *numbers) for key, numbers in sums.items()])


def count_anew(cases: Sequence[Case]) -> None:
    """Count these cases from their links: after reports have left them."""
    rows = list(
        Link.objects.filter(case__in=cases, detached_at__isnull=True)
        .values_list("case_id", "report__member")
        .annotate(reports=Count("pk"), first=Min("report"))
    )
    Share.objects.filter(case__in=cases).delete()
    _add(rows)


def standings(cases: Sequence[Case]) -> dict[int, Standing]:
    """Who is in each of these cases, by its primary key."""
    found: dict[int, list[tuple[int, Seat]]] = defaultdict(list)
    rows = Share.objects.filter(case__in=[case.pk for case in cases]).order_by("first_report")
    columns = ("case_id", "reports", "member__force_id", "member__country")
    for case_pk, reports, force_id, country in rows.values_list(*columns):
        found[case_pk].append((reports, Seat(force_id, country)))
    return {
        case.pk: Standing(
            sum(reports for reports, _ in found[case.pk]),
            len(found[case.pk]),
            tuple(dict.fromkeys(seat for _, seat in found[case.pk])),
        )
        for case in cases
    }


def _add(sums: list[tuple[int, int, int, int]]) -> None:
    """Add (case, member, reports, first report) to what is there."""
    with connection.cursor() as cursor:
        cursor.executemany(ADD, sums)
