"""Pairs of one cause: five cases from one network are ten pairs, and one question to whoever reviews them."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tocsin.access.policy import Actor, require
from tocsin.cases import reviewing
from tocsin.cases.merging import merge_cases
from tocsin.cases.models import Case, Suggestion
from tocsin.cases.responders import Responder
from tocsin.cases.reviewing import PairView, SideView
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput, NotFound
from tocsin.kernel.time import now

Hook = tuple[str, str, int]  # why, in which state, and a case


@dataclass(frozen=True)
class CauseView:
    """Cases that may all be one for the same reason, the oldest first; `pairs` are what was suggested."""

    reason: str
    strength: int
    state: str
    decided_by: str
    cases: tuple[SideView, ...]
    pairs: tuple[PairView, ...]


def by_cause(pairs: Iterable[Suggestion]) -> list[list[Suggestion]]:
    """The pairs, those together that say the same of cases that hang together; in the order of the first."""
    towards: dict[Hook, Hook] = {}

    def end(hook: Hook) -> Hook:
        while (further := towards.setdefault(hook, hook)) != hook:
            towards[hook] = towards.setdefault(further, further)
            hook = further
        return hook

    ordered = list(pairs)
    hooks = [(pair.reason, pair.state, pair.case_id) for pair in ordered]
    for pair, hook in zip(ordered, hooks, strict=True):
        towards[end((pair.reason, pair.state, pair.other_id))] = end(hook)
    found: dict[Hook, list[Suggestion]] = {}
    for pair, hook in zip(ordered, hooks, strict=True):
        found.setdefault(end(hook), []).append(pair)
    return list(found.values())


def review(groups: Sequence[Sequence[Suggestion]], at: dt.datetime | None = None) -> list[CauseView]:
    """The first of these causes (`by_cause`), with every case side by side."""
    at, groups = at or now(), groups[: reviewing.SHOWN]
    views = {view.suggestion_id: view for view in reviewing.review([p for g in groups for p in g], at, None)}
    return [_view([views[pair.pk] for pair in group]) for group in groups]


def decide(
    actor: Actor, suggestion_ids: Sequence[int], said: str, at: dt.datetime | None = None
) -> list[Suggestion]:
    """Say yes, no or unsure to all pairs of one cause at once, or to none of them.

    By a yes every case joins the one that has an owner, or the oldest. Raises NotFound, BadInput where they
    are of more than one cause, Conflict, NotAllowed.
    """
    require(actor, "suggestion.decide")
    at = at or now()
    pairs = [reviewing.pair_of(actor, pk) for pk in dict.fromkeys(suggestion_ids)]
    if len(by_cause(pairs)) != 1:
        raise BadInput("choose pairs of one cause")
    with act():
        if said != Suggestion.State.YES or len(pairs) == 1:
            return [reviewing.decide(actor, pair.pk, said, at) for pair in pairs]
        cases = {case.pk: case for pair in pairs for case in (pair.case, pair.other)}
        into, *others = sorted(cases.values(), key=lambda case: (not case.owner_name, case.pk))
        by = Responder.of(actor, into)
        for other in others:
            merge_cases(into, other, by, pairs[0].reason, at)
        for pair in pairs:
            reviewing.note(pair, said, by.name, actor, at)
    return pairs


def take_back(actor: Actor, suggestion_ids: Sequence[int], at: dt.datetime | None = None) -> list[Suggestion]:
    """Take one's word about all of them back; what it joined is parted. Raises NotFound, Conflict."""
    left, done = list(dict.fromkeys(suggestion_ids)), list[Suggestion]()
    with act():
        while left:
            # Two cases that both joined a third are open again once they have left it.
            later = [pk for pk in left if not _is_open(pk)]
            ready = [pk for pk in left if pk not in later]
            if not ready:
                raise NotFound()
            done += [reviewing.take_back(actor, pk, at) for pk in ready]
            left = later
    return done


def _is_open(suggestion_id: int) -> bool:
    pair = Suggestion.objects.filter(pk=suggestion_id).first()
    both = (pair.case_id, pair.other_id) if pair is not None else ()
    return Case.objects.filter(pk__in=both, closed_at__isnull=True).exists()


def _view(pairs: list[PairView]) -> CauseView:
    cases = {side.case_id: side for pair in pairs for side in (pair.older, pair.newer)}
    first = pairs[0]
    return CauseView(
        reason=first.reason,
        strength=first.strength,
        state=first.state,
        decided_by=first.decided_by,
        cases=tuple(sorted(cases.values(), key=lambda side: side.first_seen_at)),
        pairs=tuple(pairs),
    )
