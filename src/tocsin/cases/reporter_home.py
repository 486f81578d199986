"""A member's first page: what became of its reports, what waits, what was answered.

Made of sums and of the first rows of an index (`cases.shares`): it costs a member of a million reports what
it costs one of ten. Nothing here tells of another member.
"""

import datetime as dt
from collections.abc import Iterator, Sequence

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate

from tocsin.access.policy import Actor, require
from tocsin.cases import words
from tocsin.cases.counted import counted
from tocsin.cases.member_reports import SHOWN, late_words, rows_of
from tocsin.cases.models import Case, Link, Question, Share
from tocsin.cases.units import current_pack
from tocsin.cases.views import Funnel, ReporterHome, ReportRow, WeekCount
from tocsin.intake import queries as intake
from tocsin.intake.models import Report
from tocsin.kernel.time import now
from tocsin.reference.values import Pack

WEEKS = 12
ANSWERED_WITHIN = dt.timedelta(days=30)
SMALL = 100  # reports of a case that is looked through whole
LONGEST_ACT = dt.timedelta(minutes=10)  # what was received before is to be seen by now
COUNTED_FOR = 600  # seconds, where there are very many
LOOKED_THROUGH = 500  # of the newest links of any other


def reporter_home(actor: Actor, at: dt.datetime | None = None) -> ReporterHome:
    """What became of a member's reports, in one page. Raises NotSignedIn, NotAllowed."""
    require(actor, "report.list")
    at, pack = at or now(), current_pack()
    reports, mine = intake.visible_to(actor), of_members(actor)
    waiting, answered = mine.filter(closed_at__isnull=True), mine.filter(closed_at__gte=at - ANSWERED_WITHIN)
    funnel, waiting_count = funnel_of(pack, received_by(actor, reports, at), mine), reports_in(waiting)
    name = "weeks-" + "-".join(str(member.pk) for member in actor.members)
    weeks, counted_at = counted(name, lambda: weeks_of(reports, at), received_in, at, COUNTED_FOR)
    rows = first_due_first(rows_of(pack, links_of(in_order_of_due(waiting)), at))
    return ReporterHome(
        sentence=home_sentence(funnel.received, waiting_count, rows, at),
        funnel=funnel,
        waiting=rows,
        waiting_count=waiting_count,
        questions=first_due_first(rows_of(pack, asked_about(actor), at)),
        answered=newest_answer_first(
            rows_of(pack, links_of(list(answered.order_by("-closed_at", "-pk")[:SHOWN])), at)
        ),
        answered_count=reports_in(answered),
        weeks=weeks,
        weeks_counted_at=counted_at,
    )


def of_members(actor: Actor) -> QuerySet[Share]:
    """What the actor's members have in each case."""
    return Share.objects.filter(member__in=[member.pk for member in actor.members])


def reports_in(shares: QuerySet[Share]) -> int:
    """How many reports these are."""
    return shares.aggregate(sum=Sum("reports"))["sum"] or 0


def in_order_of_due(waiting: QuerySet[Share]) -> list[Share]:
    """The first of these shares by what is due in their cases; last those in which nothing is."""
    found = list(waiting.filter(due_at__isnull=False).order_by("due_at", "pk")[:SHOWN])
    if len(found) < SHOWN:
        found += waiting.filter(due_at__isnull=True).order_by("pk")[: SHOWN - len(found)]
    return found


def links_of(shares: Sequence[Share]) -> QuerySet[Link]:
    """The links of the reports of these shares, as many as a page shows.

    In a case of very many reports only the newest are looked through, beside the member's first: whoever
    sees more than that needs the list.
    """
    chosen, total = [], 0
    for share in shares:
        if total < SHOWN:
            chosen.append(share)
            total += share.reports
    linked = Link.objects.filter(detached_at__isnull=True)
    members = {share.member_id for share in chosen}
    sizes = dict(Case.objects.filter(pk__in=[s.case_id for s in chosen]).values_list("pk", "report_count"))
    firsts = [share.first_report for share in chosen]
    pks: list[int] = list(linked.filter(report__in=firsts).values_list("pk", flat=True))
    several = [share.case_id for share in chosen if share.reports > 1]
    small = [pk for pk in several if sizes[pk] <= SMALL]
    pks += linked.filter(case__in=small, report__member__in=members).values_list("pk", flat=True)
    for case_pk in set(several) - set(small):
        newest = linked.filter(case=case_pk).order_by("-linked_at", "-pk")[:LOOKED_THROUGH]
        theirs = Link.objects.filter(pk__in=list(newest.values_list("pk", flat=True)))
        pks += theirs.filter(report__member__in=members).values_list("pk", flat=True)[:SHOWN]
    return Link.objects.filter(pk__in=list(dict.fromkeys(pks))[: SHOWN * 2])


