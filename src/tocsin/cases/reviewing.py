"""Link review: do these two cases belong together? A person says yes, no or not sure; a no is remembered."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Max, Min, Q

from tocsin.access.policy import Actor, require
from tocsin.cases import reach
from tocsin.cases.decisions import record
from tocsin.cases.keys import network_of
from tocsin.cases.merging import lock_both, merge_cases, undo_move
from tocsin.cases.models import Case, CaseOrigin, Link, Move, Suggestion
from tocsin.cases.queueing import evidence_left, status_words
from tocsin.cases.responders import Responder
from tocsin.cases.units import current_pack
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput, NotFound
from tocsin.kernel.time import now
from tocsin.store import fence

SHOWN = 20
MOST = 200
OPEN = (Suggestion.State.OPEN, Suggestion.State.UNSURE)


@dataclass(frozen=True)
class SideView:
    """One of the two cases, as far as it helps to decide."""

    case_id: str
    title: str
    status_words: str
    severity: str
    unit_name: str
    owner_name: str
    report_count: int
    member_count: int
    networks: tuple[str, ...]
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    evidence_days_left: int | None


@dataclass(frozen=True)
class PairView:
    """Two cases side by side, and why they may be one."""

    suggestion_id: int
    reason: str
    strength: int
    state: str
    decided_by: str
    older: SideView
    newer: SideView


def waiting(actor: Actor, case: Case | None = None) -> list[Suggestion]:
    """What waits for a person's word: what nobody has looked at first, the strongest first.

    Both cases are open and to be seen by the actor, whose unit has one of them. `MOST` are looked through.
    """
    require(actor, "suggestion.read")
    units = [unit.pk for unit in actor.units]
    mine = Q(case__investigating_unit__in=units) | Q(other__investigating_unit__in=units)
    found = Suggestion.objects.filter(mine, state__in=OPEN)
    if case is not None:
        found = found.filter(Q(case=case) | Q(other=case))
    pairs = list(found.order_by("state", "-strength", "pk")[:MOST])
    both = {pk for pair in pairs for pk in (pair.case_id, pair.other_id)}
    seen = reach.visible_to(actor).filter(closed_at__isnull=True, pk__in=both)
    visible = set(seen.values_list("pk", flat=True))
    return [pair for pair in pairs if pair.case_id in visible and pair.other_id in visible]


def review(
    pairs: Sequence[Suggestion], at: dt.datetime | None = None, most: int | None = SHOWN
) -> list[PairView]:
    """The first of these pairs, or all, side by side."""
    at, shown = at or now(), pairs[:most]
    both = {pk for pair in shown for pk in (pair.case_id, pair.other_id)}
    fence.judge(both)
    cases = Case.objects.select_related("investigating_unit").in_bulk(both)
    sides = sides_of(list(cases.values()), at)
    return [
        PairView(
            suggestion_id=pair.pk,
            reason=pair.reason,
            strength=pair.strength,
            state=pair.state,
            decided_by=pair.person_name,
            older=sides[pair.case_id],
            newer=sides[pair.other_id],
        )
        for pair in shown
    ]


def sides_of(cases: Sequence[Case], at: dt.datetime) -> dict[int, SideView]:
    """Each of these cases as far as it helps to decide."""
    links = Link.objects.filter(case__in=cases, detached_at__isnull=True).order_by()
    spans = {
        row["case_id"]: row
        for row in links.values("case_id").annotate(
            first=Min("report__first_seen_at"), last=Max("report__last_seen_at")
        )
    }
    networks: dict[int, set[str]] = defaultdict(set)
    for case_pk, key in CaseOrigin.objects.filter(case__in=cases).values_list("case_id", "origin"):
        if network := network_of(key.rsplit("/", 1)[-1]):
            networks[case_pk].add(network)
    return {
        case.pk: SideView(
            case_id=case.case_id,
            title=case.title,
            status_words=status_words(current_pack(), case.status),
            severity=case.severity,
            unit_name=case.investigating_unit.name,
            owner_name=case.owner_name,
            report_count=case.report_count,
            member_count=case.member_count,
            networks=tuple(sorted(networks[case.pk])),
            first_seen_at=spans[case.pk]["first"] if case.pk in spans else case.opened_at,
            last_seen_at=spans[case.pk]["last"] if case.pk in spans else case.opened_at,
            evidence_days_left=evidence_left(case, at),
        )
        for case in cases
    }


def pair_of(actor: Actor, suggestion_id: int) -> Suggestion:
    """A pair that waits for the actor's word. Raises NotFound."""
    pair = Suggestion.objects.select_related("case", "other").filter(pk=suggestion_id, state__in=OPEN).first()
    if pair is None or pair.pk not in {one.pk for one in waiting(actor, pair.case)}:
        raise NotFound()
    return pair


def decide(actor: Actor, suggestion_id: int, said: str, at: dt.datetime | None = None) -> Suggestion:
    """Say yes (join them), no or unsure. Raises NotFound, BadInput, Conflict, NotAllowed.

    Joined, the case with an owner takes the other in, or the older one where neither or both have one.
    """
    require(actor, "suggestion.decide")
    at = at or now()
    pair = pair_of(actor, suggestion_id)
    if said not in (Suggestion.State.YES, Suggestion.State.NO, Suggestion.State.UNSURE):
        raise BadInput("say yes, no or not sure")
    into, other = pair.case, pair.other
    if other.owner_name and not into.owner_name:
        into, other = other, into
    by = Responder.of(actor, into)
    with act() as recorded:
        if said == Suggestion.State.YES:
            merge_cases(into, other, by, pair.reason, at)
        else:
            lock_both(into)
            content = {"other": other.case_id, "said": said, "reason": pair.reason}
            record(recorded, "cases:suggestion:decided", into, by, content)
        note(pair, said, by.name, actor, at)
    return pair


def take_back(actor: Actor, suggestion_id: int, at: dt.datetime | None = None) -> Suggestion:
    """Take the word back: two cases that were joined by it are parted again. Raises NotFound, Conflict."""
    require(actor, "suggestion.decide")
    at = at or now()
    pair = Suggestion.objects.filter(pk=suggestion_id, person=actor.person).first() if actor.person else None
    if pair is None or pair.state == Suggestion.State.OPEN:
        raise NotFound()
    seen = (
        reach.visible_to(actor)
        .filter(pk__in=(pair.case_id, pair.other_id))
        .select_related("investigating_unit")
    )
    case = seen.filter(closed_at__isnull=True).first()
    if case is None:
        raise NotFound()
    by = Responder.of(actor, case)
    with act() as recorded:
        if pair.state == Suggestion.State.YES:
            both = (pair.case_id, pair.other_id)
            made = Move.objects.filter(
                kind=Move.Kind.MERGE, source__in=both, target__in=both, undone_at__isnull=True
            ).last()
            if made is not None:
                undo_move(made, by, "they were joined by mistake", at)
        else:
            content = {"said": Suggestion.State.OPEN, "was": pair.state}
            record(recorded, "cases:suggestion:decided", case, by, content)
        note(pair, Suggestion.State.OPEN, "", None, None)
    return pair


def note(pair: Suggestion, state: str, name: str, actor: Actor | None, at: dt.datetime | None) -> None:
    """Keep what was said, by whom."""
    pair.state, pair.person_name, pair.decided_at = state, name, at
    pair.person = actor.person if actor else None
    pair.save()
