"""The parts that several views are made of: clocks, holdings, links, owners, routes, timelines."""

import datetime as dt
from collections.abc import Iterable, Sequence

from tocsin.access.models import Unit
from tocsin.cases import clocks, limits, words
from tocsin.cases.keys import shown
from tocsin.cases.models import Case, Clock, Decision, Link, OneTimeLink, Outcome
from tocsin.cases.sweeping import owed_by
from tocsin.cases.views import (
    ClockState,
    ClockView,
    DecisionView,
    HoldingView,
    LawView,
    LinkState,
    LinkView,
    OneTimeLinkView,
    OutcomeView,
    OwnerView,
    RouteView,
    TimelineItem,
    UnitView,
)
from tocsin.inventory import rules as inventory
from tocsin.inventory.models import Holding
from tocsin.journal.queries import HistoryItem
from tocsin.reference import calendars
from tocsin.reference.values import Pack, Row

UNDO_FOR = dt.timedelta(minutes=1)


def law_view(row: Row | None) -> LawView:
    """Where a rule comes from; a rule made by a person has no other law."""
    if row is None:
        return LawView("a person's decision", "in force", "recorded in the journal", None)
    return LawView(row.legal_ref, row.status, row.confidence, row.checked_on)


def unit_view(unit: Unit) -> UnitView:
    """A unit by name."""
    return UnitView(unit.unit_id, unit.name, unit.kind, unit.has_joined)


def unit_words(case: Case) -> str:
    """`` or that the unit has not joined, and who looks after the case meanwhile."""
    if case.investigating_unit.has_joined:
        return ""
    who = case.coordinator.name if case.coordinator else "the coordinator of the exchange"
    return (
        f"Unit not joined: {case.investigating_unit.name} is not on the exchange. {who} sends it the case; "
        "it counts as unanswered until somebody there answers."
    )


def clock_view(
    pack: Pack, clock: Clock, unit: Unit, at: dt.datetime, report_id: str | None = None
) -> ClockView:
    """What is due, by when, and why, of a clock that a unit owes."""
    return _clock_view(pack, clock, unit.name, unit.country, at, report_id)


def duty_view(pack: Pack, clock: Clock, at: dt.datetime) -> ClockView:
    """The same of any clock, whoever owes it."""
    nation = limits.nation_of(pack, clock.case, clock.member, clock.unit)
    report_id = clock.report.report_id if clock.report else None
    return _clock_view(pack, clock, owed_by(clock), nation, at, report_id)


def _clock_view(
    pack: Pack, clock: Clock, who: str, nation: str, at: dt.datetime, report_id: str | None
) -> ClockView:
    row = pack.clocks[clock.clock_id]
    what = row.what.format(unit=who)
    return ClockView(
        clock_id=clock.clock_id,
        what=words.capital(f"{who}: {what}" if clock.member_id is not None else what),
        why=why_words(pack, clock, nation),
        law=law_view(row),
        started_at=clock.started_at,
        due_at=clock.due_at,
        ended_at=clock.ended_at,
        state=clock_state(clock, nation, at),
        breached_at=clock.breached_at or (clock.due_at if is_overdue(clock, at) else None),
        escalation_words=f"taken to {clocks.DESKS[clock.step]}" if clock.step else "",
        report_id=report_id,
    )


def why_words(pack: Pack, clock: Clock, nation: str) -> str:
    """The rule in words, and what moved the due time in this case."""
    row = pack.clocks[clock.clock_id]
    limit = calendars.duration_words(*row.limit(enhanced=False))
    if clock.clock_id == clocks.WARN:
        return f"{clock.clock_id}: {limit} before the log is destroyed"
    trigger = TRIGGERS.get(row.trigger, row.trigger.replace(".", ": ").replace("_", " ").replace("-", " "))
    why = f"{clock.clock_id}: {limit} after {trigger}"
    duration, length = limits.limit_of(pack, clock.clock_id)
    if row.unit == "as_soon_as":
        prompt = calendars.duration_words(duration, length)
        why += f"; the law gives no number, and the exchange calls it overdue after {prompt}"
    due_at = clock.due_unpaused or clock.due_at
    if due_at < calendars.due(clock.started_at, duration, length, nation) and row.enhanced_duration:
        shorter = calendars.duration_words(row.enhanced_duration, row.enhanced_unit or length)
        why += f", {shorter} here because it is urgent"
    if clock.paused_at is not None:
        why += (
            ". It stands still while a question to a reporter is open; this is the latest that it can be due"
        )
    elif clock.pause_used:
        why += ". It stood still while a question to a reporter was open"
    return why


STRENGTHS = ((100, "certain"), (80, "strong"), (60, "fair"))
TRIGGERS = {
    "report.received": "the report was received",
    "owner.accepted": "somebody accepted it",
    "case.open": "the last news",
    "outcome.assigned": "the outcome was set",
    "sla.breached": "a clock was missed",
    "decision.not_to_investigate": "it was decided not to investigate",
    "crime.recorded": "the crime was recorded",
    "victim.referred": "the victim was referred",
    "log-inventory.requested": "the inventory was asked for",
    "threat-info.requested_share": "the members asked for indicators",
    "personal-data-breach.aware": "you became aware of the breach of personal data",
    "incident.significant.aware": "you became aware of the significant incident",
    "security-compromise.significant": "the compromise was found",
    "incident.notified": "the incident was notified",
}