def asked_about(actor: Actor) -> QuerySet[Link]:
    """The links of the members' reports about which a question waits."""
    waiting = Question.objects.filter(closed_at__isnull=True)
    members = [member.pk for member in actor.members]
    theirs = waiting.filter(case__shares__member__in=members, report__member__in=members)
    pks = list(theirs.order_by("lapses_at").values_list("report_id", flat=True)[: SHOWN * 2])
    return Link.objects.filter(report__in=pks, detached_at__isnull=True)


def first_due_first(rows: Sequence[ReportRow]) -> tuple[ReportRow, ...]:
    """A page of rows in the order of what is due about them."""
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    return tuple(sorted(rows, key=lambda row: row.due.due_at if row.due else never)[:SHOWN])


def newest_answer_first(rows: Sequence[ReportRow]) -> tuple[ReportRow, ...]:
    """A page of rows, the newest answer first."""
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    return tuple(sorted(rows, key=lambda row: row.answered_at or never, reverse=True)[:SHOWN])


def received_by(actor: Actor, reports: QuerySet[Report], at: dt.datetime) -> int:
    """How many reports the members ever sent, never out of date: no report is ever deleted.

    Where they are very many, those of before are counted at most every ten minutes, those since each time.
    """

    def since(begin: dt.datetime) -> int:
        # What was received since was changed since: the member's index by changes finds it.
        return reports.filter(updated_at__gte=begin, received_at__gte=begin).order_by().count()

    name = "received-" + "-".join(str(member.pk) for member in actor.members)
    before, counted_at = counted(
        name, lambda: reports.count() - since(at - LONGEST_ACT), int, at, COUNTED_FOR
    )
    return before + since(counted_at - LONGEST_ACT)


def funnel_of(pack: Pack, received: int, shares: QuerySet[Share]) -> Funnel:
    """How far the reports came. Each is acknowledged by its receipt; what no person did is not counted."""
    stages: dict[str, int] = {}
    for stage, count in _by_stage(pack, shares):
        stages[stage] = stages.get(stage, 0) + count
    # A person has them, and only a machine has decided: that is no follow-up. They are few, by an index.
    for stage, count in _by_stage(pack, shares.filter(case__in=Case.objects.filter(is_automatic=True))):
        if stage not in ("received", "acknowledged"):
            stages[stage] -= count
            stages["owned"] = stages.get("owned", 0) + count

    def reached(*names: str) -> int:
        return sum(stages.get(name, 0) for name in names)

    return Funnel(
        received=received,
        acknowledged=received,
        owned=reached("owned", "assessed", "investigated", "disrupted", "charged"),
        assessed=reached("assessed", "investigated", "disrupted", "charged"),
        investigated=reached("investigated", "charged"),
        disrupted=reached("disrupted"),
        charged=reached("charged"),
    )


def _by_stage(pack: Pack, shares: QuerySet[Share]) -> Iterator[tuple[str, int]]:
    """How many reports of these shares have come how far."""
    sums = shares.order_by().values_list("status", "outcome_code").annotate(Sum("reports"))
    for status, code, count in sums:
        row = pack.outcomes.get(code) or pack.statuses.get(status)
        yield (row.stage if row else "received"), count


def home_sentence(received: int, waiting: int, rows: Sequence[ReportRow], at: dt.datetime) -> str:
    """The first line of the page."""
    if not received:
        return "No reports yet."
    yours = words.many(received, "report")
    if not waiting:
        return f"All of your {yours} are answered." if received > 1 else "Your report is answered."
    start = f"{waiting:,} of your {yours} {'waits' if waiting == 1 else 'wait'} for an answer"
    if rows and rows[0].due is not None and rows[0].due.due_at <= at:
        late = late_words(at - rows[0].due.due_at)
        return f"{start}; the oldest is {late} overdue at {rows[0].unit_name}."
    return f"{start}; none is overdue."


def received_in(weeks: Sequence[WeekCount]) -> int:
    """The reports of all these weeks."""
    return sum(week.received for week in weeks)


def weeks_of(reports: QuerySet[Report], at: dt.datetime) -> tuple[WeekCount, ...]:
    """Reports by the ISO week in which they arrived, the last twelve, oldest first."""
    monday = at.date() - dt.timedelta(days=at.weekday())
    mondays = [monday - dt.timedelta(weeks=back) for back in reversed(range(WEEKS))]
    start = dt.datetime.combine(mondays[0], dt.time(), dt.UTC)
    # What was received since was changed since: the member's index by changes finds it.
    recent = reports.filter(updated_at__gte=start, received_at__gte=start).order_by()
    counts = [[0, 0] for _ in mondays]
    final = {code for code, row in current_pack().statuses.items() if row.is_final}
    days = recent.annotate(day=TruncDate("received_at", tzinfo=dt.UTC)).values_list("day", "status")
    for day, status, count in days.annotate(Count("pk")):
        week = counts[(day - mondays[0]).days // 7]
        week[0] += count
        week[1] += count if status in final else 0
    return tuple(WeekCount(day, *both) for day, both in zip(mondays, counts, strict=True))
