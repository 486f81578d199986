"""What the pages and the API show of cases: plain values, made by `cases.queries`, with no way back to a row.

Every `sentence` is the first line of its page; every `…_words` is ready to read; every instant is UTC; every
automatic decision stands beside its reason.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

ClockState = Literal[
    "running", "due today", "overdue", "met", "met late", "automatic", "paused", "does not apply"
]
QueueGroup = Literal["overdue", "due today", "new", "waiting"]
ReportGroup = Literal["overdue", "waiting", "question", "answered"]
LinkState = Literal["unused", "accepted", "answered", "expired", "revoked"]
Act = Literal["accept", "assess", "answer", "withdraw", "redirect", "detach", "make_link", "ask", "update"]


@dataclass(frozen=True)
class LawView:
    """Where a rule comes from and how sure we are of it."""

    legal_ref: str
    status: str
    confidence: str
    checked_on: dt.date | None


@dataclass(frozen=True)
class UnitView:
    """A unit as a page names it."""

    unit_id: str
    name: str
    kind: str
    has_joined: bool


@dataclass(frozen=True)
class ClockView:
    """What is due, by when, and why.

    `what` is a sentence such as "Kent Police accepts or redirects"; `why` the rule in words ("P02: 1 working
    day after the report was received"); `state` the word to show; `breached_at` is set for ever once the due
    time passed; `escalation_words` says whose desk it has reached ("" while nobody's but the owner's).
    """

    clock_id: str
    what: str
    why: str
    law: LawView
    started_at: dt.datetime
    due_at: dt.datetime
    ended_at: dt.datetime | None
    state: ClockState
    breached_at: dt.datetime | None
    escalation_words: str
    report_id: str | None

    @property
    def is_running(self) -> bool:
        """Does somebody still owe this?"""
        return self.ended_at is None


@dataclass(frozen=True)
class HoldingView:
    """A log that a provider holds, with the days left until it is destroyed.

    `days_left` is None where no date was given and 0 on the last day; `is_gone` once the date passed.
    `confirmed` says that a person at the provider confirmed retention and clock.
    """

    source_id: str
    member_name: str
    log_words: str
    period_from: dt.datetime
    period_to: dt.datetime
    delete_at: dt.datetime | None
    days_left: int | None
    is_expiring: bool
    is_gone: bool
    clock_words: str
    confirmed: bool


@dataclass(frozen=True)
class TimelineItem:
    """One entry of the journal, in words; `seq` is its position, by which anybody can have it proved."""

    at: dt.datetime
    words: str
    by: str
    is_automatic: bool
    event: str
    seq: int


@dataclass(frozen=True)
class OwnerView:
    """Who has the case: a named person at a unit, since when."""

    name: str
    unit_name: str
    since: dt.datetime


@dataclass(frozen=True)
class RouteView:
    """Where the case went, and why, in one line."""

    investigating_unit: UnitView
    support_unit: UnitView
    rule: str
    reason: str
    law: LawView


@dataclass(frozen=True)
class LinkView:
    """A report of a case, and why it is there. `strength` is 0 to 100, `strength_words` says it."""

    report_id: str
    member_name: str
    what: str
    origin: str
    target: str
    count: int
    severity: str
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    received_at: dt.datetime
    status_words: str
    reason: str
    strength: int
    strength_words: str
    linked_at: dt.datetime
    is_automatic: bool
    detached_at: dt.datetime | None
    detached_words: str


@dataclass(frozen=True)
class DecisionView:
    """A person's decision, with the reason given."""

    status: str
    status_words: str
    reason: str
    by: str
    unit_name: str
    at: dt.datetime


@dataclass(frozen=True)
class OutcomeView:
    """How it ended. `may_withdraw_until` is when the one-minute undo closes."""

    outcome_code: str
    title: str
    words: str
    would_have_helped: tuple[str, ...]
    by: str
    unit_name: str
    given_at: dt.datetime
    withdrawn_at: dt.datetime | None
    may_withdraw_until: dt.datetime


@dataclass(frozen=True)
class StatusChoice:
    """A triage decision that may be taken now; `reason` is what it says where nobody types another one."""

    status: str
    words: str
    reason: str = ""


@dataclass(frozen=True)
class HelpChoice:
    """One thing that would have helped, for the tick boxes beside an answer."""

    code: str
    words: str


@dataclass(frozen=True)
class OutcomeChoice:
    """An outcome that may be given now, with words that have already filled themselves from the case."""

    outcome_code: str
    title: str
    words: str
    needs_help: bool
    needs_receiving_body: bool


@dataclass(frozen=True)
class UnitChoice:
    """A unit to which the case can be redirected."""

    unit_id: str
    name: str


@dataclass(frozen=True)
class AnswerForm:
    """The forms at the foot of a case: what the state table and the policy allow this actor now."""

    statuses: tuple[StatusChoice, ...]
    outcomes: tuple[OutcomeChoice, ...]
    help_choices: tuple[HelpChoice, ...]
    units: tuple[UnitChoice, ...]


@dataclass(frozen=True)
class OneTimeLinkView:
    """A one-time link as the coordinator sees it: never the token."""

    made_at: dt.datetime
    expires_at: dt.datetime
    made_by: str
    state: LinkState
    officer_name: str
    with_packet: bool = False


@dataclass(frozen=True)
class CaseView:
    """Can I decide this in a minute?

    `acts` are the acts that are allowed now (buttons); `unit_words` is "" or "unit not joined: …";
    `proposal_words` is what the exchange proposes and why ("" where it proposes nothing).
    """

    case_id: str
    sentence: str
    title: str
    kind: str
    kind_words: str
    severity: str
    lane: str
    status: str
    status_words: str
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    owner: OwnerView | None
    route: RouteView
    unit_words: str
    coordinator_name: str
    proposal_words: str
    report_count: int
    member_count: int
    networks: tuple[str, ...]
    clocks: tuple[ClockView, ...]
    holdings: tuple[HoldingView, ...]
    links: tuple[LinkView, ...]
    timeline: tuple[TimelineItem, ...]
    decisions: tuple[DecisionView, ...]
    outcome: OutcomeView | None
    one_time_links: tuple[OneTimeLinkView, ...]
    acts: frozenset[Act]
    form: AnswerForm


@dataclass(frozen=True)
class QueueRow:
    """One line of a unit's queue. Rows come ordered: overdue, due today, new, waiting; most urgent first."""

    case_id: str
    group: QueueGroup
    title: str
    kind_words: str
    severity: str
    status_words: str
    unit_name: str
    owner_name: str
    opened_at: dt.datetime
    due: ClockView | None
    evidence_days_left: int | None
    report_count: int
    member_count: int
    score: int = 0
    unusual_words: str = ""


@dataclass(frozen=True)
class ReportRow:
    """One of a member's own reports, in a list."""

    report_id: str
    group: ReportGroup
    what: str
    origin: str
    target: str
    count: int
    severity: str
    received_at: dt.datetime
    status: str
    status_words: str
    unit_name: str
    owner_name: str
    due: ClockView | None
    answered_at: dt.datetime | None


@dataclass(frozen=True)
class NoticeView:
    """One thing the member was told."""

    notice_id: int
    report_id: str
    at: dt.datetime
    words: str
    is_new: bool


@dataclass(frozen=True)
class WeekCount:
    """Reports of one ISO week, for the sparkline."""

    monday: dt.date
    received: int
    answered: int


@dataclass(frozen=True)
class Funnel:
    """How far reports came: always shown whole; automatic acknowledgements never count as follow-up."""

    received: int
    acknowledged: int
    owned: int
    assessed: int
    investigated: int
    disrupted: int
    charged: int


@dataclass(frozen=True)
class ReporterHome:
    """What became of mine?

    Lists are the newest or most urgent 50; `…_count` says how many there are. `answered` are those answered
    in the last 30 days. `waiting` has the overdue first.
    """

    sentence: str
    funnel: Funnel
    waiting: tuple[ReportRow, ...]
    waiting_count: int
    questions: tuple[ReportRow, ...]
    answered: tuple[ReportRow, ...]
    answered_count: int
    weeks: tuple[WeekCount, ...]
    weeks_counted_at: dt.datetime | None = None


@dataclass(frozen=True)
class ReportList:
    """One page of a member's own reports, newest first; `next_before` continues, None at the end."""

    rows: tuple[ReportRow, ...]
    next_before: int | None


@dataclass(frozen=True)
class ReportView:
    """Where does this one stand?

    `case_id` is given to nobody but the case's own unit: a reporter gets None. `outcome` carries the words;
    `sent` is what left the provider, field by field; `held_back` says what stayed there. `is_answered` once
    a person closed its case.
    """

    report_id: str
    attack_id: str
    sentence: str
    what: str
    kind: str
    severity: str
    lane: str
    origins: tuple[str, ...]
    targets: tuple[str, ...]
    service: str
    count: int
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    received_at: dt.datetime
    version: int
    entry_seq: int
    status: str
    status_words: str
    status_explained: str
    owner: OwnerView | None
    route: RouteView | None
    unit_words: str
    clocks: tuple[ClockView, ...]
    timeline: tuple[TimelineItem, ...]
    holdings: tuple[HoldingView, ...]
    decision: DecisionView | None
    outcome: OutcomeView | None
    sent: tuple[tuple[str, str], ...]
    held_back: str
    is_answered: bool = False


@dataclass(frozen=True)
class SilentUnit:
    """A unit with unanswered cases, the longest silence first."""

    unit: UnitView
    unanswered_count: int
    overdue_count: int
    oldest_at: dt.datetime
    coordinator_name: str


@dataclass(frozen=True)
class CoordinationRow:
    """A case that the coordinator watches: its unit has not joined, or its clock went up a step.

    `desk_words` says at whose desk its missed duty is, "" where none was missed.
    """

    case_id: str
    title: str
    severity: str
    unit: UnitView
    status_words: str
    owner_name: str
    opened_at: dt.datetime
    due: ClockView | None
    links: tuple[OneTimeLinkView, ...]
    report_count: int
    may_send: bool
    desk_words: str = ""


@dataclass(frozen=True)
class CoordinationView:
    """Where is silence? `not_joined` and `escalated` are the first fifty by what is due.

    A case stands in one of them: what has gone up at a unit that has not joined is among `not_joined`.
    """

    sentence: str
    silent_units: tuple[SilentUnit, ...]
    not_joined: tuple[CoordinationRow, ...]
    escalated: tuple[CoordinationRow, ...]
    joined_count: int
    unit_count: int
    counted_at: dt.datetime | None = None


@dataclass(frozen=True)
class PacketView:
    """A case to print and send by the unit's published route: everything an officer needs, on paper."""

    case_id: str
    made_at: dt.datetime
    sentence: str
    unit: UnitView
    support_unit: UnitView
    route_reason: str
    coordinator_name: str
    severity: str
    kind_words: str
    offence_words: str
    law_words: str
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    attempts: int
    networks: tuple[str, ...]
    links: tuple[LinkView, ...]
    holdings: tuple[HoldingView, ...]
    clocks: tuple[ClockView, ...]
    national_service_words: str
    report_count: int
