"""The rows of a country pack. Every rule carries its legal reference, status, confidence and check date."""

import datetime as dt
from functools import cached_property
from typing import Literal

import msgspec

UnitKind = Literal["force", "regional", "national", "hotline"]
Duration = Literal["minutes", "hours", "days", "working_days", "months", "as_soon_as"]
LOG = "log:"  # begins the code of a type of log among what would have helped
Level = Literal["force", "regional", "national", "hotline", "enquiry"]
ABROAD = "abroad"
Stage = Literal["received", "acknowledged", "owned", "assessed", "investigated", "disrupted", "charged"]


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every row says about itself; `checked_on` is None where nobody has compared it with its source."""

    legal_ref: str
    status: str
    confidence: str
    checked_on: dt.date | None = None


class UnitRow(Row, frozen=True, kw_only=True):
    """A force, regional unit, national agency or hotline; empty dates mean that no change is law yet."""

    unit_id: str
    name: str
    kind: UnitKind
    nation: str
    parent_id: str | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    successor_ids: tuple[str, ...] = ()
    police_uk_id: str | None = None
    ons_id: str | None = None
    intake: str = ""
    notes: str = ""

    def is_current(self, day: dt.date) -> bool:
        """Does the unit exist on this day?"""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


class OutcomeRow(Row, frozen=True, kw_only=True):
    """How a case may end; `words` are prepared for the reporter, with `{facts}` and `{receiving_body}`."""

    outcome_code: str
    title: str
    group: str
    suspect_identified: str
    words: str
    stage: Stage
    needs_help: bool
    needs_receiving_body: bool
    reopenable: bool
    only_units: tuple[str, ...] = ()
    offered: bool = True


class StatusRow(Row, frozen=True, kw_only=True):
    """What the exchange tells a reporter before there is an outcome. `status` is its law's.

    `reason` is what a decision for it says where nobody types another one, with `{facts}`.
    """

    status_code: str
    words: str
    explained: str
    reason: str = ""
    stage: Stage
    is_final: bool


class Transition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the state table: the act takes a case from one status to another, and who may do it."""

    act: str
    from_status: str
    to_status: str
    by: str


class ClockRow(Row, frozen=True, kw_only=True):
    """Who owes what to whom, by when; `enhanced_…` holds in the cases that `enhanced_when` names."""

    clock_id: str
    regime: str
    jurisdiction: str
    kind: str
    actor: str
    beneficiary: str
    trigger: str
    what: str
    duration: float
    unit: Duration
    enhanced_duration: float | None = None
    enhanced_unit: Duration | None = None
    enhanced_when: str = ""
    basis: str = ""
    notes: str = ""

    @property
    def runs_out(self) -> bool:
        """Is it a time for which something holds, and no duty that could be missed?"""
        return self.kind in ("validity", "maximum")

    def limit(self, *, enhanced: bool) -> tuple[float, Duration]:
        """The time allowed, the shorter one where the clock has one and the case calls for it."""
        if enhanced and self.enhanced_duration is not None and self.enhanced_unit is not None:
            return self.enhanced_duration, self.enhanced_unit
        return self.duration, self.unit


class ClockRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Between which events a clock runs.

    `scope` says of what there is one: each report of a case, the case, or any other duty by its subject. An
    event in `renews` ends it and begins it again. While an event in `pauses` goes on it stands still, for no
    longer than the cap in all. `prompt_…` is when a duty without a number in its law is called overdue.
    `by_hand` are the words with which whoever owes it says that it is done; empty where only an act can.
    """

    clock_id: str
    scope: Literal["report", "case", "duty"]
    starts: tuple[str, ...]
    ends: tuple[str, ...]
    renews: tuple[str, ...]
    pauses: tuple[str, ...]
    cap_duration: float | None
    cap_unit: Duration | None
    prompt_duration: float | None
    prompt_unit: Duration | None
    escalates: bool
    by_hand: str

    def begins_with(self, event: str) -> bool:
        """Does it begin, or begin again?"""
        return event in self.starts or event in self.renews

    def ends_with(self, event: str) -> bool:
        """Does it end, or begin again?"""
        return event in self.ends or event in self.renews


class QuestionRow(Row, frozen=True, kw_only=True):
    """A question that a unit may ask a reporter: never for personal data.

    `choices` are separated by a bar; a question that nobody answers lapses after `lapses_…`.
    """

    code: str
    words: str
    answer: Literal["yes-no", "choice", "when", "number", "holding"]
    what_for: str
    lapses_after: float
    lapses_unit: Duration
    choices: str = ""
    unit: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        """What may be answered, where the question lists it."""
        return ("yes", "no") if self.answer == "yes-no" else tuple(filter(None, self.choices.split("|")))


class UpdateRow(Row, frozen=True, kw_only=True):
    """Prepared words with which a unit says how a case stands where nothing has changed."""

    code: str
    words: str


class AwarenessRow(Row, frozen=True, kw_only=True):
    """What a member may become aware of that starts duties of its own, towards regulators."""

    code: str
    words: str
    trigger: str


class KindRow(Row, frozen=True, kw_only=True):
    """A kind of attack (RSIT `class/type`) with its offence; `handling` is case, divert or ignore."""

    kind: str
    words: str
    europol_class: str
    offence_code: str | None
    offence_title: str
    record_class: Literal["crime", "information report", "non-crime incident"]
    cyber: Literal["dependent", "enabled", "none"]
    default_severity: Literal["info", "low", "medium", "high", "critical"]
    handling: Literal["case", "divert", "ignore"]


class CategoryRow(Row, frozen=True, kw_only=True):
    """A national incident category: a provider proposes one, only police and the cyber centre set it."""

    category: str
    title: str
    lead: str
    response_duration: float
    response_unit: Duration


class BodyRow(Row, frozen=True, kw_only=True):
    """Whose matter it is where it is no crime: a regulator, a CSIRT, the owner of a machine.

    `kinds` are kinds of attack or classes of them; `words` say to the reporter what the body does about it.
    """

    body_id: str
    name: str
    kinds: tuple[str, ...]
    words: str


class OffenceRow(Row, frozen=True, kw_only=True):
    """An offence code of the national recording service."""

    offence_code: str
    title: str
    group: str
    cyber: str


class HelpRow(Row, frozen=True, kw_only=True):
    """One thing that would have helped an investigation."""

    code: str
    words: str


class LogTypeRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A type of log, in words."""

    log_type: str
    words: str


class FormField(Row, frozen=True, kw_only=True):
    """A field of a form that a case is written on: where its value comes from, or who knows it.

    `source` is one of `cases.papers.facts.SOURCES`, "" where the exchange cannot know.
    """

    form: str
    field: str
    section: str
    label: str
    source: str
    by: Literal["exchange", "provider", "officer"]
    note: str = ""


class Tile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a unit stands on the country's map of tiles: a sketch of neighbours, no geometry."""

    unit_id: str
    short: str
    column: int
    row: int


class Conditions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a routing rule holds: every condition that is given must be met."""

    lane: str | None = None
    kinds: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    min_forces: int = 0
    min_regions: int = 0
    min_reports: int = 0
    member_abroad: bool | None = None
    threat_to_life: bool | None = None
    enquiry: Literal["unit", "abroad"] | None = None


class RouteRule(Row, frozen=True, kw_only=True):
    """One row of the routing table; the first that holds decides.

    `investigating` and `support` are levels; `enquiry` is the unit to which a stated line of enquiry points.
    `told` is the reason for the reporter, where `reason` would say something of other members.
    """

    rule: str
    when: Conditions
    investigating: Level
    support: Level
    reason: str
    told: str = ""


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What each part of a score counts for; only their proportion matters."""

    severity: int
    solvability: int
    harm: int
    volume: int

    @property
    def whole(self) -> int:
        """What the parts are shares of."""
        return self.severity + self.solvability + self.harm + self.volume


class ProposedWeights(Row, frozen=True, kw_only=True):
    """The pack's own weights, with where they come from."""

    severity: int
    solvability: int
    harm: int
    volume: int

    @property
    def alone(self) -> Weights:
        """The four numbers."""
        return Weights(self.severity, self.solvability, self.harm, self.volume)


