"""What a person decides about a case: take it, judge it, answer it, take the answer back, pass it on.

Every act locks the case, checks the state table, moves the clocks and tells the journal, in one transaction.
`at` is now, unless a test says otherwise.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from tocsin.access.models import Unit
from tocsin.cases import clocks, pausing, states
from tocsin.cases.answers import check_answer
from tocsin.cases.models import Case, Decision, OneTimeLink, Outcome
from tocsin.cases.opening import BY_HAND, arrival_status, name_coordinators, push_status, route_content
from tocsin.cases.responders import Responder
from tocsin.cases.units import current_pack
from tocsin.journal.acts import Act, act
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed
from tocsin.kernel.time import now

UNDO_FOR = dt.timedelta(minutes=1)


def lock_case(case: Case) -> Case:
    """The case as it is now, locked until the transaction ends."""
    return Case.objects.select_for_update().get(pk=case.pk)


def accept_case(case: Case, by: Responder, at: dt.datetime | None = None) -> Case:
    """A named person takes the case; every report in it has its owner. Twice is once."""
    at = at or now()
    with act() as recorded:
        case = lock_case(case)
        if case.owner_name != by.name or case.owner != by.person:
            take(recorded, case, by, at)
            case.save()
            push_status(case, at)
    return case


def take(recorded: Act, case: Case, by: Responder, at: dt.datetime) -> None:
    """Make the responder the owner; a unit that escalation brought in becomes the investigating unit.

    A machine never owns a case: silence would end where nobody listens (docs/decisions/0017). NotAllowed.
    """
    refuse_coordinator(by)
    if by.is_automatic:
        raise NotAllowed(
            "a case belongs to a person, never to a key",
            hint="name who takes it: On-Behalf-Of: their address",
        )
    states.check(current_pack(), "accept", case.status, states.ACCEPTED, by.party)
    if by.unit.pk != case.investigating_unit_id:
        case.route_rule, case.investigating_unit = BY_HAND, by.unit
        case.route_reason = case.route_told = f"{by.unit.name} took it after it had gone unanswered"
    case.owner, case.owner_name, case.owned_at, case.status = by.person, by.name, at, states.ACCEPTED
    case.is_automatic = False
    case.coordinator = None if by.unit.has_joined else case.coordinator
    record(recorded, "cases:case:accepted", case, by, clocks.turn(recorded, case, "accepted", at))


def assess_case(case: Case, by: Responder, status: str, reason: str, at: dt.datetime | None = None) -> Case:
    """Decide what is to be done, with a reason; taking the case first where nobody had.

    A final status (intelligence, diverted, no further action) closes the case. Raises BadInput, Conflict.
    """
    at, pack = at or now(), current_pack()
    if not reason.strip():
        raise BadInput("a decision needs a reason that the reporter can read")
    if status not in pack.statuses:
        raise BadInput(f"{status!r} is no status", hint=f"one of {', '.join(pack.statuses)}")
    with act() as recorded:
        case = own(recorded, case, by, at)
        passed = pausing.pass_over(case, at)
        states.check(pack, "assess", case.status, status, by.party)
        case.status = status
        if pack.statuses[status].is_final:
            case.closed_at = at
        decide(case, by, status, reason.strip(), at)
        moved = clocks.turn(recorded, case, "assessed" if case.is_open else "closed", at, ended_by(by))
        moved["started"] |= _owed_to_victims(recorded, case, status, at)
        content = moved | {"status": status, "reason": reason.strip(), "passed": passed}
        record(recorded, "cases:case:assessed", case, by, content)
        case.save()
        push_status(case, at)
    return case


def _owed_to_victims(recorded: Act, case: Case, status: str, at: dt.datetime) -> dict[str, str]:
    """What the decision itself begins, such as explaining it to a victim; nothing below the threshold."""
    if case.severity == "info":
        return {}
    about = clocks.Subject(case=case)
    started: dict[str, str] = clocks.happened(recorded, current_pack(), f"decision.{status}", about, at)[
        "started"
    ]
    return started


def answer_case(
    case: Case,
    by: Responder,
    outcome_code: str,
    words: str,
    would_have_helped: Sequence[str] = (),
    *,
    receiving_body: str = "",
    at: dt.datetime | None = None,
) -> Case:
    """Close the case with an outcome and words: one act answers every report in it.

    Raises BadInput for what the outcome requires and lacks, Conflict where the case is not open.
    """
    at, pack = at or now(), current_pack()
    check_answer(pack, outcome_code, words, would_have_helped, receiving_body, by.unit.unit_id)
    body = receiving_body.strip()
    said = words.strip().replace("{receiving_body}", body)
    answer: dict[str, Any] = {
        "outcome_code": outcome_code,
        "words": said,
        "would_have_helped": list(would_have_helped),
    }
    answer["receiving_body"] = body
    kept = dict(answer)
    with act() as recorded:
        case = own(recorded, case, by, at)
        answer["passed"] = pausing.pass_over(case, at)
        states.check(pack, "answer", case.status, states.ANSWERED, by.party)
        Outcome.objects.create(
            case=case,
            status_before=case.status,
            person=by.person,
            person_name=by.name,
            unit=by.unit,
            given_at=at,
            is_automatic=by.is_automatic,
            **kept,
        )
        decide(case, by, states.ANSWERED, said, at)
        case.status, case.closed_at, case.outcome_code = states.ANSWERED, at, outcome_code
        answer |= clocks.turn(recorded, case, "closed", at, ended_by(by)) | {
            "title": pack.outcomes[outcome_code].title
        }
        record(recorded, "cases:case:answered", case, by, answer)
        case.save()
        push_status(case, at)
        if by.link is not None:
            OneTimeLink.objects.filter(pk=by.link.pk).update(answered_at=at)
    return case


def withdraw_answer(case: Case, by: Responder, at: dt.datetime | None = None) -> Case:
    """Take an answer back within a minute: the case and its clocks go on as though it had not been given.

    The outcome was assigned, so the clock to tell it runs. Raises Conflict when the minute is over.
    """
    at = at or now()
    with act() as recorded:
        case = lock_case(case)
        refuse_coordinator(by)
        outcome = Outcome.objects.filter(case=case, withdrawn_at__isnull=True).order_by("given_at").last()
        if outcome is None or case.is_open:
            raise Conflict("there is no answer to take back")
        if at - outcome.given_at > UNDO_FOR:
            raise Conflict(
                "an answer can be taken back for one minute", hint="a later report reopens the case"
            )
        states.check(current_pack(), "withdraw", case.status, outcome.status_before, by.party)
        outcome.withdrawn_at = at
        outcome.save()
        Decision.objects.filter(case=case, status=states.ANSWERED, at=outcome.given_at).delete()
        last = Decision.objects.filter(case=case).order_by("at", "pk").last()
        case.is_automatic = last is not None and last.is_automatic
        case.status, case.closed_at, case.outcome_code = outcome.status_before, None, ""
        clocks.resume(case, outcome.given_at)
        moved = clocks.turn(recorded, case, "withdrawn", outcome.given_at)
        pausing.ask_again(case, outcome.given_at, at)
        record(recorded, "cases:case:withdrawn", case, by, moved | {"outcome_code": outcome.outcome_code})
        case.save()
        push_status(case, at)
        OneTimeLink.objects.filter(case=case, answered_at=outcome.given_at).update(answered_at=None)
    return case


def redirect_case(case: Case, by: Responder, unit: Unit, reason: str, at: dt.datetime | None = None) -> Case:
    """Pass the case to the unit whose it is, with a reason. No clock stops; no rule moves it back."""
    at = at or now()
    if not reason.strip():
        raise BadInput("passing a case on needs a reason")
    if unit.valid_to is not None and unit.valid_to < at.date():
        raise BadInput(f"{unit.name} is no more", hint="choose its successor")
    with act() as recorded:
        case = lock_case(case)
        if unit.pk == case.investigating_unit_id:
            raise BadInput(f"{unit.name} has the case already")
        pausing.pass_over(case, at)
        before, was_owned, status = case.investigating_unit.name, bool(case.owner_name), case.status
        case.status = arrival_status(unit)
        states.check(current_pack(), "redirect", status, case.status, by.party)
        case.investigating_unit, case.route_rule = unit, BY_HAND
        case.route_reason = case.route_told = f"{by.signature} passed it on: {reason.strip()}"
        case.owner, case.owner_name, case.owned_at, case.coordinator = None, "", None, None
        name_coordinators([case])
        OneTimeLink.objects.filter(case=case, revoked_at__isnull=True).update(revoked_at=at)
        moved = clocks.turn(recorded, case, "redirected", at) if was_owned else {}
        content = moved | route_content(case) | {"from": before, "reason": reason.strip()}
        record(recorded, "cases:case:redirected", case, by, content)
        case.save()
        push_status(case, at)
    return case


def own(recorded: Act, case: Case, by: Responder, at: dt.datetime) -> Case:
    """The case, locked, and taken by the responder where nobody had it: judging a case is taking it."""
    case = lock_case(case)
    refuse_coordinator(by)
    if case.is_open and not case.owner_name:
        take(recorded, case, by, at)
    return case


def refuse_coordinator(by: Responder) -> None:
    """A coordinator sees that somebody answers and never answers instead. Raises NotAllowed."""
    if by.party != "unit":
        raise NotAllowed(
            "only a person of the unit decides about a case",
            hint="send the unit a one-time link, or redirect the case",
        )


def decide(case: Case, by: Responder, status: str, reason: str, at: dt.datetime) -> None:
    """The row that counts as followed up, unless a machine made it: who, what, why, when."""
    Decision.objects.create(
        case=case,
        person=by.person,
        person_name=by.name,
        unit=by.unit,
        status=status,
        reason=reason,
        at=at,
        is_automatic=by.is_automatic,
    )
    case.is_automatic = by.is_automatic


def ended_by(by: Responder) -> str:
    """How a clock ends by what this responder does: by a person, or automatically."""
    return clocks.AUTOMATIC if by.is_automatic else clocks.PERSON


def record(recorded: Act, event: str, case: Case, by: Responder, content: dict[str, Any]) -> None:
    """Journal what somebody did to a case."""
    who: dict[str, Any] = {"by": by.name, "by_unit": by.unit.name, "by_link": by.link is not None}
    if by.key:
        who |= {"by_key": by.key, "automatic": by.is_automatic}
    recorded.record(event, case.case_id, {"unit": case.investigating_unit.name} | content | who)
