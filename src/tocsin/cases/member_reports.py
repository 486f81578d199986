"""A member's own reports: what became of them. Nothing here tells of another member."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
from django.db.models import F, Q, QuerySet

from tocsin.access.policy import Actor, require
from tocsin.cases import clocks, parts, words
from tocsin.cases.keys import shown
from tocsin.cases.models import Case, Clock, Decision, Link, Outcome, Question
from tocsin.cases.triage import DUTIES
from tocsin.cases.units import current_pack
from tocsin.cases.views import (
    ClockView,
    DecisionView,
    HoldingView,
    OutcomeView,
    ReportGroup,
    ReportList,
    ReportRow,
    ReportView,
    TimelineItem,
)
from tocsin.intake import queries as intake
from tocsin.intake.models import Report, ReportHolding
from tocsin.inventory.models import Holding
from tocsin.journal import queries as journal
from tocsin.kernel.problems import NotFound
from tocsin.kernel.time import now
from tocsin.reference.values import Pack
from tocsin.wire import report as wire

SHOWN = 50
# What a line of a list needs of a report, its case and its unit.
ROW = (
    *("report_id", "case_id", "report__report_id", "report__kind", "report__origin", "report__target"),
    *("report__count", "report__severity", "report__received_at", "report__status"),
    *("case__closed_at", "case__owner_name", "case__investigating_unit__name"),
    "case__investigating_unit__country",
)
HELD_BACK = (
    "The log lines themselves, their text, and the addresses of your own customers stayed with you. "
    "A customer appears here only as a token that nobody else can read."
)
_decoder = msgspec.json.Decoder(wire.Report)


def report_view(actor: Actor, report_id: str, at: dt.datetime | None = None) -> ReportView:
    """Where one report stands. Raises NotSignedIn, NotAllowed; NotFound for what is not the actor's own."""
    require(actor, "report.read")
    at, pack = at or now(), current_pack()
    report = intake.visible_to(actor).select_related("member").filter(report_id=report_id).first()
    if report is None:
        raise NotFound("there is no such report, or it is not yours to see")
    told = _decoder.decode(bytes(report.content))
    case = _case_of(report)
    status = pack.statuses.get(report.status)
    clock_views = report_clocks(pack, report, case, at)
    outcome, decision = _told(pack, case)
    return ReportView(
        report_id=report.report_id,
        attack_id=report.attack_id,
        sentence=("A question waits for you. " if asked([report.pk]) else "")
        + report_sentence(pack, case, clock_views, status.words if status else report.status, at),
        what=_what(pack, report),
        kind=report.kind,
        severity=report.severity,
        lane=report.lane,
        origins=told.origins,
        targets=told.targets,
        service=report.service,
        count=report.count,
        first_seen_at=report.first_seen_at,
        last_seen_at=report.last_seen_at,
        received_at=report.received_at,
        version=report.version,
        entry_seq=report.entry_seq,
        status=report.status,
        status_words=status.words if status else report.status,
        status_explained=status.explained if status else "",
        owner=parts.owner_view(case) if case else None,
        route=parts.route_view(pack, case, for_reporter=True) if case else None,
        unit_words=parts.unit_words(case) if case else "",
        clocks=clock_views,
        timeline=report_timeline(pack, report),
        holdings=report_holdings(pack, report, at),
        decision=decision,
        outcome=outcome,
        sent=sent_fields(told),
        held_back=HELD_BACK,
        is_answered=case is not None and not case.is_open,
    )


def _case_of(report: Report) -> Case | None:
    return (
        Case.objects.select_related("investigating_unit", "support_unit", "coordinator")
        .filter(links__report=report, links__detached_at__isnull=True)
        .first()
    )


def _what(pack: Pack, report: Report) -> str:
    return f"{words.capital(pack.kind_words(report.kind))} from {shown(report.origin)}"


def _told(pack: Pack, case: Case | None) -> tuple[OutcomeView | None, DecisionView | None]:
    """The outcome that stands, and the newest decision before it."""
    if case is None:
        return None, None
    outcome = Outcome.objects.filter(case=case, withdrawn_at__isnull=True).select_related("unit")
    decision = Decision.objects.filter(case=case).select_related("unit").order_by("at").last()
    last = outcome.order_by("given_at").last() if not case.is_open and case.outcome_code else None
    return (
        parts.outcome_view(pack, last) if last else None,
        parts.decision_view(pack, decision) if decision else None,
    )


