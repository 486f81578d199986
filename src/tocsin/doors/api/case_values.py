"""What the REST interface takes and gives about cases, for the machines of units."""

import datetime as dt
from typing import Annotated, Literal

import msgspec

from tocsin.cases.explained import ScoreView
from tocsin.cases.owed import DutyView
from tocsin.cases.people import PersonLine
from tocsin.cases.question_views import AskForm, QuestionView
from tocsin.cases.queueing import Wish
from tocsin.cases.ratings import RatingView
from tocsin.cases.reviewing import PairView
from tocsin.cases.rising import Rising
from tocsin.cases.supervising import Load, UnitLoad
from tocsin.cases.views import CaseView, CoordinationView, QueueRow


class CaseState(msgspec.Struct, frozen=True):
    """A case in one line. `tag` is its entity tag: send it back in `If-Match`.

    `is_automatic`: what `status` says was decided by a machine alone, so that nobody has followed it up.
    `is_visible`: false once an act has taken the case out of the unit's sight.
    """

    case_id: str
    tag: str
    title: str
    kind: str
    severity: str
    status: str
    status_words: str
    unit_id: str
    owner_name: str
    is_automatic: bool
    opened_at: str
    closed_at: str | None
    outcome_code: str
    report_count: int
    member_count: int
    score: int
    due_at: str | None
    foreign_number: str
    is_visible: bool = True


class CasePage(msgspec.Struct, frozen=True):
    """Cases, the newest first. `cursor` goes on; none at the end."""

    cases: list[CaseState]
    cursor: str | None


class MoveView(msgspec.Struct, frozen=True):
    """Reports that went from one case to another, which may still be taken back."""

    move_id: int
    kind: str
    source: str
    target: str
    by: str
    reason: str
    at: str


class CaseWhole(msgspec.Struct, frozen=True):
    """Everything that a case's page shows. Of the linked reports, `view.links` holds one page of fifty."""

    state: CaseState
    view: CaseView
    score: ScoreView
    questions: list[QuestionView]
    ask: AskForm
    duties: list[DutyView]
    ratings: list[RatingView]
    people: list[PersonLine]
    moves: list[MoveView]
    crime_number: str
    forms: dict[str, str]


class QueuePart(msgspec.Struct, frozen=True):
    """A part of the queue, most urgent first. `cursor` goes on; none at the end."""

    rows: list[QueueRow]
    cursor: str | None


class DutyList(msgspec.Struct, frozen=True):
    """The clocks that somebody can act on, the first due first."""

    duties: list[DutyView]


class PairList(msgspec.Struct, frozen=True):
    """Pairs of cases that wait for a person's word; `waiting` says how many there are in all."""

    pairs: list[PairView]
    waiting: int


