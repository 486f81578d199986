"""What the reports of a case say of it: all of them, or of the very largest cases the newest thousand."""

from dataclasses import dataclass

from django.db.models import Count, Max, Min, QuerySet, Sum

from tocsin.cases.answers import CaseFacts
from tocsin.cases.keys import network_of
from tocsin.cases.models import Case, CaseOrigin, Link, Share
from tocsin.intake.models import Report

MOST_READ = 1_000  # reports of one case that a page reads to say something of it in words


@dataclass(frozen=True)
class Newest:
    """The newest reports of a case by their rows, and where they came from: read once for a page."""

    pks: tuple[int, ...]
    networks: tuple[str, ...]


def newest_of(case: Case) -> Newest:
    """The case's newest reports, and the networks of its keys and of those, each once."""
    rows = list(newest_links(case).values_list("report_id", "report__origin"))
    keys = CaseOrigin.objects.filter(case=case).values_list("origin", flat=True)
    origins = {origin for _, origin in rows} | set(keys)
    networks = {network_of(origin.rsplit("/", 1)[-1]) for origin in origins}
    return Newest(tuple(pk for pk, _ in rows), tuple(sorted(network for network in networks if network)))


def networks_of(case: Case) -> tuple[str, ...]:
    """The networks that the attacks came from, each once."""
    return newest_of(case).networks


def newest_links(case: Case) -> QuerySet[Link]:
    """The links of the case's newest reports: of all of them, but in the very largest cases."""
    newest = Link.objects.filter(case=case, detached_at__isnull=True).order_by("-linked_at", "-pk")
    return newest if case.report_count <= MOST_READ else newest[:MOST_READ]


def case_facts(case: Case, newest: Newest | None = None) -> CaseFacts | None:
    """What is known of the case as a whole; None where it has no report left.

    Of the very largest cases it is what the newest thousand reports and each member's first say.
    """
    networks = newest.networks if newest is not None else networks_of(case)
    found = Report.objects.filter(pk__in=newest_links(case).values("report")).aggregate(
        attempts=Sum("count"),
        members=Count("member", distinct=True),
        first=Min("first_seen_at"),
        last=Max("last_seen_at"),
    )
    if found["first"] is None:
        return None
    is_partial = case.report_count > MOST_READ
    earliest = None
    if is_partial:
        firsts = Report.objects.filter(pk__in=Share.objects.filter(case=case).values("first_report"))
        earliest = firsts.aggregate(first=Min("first_seen_at"))["first"]
    return CaseFacts(
        found["attempts"],
        case.member_count if is_partial else found["members"],
        len(networks),
        min(filter(None, (found["first"], earliest))),
        found["last"],
        is_partial=is_partial,
    )
