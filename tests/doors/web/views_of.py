"""Views as `cases.queries` gives them, in every state that a page must draw; nothing here is real."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from tocsin.access.models import Unit
from tocsin.cases import queueing, views
from tocsin.cases.casework import CaseReading
from tocsin.cases.models import Case
from tocsin.cases.queueing import Choices, QueuePage
from tocsin.kernel.time import now

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
LAW = views.LawView("exchange charter, service level 2", "proposal", "project proposal", dt.date(2026, 6, 1))
LONDON = views.UnitView("mps", "Metropolitan Police", "force", has_joined=True)
KENT = views.UnitView("kent", "Kent Police", "force", has_joined=False)


def a_clock(due_in: dt.timedelta = DAY, **changes: Any) -> views.ClockView:
    """A running clock that is due so far from now; overdue where that is negative."""
    at = now()
    late = due_in < dt.timedelta(0)
    fields: dict[str, Any] = {
        "clock_id": "P02",
        "what": "Kent Police accepts or redirects",
        "why": "P02: one working day after the report was received",
        "law": LAW,
        "started_at": at - DAY,
        "due_at": at + due_in,
        "ended_at": None,
        "state": "overdue" if late else "running",
        "breached_at": at + due_in if late else None,
        "escalation_words": "now with the supervisor" if late else "",
        "report_id": None,
    }
    return views.ClockView(**{**fields, **changes})


def a_holding(days_left: int | None = 6, **changes: Any) -> views.HoldingView:
    """A log with so many days left."""
    at = now()
    fields: dict[str, Any] = {
        "source_id": "auth",
        "member_name": "Northgate Broadband",
        "log_words": "sign-in log of a server",
        "period_from": at - 7 * DAY,
        "period_to": at,
        "delete_at": None if days_left is None else at + days_left * DAY,
        "days_left": days_left,
        "is_expiring": days_left is not None and days_left < 3,
        "is_gone": False,
        "clock_words": "clock within 20 ms, by NTP",
        "confirmed": True,
    }
    return views.HoldingView(**{**fields, **changes})


def an_item(words: str, **changes: Any) -> views.TimelineItem:
    """A line of a timeline."""
    fields: dict[str, Any] = {
        "at": now() - 3 * HOUR,
        "words": words,
        "by": "",
        "is_automatic": True,
        "event": "intake:report:received",
        "seq": 41,
    }
    return views.TimelineItem(**{**fields, **changes})


def a_route(unit: views.UnitView = KENT) -> views.RouteView:
    """To a unit, by rule."""
    return views.RouteView(unit, LONDON, "seat", "the reporting provider has its seat in Kent", LAW)


def a_link(**changes: Any) -> views.LinkView:
    """A linked report."""
    at = now()
    fields: dict[str, Any] = {
        "report_id": "report_000000000001",
        "member_name": "Northgate Broadband",
        "what": "password guessing",
        "origin": "203.0.113.7",
        "target": "mx1.northgate.example",
        "count": 286,
        "severity": "medium",
        "first_seen_at": at - DAY,
        "last_seen_at": at - 22 * HOUR,
        "received_at": at - 20 * HOUR,
        "status_words": "Acknowledged",
        "reason": "the same origin, 203.0.113.7, as the case",
        "strength": 90,
        "strength_words": "strong",
        "linked_at": at - 20 * HOUR,
        "is_automatic": True,
        "detached_at": None,
        "detached_words": "",
    }
    return views.LinkView(**{**fields, **changes})


def an_outcome(**changes: Any) -> views.OutcomeView:
    """An answer given just now."""
    fields: dict[str, Any] = {
        "outcome_code": "18",
        "title": "Investigation complete, no suspect identified",
        "words": "We followed the line of enquiry to an abandoned server abroad.",
        "would_have_helped": ("a longer retention",),
        "by": "DC Ada Moss",
        "unit_name": "Metropolitan Police",
        "given_at": now(),
        "withdrawn_at": None,
        "may_withdraw_until": now() + dt.timedelta(minutes=1),
    }
    return views.OutcomeView(**{**fields, **changes})


FORM = views.AnswerForm(
    statuses=(
        views.StatusChoice("X-INV", "Under investigation"),
        views.StatusChoice("X-NFA", "No further action"),
    ),
    outcomes=(
        views.OutcomeChoice(
            "18",
            "No suspect identified",
            "286 attempts over one day.",
            needs_help=True,
            needs_receiving_body=False,
        ),
        views.OutcomeChoice(
            "20", "Another body acts", "Passed on.", needs_help=False, needs_receiving_body=True
        ),
        views.OutcomeChoice(
            "1", "Charge or summons", "A person was charged.", needs_help=False, needs_receiving_body=False
        ),
    ),
    help_choices=(
        views.HelpChoice("retention", "A longer retention"),
        views.HelpChoice("clock", "A better clock"),
    ),
    units=(views.UnitChoice("mps", "Metropolitan Police"), views.UnitChoice("essex", "Essex Police")),
)


def a_case(**changes: Any) -> views.CaseView:
    """An open case of three reports that nobody has taken."""
    fields: dict[str, Any] = {
        "case_id": "case_0000000000A1",
        "sentence": "3 reports from 2 providers about one campaign; logs held until Friday.",
        "title": "Password guessing from 203.0.113.7",
        "kind": "intrusion-attempts/login-attempts",
        "kind_words": "password guessing",
        "severity": "medium",
        "lane": "ordinary",
        "status": "X-ACK",
        "status_words": "Acknowledged",
        "opened_at": now() - DAY,
        "closed_at": None,
        "owner": None,
        "route": a_route(),
        "unit_words": "",
        "coordinator_name": "",
        "proposal_words": "",
        "report_count": 3,
        "member_count": 2,
        "networks": ("203.0.113.0/24",),
        "clocks": (a_clock(-2 * DAY), a_clock(3 * HOUR, state="due today", clock_id="P03")),
        "holdings": (a_holding(2), a_holding(None)),
        "links": (a_link(), a_link(report_id="report_000000000002")),
        "timeline": (an_item("received"), an_item("routed to Kent Police", seq=42)),
        "decisions": (),
        "outcome": None,
        "one_time_links": (),
        "acts": frozenset({"accept", "assess", "answer", "redirect", "detach"}),
        "form": FORM,
    }
    return views.CaseView(**{**fields, **changes})


def a_reading(**changes: Any) -> CaseReading:
    """The same as it is read for its page, with a row behind it whose reports are not the reader's to see."""
    view = a_case(**changes)
    unit = Unit.objects.get(unit_id="mps")
    told = {"kind": view.kind, "severity": view.severity, "opened_at": view.opened_at, "title": view.title}
    case, _ = Case.objects.get_or_create(
        case_id=view.case_id, defaults={**told, "investigating_unit": unit, "support_unit": unit}
    )
    return CaseReading(case, view, sees=False, newest=None, logs=())