class Assess(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision: a status that the case's `form.statuses` offers; without reason, the prepared one."""

    status: str
    reason: str = ""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How it ended: an outcome that `form.outcomes` offers; without words, the prepared ones."""

    outcome_code: str
    words: str = ""
    would_have_helped: list[str] = []
    receiving_body: str = ""


class Redirect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The unit whose case it is, and why."""

    unit_id: str
    reason: str


class Enquiry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a line of enquiry points (a unit's id, `abroad`), or `threat to life`; how one knows it."""

    where: str
    said: str


class NewOwner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The address of an officer or supervisor of the unit, and why."""

    owner: str
    reason: str = ""


class Update(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How it stands where nothing is new: a code that `ask.updates` offers."""

    code: str


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Questions of `ask.questions`, to some members of `ask.members`, or to all of the case."""

    codes: list[str]
    member_ids: list[str] = []


class Reports(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Reports of the case, and why they go."""

    report_ids: list[str]
    reason: str


class OneReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A report that was in this case, and why it comes back."""

    report_id: str
    reason: str


class Merge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The case that joins this one, and why."""

    case_id: str
    reason: str


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: str


class Duty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Is the duty done, or does it not apply?"""

    applies: bool = True


class CrimeNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number that came back from the recording service, as it was pasted."""

    number: str


class Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Do the two cases belong together?"""

    said: Literal["yes", "no", "unsure"]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Do the cases of all these pairs belong together? They share their reason."""

    suggestion_ids: Annotated[list[int], msgspec.Meta(max_length=500)]
    said: Literal["yes", "no", "unsure"]


class Pairs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pairs that one has said something about."""

    suggestion_ids: Annotated[list[int], msgspec.Meta(max_length=500)]


class Many(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One act on up to 200 cases: accept, assess (status), answer (outcome), redirect (unit, words).

    `unit_id` "least-busy" passes each on to the reporting force with the fewest undecided cases.
    Or reassign (owner, by their address, and words), which is a supervisor's.
    """

    act: Literal["accept", "assess", "answer", "redirect", "reassign"]
    case_ids: list[str]
    status: str = ""
    outcome_code: str = ""
    words: str = ""
    would_have_helped: list[str] = []
    receiving_body: str = ""
    unit_id: str = ""
    owner: str = ""


class RefusedCase(msgspec.Struct, frozen=True):
    """A case to which it was not done, and why."""

    case_id: str
    reason: str


class ManyResult(msgspec.Struct, frozen=True):
    """What became of one act on many cases. `bulk_id` takes it back within its minute."""

    bulk_id: int
    done: list[str]
    refused: list[RefusedCase]


class NewWeights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the parts of a score count at the unit, each 0 to 100, and why."""

    severity: int
    solvability: int
    harm: int
    volume: int
    reason: str


class UnitWeights(msgspec.Struct, frozen=True):
    """What the parts of a score count at a unit."""

    unit_id: str
    severity: int
    solvability: int
    harm: int
    volume: int


class FormField(msgspec.Struct, frozen=True):
    """One field of a form; `missing` says who knows what the exchange does not."""

    section: str
    field: str
    label: str
    value: str
    missing: str


class Form(msgspec.Struct, frozen=True):
    """A form of another system, filled from the case; unofficial."""

    form: str
    title: str
    case_id: str
    unofficial: str
    fields: list[FormField]


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the queue is filtered by, under a name; the fields are those of `/cases/queue`.

    `owner` may be `me`, too, and `days` is a number. The default one holds where its owner asks for nothing.
    """

    name: str
    is_default: bool = False
    group: str = ""
    words: str = ""
    status: str = ""
    severity: str = ""
    kind: str = ""
    unit: str = ""
    owner: str = ""
    days: str = ""


class KeptFilter(msgspec.Struct, frozen=True):
    """A filter that somebody keeps; `wish` has the fields of `/cases/queue`."""

    filter_id: int
    name: str
    is_default: bool
    wish: Wish


class FilterList(msgspec.Struct, frozen=True):
    """The filters that somebody keeps, by name."""

    filters: list[KeptFilter]


class Team(msgspec.Struct, frozen=True):
    """Who has what open, late and due today; `rows` are a page of the cases of `whose`, or of everybody."""

    sentence: str
    people: list[Load]
    units: list[UnitLoad]
    whose: str
    rows: list[QueueRow]
    total: int
    pages: int


class NationUnit(msgspec.Struct, frozen=True):
    """A unit's numbers; `oldest_at` is since when its oldest unanswered case waits."""

    unit_id: str
    name: str
    kind: str
    has_joined: bool
    open: int
    unanswered: int
    overdue: int
    oldest_at: dt.datetime | None


class Nation(msgspec.Struct, frozen=True):
    """Every unit of the country, what is overdue first. `counted_at` where it was counted before now."""

    sentence: str
    units: list[NationUnit]
    counted_at: dt.datetime | None


class RisingList(msgspec.Struct, frozen=True):
    """Missed duties that go a desk higher next, the soonest first."""

    rising: list[Rising]


SHAPES = (
    *(CaseState, CasePage, CaseWhole, QueuePart, DutyList, PairList, ManyResult, UnitWeights, Form),
    *(
        Assess,
        Answer,
        Redirect,
        Enquiry,
        NewOwner,
        Update,
        Ask,
        Reports,
        OneReport,
        Merge,
        Reason,
        Duty,
        CrimeNumber,
        Word,
        Words,
        Pairs,
    ),
    *(Many, NewWeights, Filter, FilterList, RisingList, Team, CoordinationView, Nation),
)