def report_clocks(pack: Pack, report: Report, case: Case | None, at: dt.datetime) -> tuple[ClockView, ...]:
    """What is owed about this report, running ones first: its own clocks and those of its case."""
    own = Q(report=report, member__isnull=True)
    if case is not None:
        told = [row.clock_id for row in pack.clocks.values() if row.beneficiary == "provider"]
        own |= Q(case=case, report__isnull=True, member__isnull=True, clock_id__in=told)
        holdings = ReportHolding.objects.filter(report=report).values_list("holding", flat=True)
        own |= Q(
            case=case,
            report__isnull=True,
            clock_id=clocks.WARN,
            subject__in=[f"holding:{pk}" for pk in holdings],
        )
    found = Clock.objects.filter(own).order_by(F("ended_at").desc(nulls_first=True), "due_at", "pk")
    unit = case.investigating_unit if case else None
    if unit is None:
        return ()
    return tuple(parts.clock_view(pack, clock, unit, at, report.report_id) for clock in found)


def report_sentence(
    pack: Pack, case: Case | None, views: Sequence[ClockView], status_words: str, at: dt.datetime
) -> str:
    """Where it stands, in one line; what is overdue comes first."""
    if case is None:
        return f"Your report: {status_words}."
    unit, due = case.investigating_unit.name, parts.soonest([v for v in views if v.clock_id in DUTIES])
    if due is not None and due.state == "overdue":
        return f"Overdue at {unit} by {late_words(at - due.due_at)}: {due.what}."
    if not case.is_open:
        return f"{case.owner_name or unit} has answered: {status_words}."
    owner = f"{case.owner_name}, {unit}, has it" if case.owner_name else f"It waits at {unit} for an owner"
    when = f"; next news by {words.when(pack, due.due_at)}" if due else ""
    return f"{owner}{when}."


def late_words(late: dt.timedelta) -> str:
    """`2 days`, `3 hours`, `less than an hour`."""
    if late.days:
        return words.many(late.days, "day")
    hours = late.seconds // 3600
    return words.many(hours, "hour") if hours else "less than an hour"


def report_timeline(pack: Pack, report: Report) -> tuple[TimelineItem, ...]:
    """The journal of the report and, while it was linked to them, of its cases, for its reporter."""
    own = journal.history([report.report_id])
    spans: dict[str, tuple[int, int | None]] = {}
    for item in own:
        if item.event == "cases:report:linked" and item.content:
            spans = {case_id: (start, end or item.seq) for case_id, (start, end) in spans.items()}
            spans[str(item.content["case_id"])] = (item.seq, None)
    shared = [
        item
        for item in (journal.history(spans) if spans else [])
        if concerns(item.content or {}, report) and within(item.seq, *spans[item.subject])
    ]
    return parts.timeline(pack, sorted((*own, *shared), key=lambda item: item.seq), "reporter")


def within(seq: int, start: int, end: int | None) -> bool:
    """Was the report in the case when this was recorded?"""
    return start <= seq and (end is None or seq <= end)


def concerns(content: dict[str, Any], report: Report) -> bool:
    """Does an entry about a case concern this report of it? Some are about other reports or members alone."""
    if "member_id" in content and content["member_id"] != report.member.member_id:
        return False
    if "reports" in content:
        return report.report_id in content["reports"]
    return bool(content.get("report", report.report_id) == report.report_id)


def report_holdings(pack: Pack, report: Report, at: dt.datetime) -> tuple[HoldingView, ...]:
    """What the member holds about this report."""
    held = Holding.objects.filter(reports__report=report, member=report.member).select_related("member")
    return tuple(parts.holding_view(pack, holding, at) for holding in held.order_by("delete_at", "pk"))