def is_overdue(clock: Clock, at: dt.datetime) -> bool:
    """Was the time over before the duty was done?"""
    return (clock.ended_at or at) > clock.due_at


def clock_state(clock: Clock, nation: str, at: dt.datetime) -> ClockState:
    """The word to show."""
    if clock.ended_at is not None:
        if clock.ended_by == clocks.AUTOMATIC:
            return "automatic"
        if clock.ended_by == clocks.NOT_OURS:
            return "does not apply"
        return "met late" if is_overdue(clock, at) else "met"
    if clock.due_at <= at:
        return "overdue"
    if clock.paused_at is not None:
        return "paused"
    return "due today" if clock.due_at < calendars.end_of_day(at, nation) else "running"


def holding_view(pack: Pack, holding: Holding, at: dt.datetime) -> HoldingView:
    """A log with the days that are left."""
    row = pack.log_types.get(holding.log_type)
    return HoldingView(
        source_id=holding.source_id,
        member_name=holding.member.name,
        log_words=row.words if row else holding.log_type.replace("-", " "),
        period_from=holding.period_from,
        period_to=holding.period_to,
        delete_at=holding.delete_at,
        days_left=inventory.days_left(holding.delete_at, at),
        is_expiring=inventory.is_expiring(holding.delete_at, at),
        is_gone=inventory.is_gone(holding.delete_at, at),
        clock_words=inventory.clock_words(holding.clock_error_ms, holding.clock_source),
        confirmed=holding.confirmed,
    )


def strength_words(strength: int) -> str:
    """How strongly a link holds."""
    return next((words for floor, words in STRENGTHS if strength >= floor), "weak")


def link_view(pack: Pack, link: Link) -> LinkView:
    """A report of a case, and why it is there."""
    report = link.report
    gone = f"taken out by {link.detached_by.name}" if link.detached_by else "taken out"
    status = pack.statuses.get(report.status)
    return LinkView(
        report_id=report.report_id,
        member_name=report.member.name,
        what=words.capital(pack.kind_words(report.kind)),
        origin=shown(report.origin),
        target=shown(report.target),
        count=report.count,
        severity=report.severity,
        first_seen_at=report.first_seen_at,
        last_seen_at=report.last_seen_at,
        received_at=report.received_at,
        status_words=status.words if status else report.status,
        reason=link.reason,
        strength=link.strength,
        strength_words=strength_words(link.strength),
        linked_at=link.linked_at,
        is_automatic=link.linked_by_id is None,
        detached_at=link.detached_at,
        detached_words=gone if link.detached_at else "",
    )


def owner_view(case: Case) -> OwnerView | None:
    """Who has the case."""
    if not case.owner_name or case.owned_at is None:
        return None
    return OwnerView(case.owner_name, case.investigating_unit.name, case.owned_at)


def route_view(pack: Pack, case: Case, *, for_reporter: bool = False) -> RouteView:
    """Where it went and why."""
    rule = next((rule for rule in pack.routes if rule.rule == case.route_rule), None)
    return RouteView(
        investigating_unit=unit_view(case.investigating_unit),
        support_unit=unit_view(case.support_unit),
        rule=case.route_rule,
        reason=words.capital(case.route_told if for_reporter else case.route_reason),
        law=law_view(rule),
    )


def decision_view(pack: Pack, decision: Decision) -> DecisionView:
    """Who decided what, and why."""
    status = pack.statuses.get(decision.status)
    return DecisionView(
        decision.status,
        status.words if status else decision.status,
        decision.reason,
        decision.person_name,
        decision.unit.name,
        decision.at,
    )


def outcome_view(pack: Pack, outcome: Outcome) -> OutcomeView:
    """How it ended."""
    row = pack.outcomes.get(outcome.outcome_code)
    return OutcomeView(
        outcome_code=outcome.outcome_code,
        title=row.title if row else outcome.outcome_code,
        words=outcome.words,
        would_have_helped=tuple(pack.help_words(code) for code in outcome.would_have_helped),
        by=outcome.person_name,
        unit_name=outcome.unit.name,
        given_at=outcome.given_at,
        withdrawn_at=outcome.withdrawn_at,
        may_withdraw_until=outcome.given_at + UNDO_FOR,
    )


def one_time_link_view(link: OneTimeLink, at: dt.datetime) -> OneTimeLinkView:
    """A link as its maker sees it."""
    state: LinkState
    if link.answered_at is not None:
        state = "answered"
    elif link.revoked_at is not None:
        state = "revoked"
    elif at >= link.expires_at:
        state = "expired"
    else:
        state = "accepted" if link.accepted_at else "unused"
    return OneTimeLinkView(
        link.made_at, link.expires_at, link.made_by.name, state, link.officer_name, link.with_packet
    )


def timeline(pack: Pack, items: Iterable[HistoryItem], listener: words.Listener) -> tuple[TimelineItem, ...]:
    """The journal's entries in words, oldest first."""
    told = ((item, words.say(pack, item, listener)) for item in items)
    return tuple(
        TimelineItem(item.at, said.words, said.by, said.is_automatic, item.event, item.seq)
        for item, said in told
        if said is not None
    )


def soonest(views: Sequence[ClockView]) -> ClockView | None:
    """The running clock that is due first."""
    return min((view for view in views if view.is_running), key=lambda view: view.due_at, default=None)
