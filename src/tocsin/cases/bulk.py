"""One press for many cases: accept, decide, answer, pass on or give away, and take all back for a minute.

Each case is an act of its own, recorded by itself; what one of them refuses is listed with its reason and
stops no other.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tocsin.access.models import Person, Unit
from tocsin.access.policy import Actor, require
from tocsin.access.services import fetch_unit
from tocsin.cases import decisions, states, undoing
from tocsin.cases.answers import prepared_reason, prepared_words
from tocsin.cases.casework import fetch_case
from tocsin.cases.models import Bulk, Case
from tocsin.cases.newest import case_facts
from tocsin.cases.passing import LEAST_BUSY, least_busy
from tocsin.cases.reassigning import reassign_case
from tocsin.cases.responders import Responder
from tocsin.cases.units import current_pack
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput, NotFound, NotSignedIn, Problem
from tocsin.kernel.time import now

MOST = 200
BulkAct = Literal["accept", "assess", "answer", "redirect", "reassign"]
DID: dict[str, str] = {
    "accept": "taken",
    "assess": "decided",
    "answer": "answered",
    "redirect": "redirected",
    "reassign": "given to another",
}


@dataclass(frozen=True)
class Order:
    """What is to be done to each case. Empty `words` mean the prepared ones, filled from each case.

    A `unit_id` of "least-busy" passes each on to the reporting force with the least to do.
    """

    act: BulkAct
    status: str = ""
    outcome_code: str = ""
    words: str = ""
    would_have_helped: tuple[str, ...] = ()
    receiving_body: str = ""
    unit_id: str = ""
    person: int = 0  # row of whoever is to have them


@dataclass(frozen=True)
class Refused:
    """A case to which it was not done, and why."""

    case_id: str
    title: str
    reason: str


@dataclass(frozen=True)
class Result:
    """What became of one press."""

    bulk_id: int
    act: str
    done: tuple[str, ...]
    refused: tuple[Refused, ...]


def do_many(actor: Actor, case_ids: Sequence[str], order: Order, at: dt.datetime | None = None) -> Result:
    """Do it to each of these cases. Raises NotAllowed, and BadInput where nothing or too much was chosen."""
    at = at or now()
    if order.act not in DID:
        raise BadInput("choose what is to be done with them")
    require(actor, f"case.{order.act}")
    chosen = list(dict.fromkeys(case_ids))
    if not chosen:
        raise BadInput("choose at least one case")
    if len(chosen) > MOST:
        raise BadInput(f"choose at most {MOST} cases at once")
    check(order)
    if actor.person is None:
        raise NotSignedIn()
    with act():
        bulk = Bulk.objects.create(person=actor.person, act=order.act, at=at)
    done, refused = [], []
    for case_id in chosen:
        title = ""
        try:
            case = fetch_case(actor, case_id)
            title = case.title
            by = Responder.of(actor, case)
            undoing.perform(bulk, case, by, verb(order, by, at), at)
            done.append(case_id)
        except Problem as problem:
            refused.append(Refused(case_id, title, problem.detail))
    return Result(bulk.pk, order.act, tuple(done), tuple(refused))


def check(order: Order) -> None:
    """Refuse once what would be refused for every case. Raises BadInput, NotFound."""
    pack = current_pack()
    if order.act == "assess" and order.status not in states.decisions(pack):
        raise BadInput("choose what you decide")
    if order.act == "answer" and order.outcome_code not in pack.outcomes:
        raise BadInput("choose how it ended")
    if order.act == "redirect":
        if not order.words.strip():
            raise BadInput("say why that unit should have them")
        unit_of(order)
    if order.act == "reassign":
        person_of(order)


def unit_of(order: Order) -> Unit | None:
    """The unit that is to have the cases; None: each case has its own. Raises NotFound."""
    return None if order.unit_id == LEAST_BUSY else fetch_unit(order.unit_id)


def person_of(order: Order) -> Person:
    """Whoever is to have the cases. Raises BadInput."""
    found = Person.objects.filter(pk=order.person, is_active=True).first()
    if found is None:
        raise BadInput("choose who is to have them")
    return found


def verb(order: Order, by: Responder, at: dt.datetime) -> Callable[[Case], object]:
    """The act upon one case, with words that have filled themselves from it."""
    pack = current_pack()
    if order.act == "accept":
        return lambda case: decisions.accept_case(case, by, at)
    if order.act == "redirect":
        unit = unit_of(order)
        return lambda case: decisions.redirect_case(case, by, unit or least_busy(case), order.words, at)
    if order.act == "reassign":
        person = person_of(order)
        return lambda case: reassign_case(case, by, person, order.words, at)
    if order.act == "assess":
        row = pack.statuses[order.status]
        return lambda case: decisions.assess_case(
            case, by, order.status, order.words.strip() or prepared_reason(row, case_facts(case)), at
        )
    return lambda case: decisions.answer_case(
        case,
        by,
        order.outcome_code,
        order.words.strip() or prepared_answer(order.outcome_code, case),
        order.would_have_helped,
        receiving_body=order.receiving_body,
        at=at,
    )


def prepared_answer(outcome_code: str, case: Case) -> str:
    """The words of an outcome, filled from the case."""
    row, facts = current_pack().outcomes[outcome_code], case_facts(case)
    return prepared_words(row, facts) if facts else row.title


def take_back(actor: Actor, bulk_id: int, at: dt.datetime | None = None) -> Result:
    """Take back what one press of the actor's own did, case by case. Raises NotFound."""
    at = at or now()
    bulk = Bulk.objects.filter(pk=bulk_id, person=actor.person).first() if actor.person else None
    if bulk is None or actor.person is None:
        raise NotFound()
    done, refused = [], []
    for doing in bulk.doings.select_related("case", "unit").order_by("pk"):
        by = Responder(actor.person.name, doing.unit, actor.person)
        try:
            undoing.take_back(doing, by, at)
            done.append(doing.case.case_id)
        except Problem as problem:
            refused.append(Refused(doing.case.case_id, doing.case.title, problem.detail))
    if not refused:
        with act():
            Bulk.objects.filter(pk=bulk.pk).update(undone_at=at)
    return Result(bulk.pk, bulk.act, tuple(done), tuple(refused))


def may_take_back(actor: Actor, at: dt.datetime | None = None) -> Bulk | None:
    """The actor's last press, while its minute lasts and something of it stands."""
    at = at or now()
    if actor.person is None:
        return None
    found = Bulk.objects.filter(person=actor.person, undone_at__isnull=True, at__gt=at - decisions.UNDO_FOR)
    last = found.order_by("-pk").first()
    return last if last is not None and last.doings.filter(undone_at__isnull=True).exists() else None