class Solvability(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Points for what could still lead to somebody: 100 together."""

    held: int
    lasting: int
    origin: int
    enough_days: int
    origin_logs: frozenset[str]


class Harm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Points by kind or by class of kinds, and for victims."""

    victim: int
    otherwise: int
    of: dict[str, int]

    def points(self, kind: str) -> int:
        """The kind's own, its class's, or those of what has no line."""
        return self.of.get(kind, self.of.get(kind.split("/")[0], self.otherwise))


class Volume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From how many reports and members on more of them say no more."""

    full_reports: int
    full_members: int


class Triage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a case's score is made: `triage.toml`."""

    weights: ProposedWeights
    severity: dict[str, int]
    solvability: Solvability
    harm: Harm
    volume: Volume


class PackInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `pack.toml` says."""

    country: str
    name: str
    home_nation: str
    national_unit: str
    hotline_unit: str
    national_service: str
    national_service_words: str
    forms: dict[str, str]  # title by id, in the order shown
    unofficial_words: str
    crime_number_pattern: str
    crime_number_example: str


class Pack(msgspec.Struct, frozen=True, dict=True):
    """Everything that one country decides, by id."""

    info: PackInfo
    units: dict[str, UnitRow]
    outcomes: dict[str, OutcomeRow]
    statuses: dict[str, StatusRow]
    transitions: tuple[Transition, ...]
    clocks: dict[str, ClockRow]
    clock_rules: tuple[ClockRule, ...]
    questions: dict[str, QuestionRow]
    updates: dict[str, UpdateRow]
    awareness: dict[str, AwarenessRow]
    kinds: dict[str, KindRow]
    categories: dict[str, CategoryRow]
    offences: dict[str, OffenceRow]
    help: dict[str, HelpRow]
    log_types: dict[str, LogTypeRow]
    bodies: dict[str, BodyRow]
    routes: tuple[RouteRule, ...]
    forms: tuple[FormField, ...]
    tiles: tuple[Tile, ...]
    triage: Triage

    def current_unit(self, unit_id: str, day: dt.date) -> UnitRow:
        """The unit on that day: itself, or its first successor that exists then. Raises KeyError."""
        unit = self.units[unit_id]
        seen = {unit_id}
        while not unit.is_current(day) and unit.successor_ids and unit.successor_ids[0] not in seen:
            seen.add(unit.successor_ids[0])
            unit = self.units[unit.successor_ids[0]]
        return unit

    def body_for(self, kind: str) -> BodyRow | None:
        """Whose matter a kind is that is none for police: by the kind itself, or by its class."""
        named = {name: body for body in self.bodies.values() for name in body.kinds}
        return named.get(kind) or named.get(kind.split("/")[0])

    @cached_property
    def report_steps(self) -> tuple[int, ...]:
        """The numbers of linked reports from which a routing rule may decide otherwise."""
        return tuple(sorted({rule.when.min_reports for rule in self.routes}))

    def kind_words(self, kind: str) -> str:
        """The kind as people say it; an unknown one by its own name."""
        row = self.kinds.get(kind)
        return row.words if row else kind.rsplit("/", 1)[-1].replace("-", " ")

    @cached_property
    def clock_events(self) -> frozenset[str]:
        """Every event that starts, ends, renews or pauses a clock."""
        return frozenset(
            event
            for rule in self.clock_rules
            for event in (*rule.starts, *rule.ends, *rule.renews, *rule.pauses)
        )

    @cached_property
    def rule_of(self) -> dict[str, ClockRule]:
        """Of each clock its last rule: how it pauses, escalates and is said to be done."""
        return {rule.clock_id: rule for rule in self.clock_rules}

    def help_words(self, code: str) -> str:
        """What would have helped, in words: of the pack's list, or a type of log as `log:dhcp-lease`."""
        if code in self.help:
            return self.help[code].words
        log = self.log_types.get(code.removeprefix(LOG)) if code.startswith(LOG) else None
        return f"logs of {log.words}" if log else code

    def is_help(self, code: str) -> bool:
        """Can this be named as something that would have helped?"""
        return code in self.help or (code.startswith(LOG) and code.removeprefix(LOG) in self.log_types)

    @cached_property
    def reopenable(self) -> frozenset[str]:
        """Outcome codes after which a later matching report opens the case again."""
        return frozenset(code for code, row in self.outcomes.items() if row.reopenable)