def sent_fields(told: wire.Report) -> tuple[tuple[str, str], ...]:
    """What left the provider, field by field."""
    fields = [
        ("kind", told.kind),
        ("origins", ", ".join(told.origins)),
        ("origins in all", f"{told.origin_count:,}" if told.origin_count else ""),
        ("vector", told.vector),
        ("fingerprint", told.fingerprint),
        ("measured", ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in told.measures.items())),
        ("origin could be forged", "yes, so it is never blocked upon" if told.spoofable else ""),
        ("targets", ", ".join(told.targets)),
        ("service", told.service),
        ("first seen", told.first_seen_at),
        ("last seen", told.last_seen_at),
        ("count", f"{told.count:,}"),
        ("severity", told.severity),
        ("evidence", ", ".join(f"{words.many(e.lines, 'line')} of {e.source_id}" for e in told.evidence)),
        ("holdings", ", ".join(f"{h.source_id} ({h.log_type})" for h in told.holdings)),
        *((f"assumed: {field}", reason) for field, reason in told.assumed.items()),
    ]
    return tuple((name, value) for name, value in fields if value)


def asked(report_pks: Sequence[int]) -> set[int]:
    """Of these reports those about which a question waits."""
    waiting = Question.objects.filter(closed_at__isnull=True, report__in=report_pks)
    return {question.report_id for question in waiting.only("report_id")}


def report_list(actor: Actor, before: int | None = None, at: dt.datetime | None = None) -> ReportList:
    """A member's own reports, newest first, fifty at a time; `before` is the last page's `next_before`."""
    require(actor, "report.list")
    at, pack = at or now(), current_pack()
    reports = intake.visible_to(actor).order_by("-pk").defer("content", "salt")
    page = list((reports.filter(pk__lt=before) if before else reports)[: SHOWN + 1])
    links = Link.objects.filter(report__in=page[:SHOWN], detached_at__isnull=True)
    linked = {row.report_id: row for row in rows_of(pack, links, at)}
    rows = tuple(linked.get(r.report_id) or _row(pack, r, None, None, at) for r in page[:SHOWN])
    return ReportList(rows, page[SHOWN - 1].pk if len(page) > SHOWN else None)


def rows_of(pack: Pack, links: QuerySet[Link], at: dt.datetime) -> tuple[ReportRow, ...]:
    """The lines of these links' reports, in their order, each with the first running duty about it."""
    found = list(links.select_related("report", "case__investigating_unit").only(*ROW))
    due = first_due(found)
    questions = asked([link.report_id for link in found])
    rows = []
    for link in found:
        is_asked = link.report_id in questions
        rows.append(_row(pack, link.report, link.case, due.get(link.pk), at, is_asked=is_asked))
    return tuple(rows)


def first_due(links: Sequence[Link]) -> dict[int, Clock]:
    """Of each of these links the first running duty about its report: its own, or one of its case."""
    running = Clock.objects.filter(ended_at__isnull=True, clock_id__in=DUTIES).order_by("-due_at", "-pk")
    first: dict[tuple[int | None, int | None], Clock] = {}
    for some in (
        running.filter(case__in={link.case_id for link in links}, report__isnull=True),
        running.filter(report__in=[link.report_id for link in links]),
    ):
        for clock in some:
            first[clock.case_id, clock.report_id] = clock
    found = {}
    for link in links:
        both = [first.get((link.case_id, link.report_id)), first.get((link.case_id, None))]
        if mine := [clock for clock in both if clock is not None]:
            found[link.pk] = min(mine, key=lambda clock: clock.due_at)
    return found


def _row(
    pack: Pack,
    report: Report,
    case: Case | None,
    due: Clock | None,
    at: dt.datetime,
    *,
    is_asked: bool = False,
) -> ReportRow:
    status = pack.statuses.get(report.status)
    unit = case.investigating_unit if case else None
    view = parts.clock_view(pack, due, unit, at, report.report_id) if due is not None and unit else None
    return ReportRow(
        report_id=report.report_id,
        group=_group(report, case, view, is_asked=is_asked),
        what=words.capital(pack.kind_words(report.kind)),
        origin=shown(report.origin),
        target=shown(report.target),
        count=report.count,
        severity=report.severity,
        received_at=report.received_at,
        status=report.status,
        status_words=status.words if status else report.status,
        unit_name=unit.name if unit else "",
        owner_name=case.owner_name if case else "",
        due=view,
        answered_at=case.closed_at if case else None,
    )


def _group(report: Report, case: Case | None, due: ClockView | None, *, is_asked: bool) -> ReportGroup:
    if case is None:
        return "waiting" if report.status == "X-ACK" else "answered"
    if not case.is_open:
        return "answered"
    if is_asked:
        return "question"
    return "overdue" if due is not None and due.state == "overdue" else "waiting"