def a_row(**changes: Any) -> views.ReportRow:
    """A line of the reporter's list."""
    fields: dict[str, Any] = {
        "report_id": "report_000000000001",
        "group": "waiting",
        "what": "Password guessing",
        "origin": "203.0.113.7",
        "target": "mx1.northgate.example",
        "count": 286,
        "severity": "medium",
        "received_at": now() - 20 * HOUR,
        "status": "X-ACK",
        "status_words": "Acknowledged",
        "unit_name": "Kent Police",
        "owner_name": "",
        "due": a_clock(),
        "answered_at": None,
    }
    return views.ReportRow(**{**fields, **changes})


NOTHING = views.Funnel(0, 0, 0, 0, 0, 0, 0)
SOME = views.Funnel(412, 412, 300, 201, 44, 12, 2)


def a_home(**changes: Any) -> views.ReporterHome:
    """A reporter with one that waits and one that was answered."""
    fields: dict[str, Any] = {
        "sentence": "1 of your 2 reports waits for an answer; it is 2 days overdue at Kent Police.",
        "funnel": SOME,
        "waiting": (a_row(group="overdue", due=a_clock(-2 * DAY)),),
        "waiting_count": 1,
        "questions": (),
        "answered": (
            a_row(group="answered", due=None, answered_at=now() - HOUR, status_words="Under investigation"),
        ),
        "answered_count": 1,
        "weeks": tuple(
            views.WeekCount(dt.date(2026, 9, 7) + dt.timedelta(weeks=n), n * 3, n * 2) for n in range(10)
        ),
    }
    return views.ReporterHome(**{**fields, **changes})


def a_report_view(**changes: Any) -> views.ReportView:
    """A report that waits, routed, nobody's yet."""
    at = now()
    fields: dict[str, Any] = {
        "report_id": "report_000000000001",
        "attack_id": "attack_" + "0" * 32,
        "sentence": "Kent Police has had this for 2 days and should have taken it yesterday.",
        "what": "Password guessing on mx1.northgate.example",
        "kind": "intrusion-attempts/login-attempts",
        "severity": "medium",
        "lane": "ordinary",
        "origins": ("203.0.113.7",),
        "targets": ("mx1.northgate.example",),
        "service": "ssh",
        "count": 286,
        "first_seen_at": at - DAY,
        "last_seen_at": at - 22 * HOUR,
        "received_at": at - 20 * HOUR,
        "version": 1,
        "entry_seq": 41,
        "status": "X-ACK",
        "status_words": "Acknowledged",
        "status_explained": "the exchange has it; no person has decided yet",
        "owner": None,
        "route": a_route(),
        "unit_words": "unit not joined: the coordinator carries it there",
        "clocks": (a_clock(-2 * DAY),),
        "timeline": (an_item("received"),),
        "holdings": (a_holding(),),
        "decision": None,
        "outcome": None,
        "sent": (("origin", "203.0.113.7"), ("attempts", "286")),
        "held_back": "the 286 lines themselves, and the names that were tried",
    }
    return views.ReportView(**{**fields, **changes})


def a_queue(rows: Sequence[views.QueueRow], below: int = 0) -> QueuePage:
    """A page of the queue that has these rows and no others."""
    counts = {group: sum(row.group == group for row in rows) for group in queueing.GROUPS}
    return QueuePage(tuple(rows), counts, below, 1, 1, Choices())


def a_queue_row(group: views.QueueGroup = "overdue", **changes: Any) -> views.QueueRow:
    """A line of a unit's queue."""
    late = {"overdue": -2 * DAY, "due today": 3 * HOUR}.get(group, 3 * DAY)
    fields: dict[str, Any] = {
        "case_id": "case_0000000000A1",
        "group": group,
        "title": "Password guessing from 203.0.113.7",
        "kind_words": "password guessing",
        "severity": "medium",
        "status_words": "Acknowledged",
        "unit_name": "Metropolitan Police",
        "owner_name": "",
        "opened_at": now() - DAY,
        "due": a_clock(late),
        "evidence_days_left": 6,
        "report_count": 3,
        "member_count": 2,
    }
    return views.QueueRow(**{**fields, **changes})


def a_coordination(**changes: Any) -> views.CoordinationView:
    """One unit that has not joined, with one case."""
    row = views.CoordinationRow(
        "case_0000000000A1",
        "Password guessing from 203.0.113.7",
        "medium",
        KENT,
        "Acknowledged",
        "",
        now() - DAY,
        a_clock(-2 * DAY),
        (),
        3,
        may_send=True,
        desk_words="the supervisor",
    )
    fields: dict[str, Any] = {
        "sentence": "1 unit that has not joined has 1 unanswered case; the oldest is 2 days overdue.",
        "silent_units": (views.SilentUnit(KENT, 1, 1, now() - DAY, "Iris Holt"),),
        "not_joined": (row,),
        "escalated": (),
        "joined_count": 2,
        "unit_count": 54,
    }
    return views.CoordinationView(**{**fields, **changes})


def a_packet(**changes: Any) -> views.PacketView:
    """A case on paper."""
    at = now()
    fields: dict[str, Any] = {
        "case_id": "case_0000000000A1",
        "made_at": at,
        "sentence": "3 reports about one campaign.",
        "unit": KENT,
        "support_unit": LONDON,
        "route_reason": "the provider has its seat in Kent",
        "coordinator_name": "Iris Holt",
        "severity": "medium",
        "kind_words": "password guessing",
        "offence_words": "unauthorised access, attempted",
        "law_words": "Computer Misuse Act 1990, section 1",
        "first_seen_at": at - DAY,
        "last_seen_at": at,
        "attempts": 286,
        "networks": ("203.0.113.0/24",),
        "links": (a_link(),),
        "holdings": (a_holding(),),
        "clocks": (a_clock(),),
        "national_service_words": "not sent to the national reporting service",
        "report_count": 1,
    }
    return views.PacketView(**{**fields, **changes})
