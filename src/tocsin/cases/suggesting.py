"""Suggestions: cases that may be one, from hints that they share. Nothing acts on them but a person."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tocsin.cases.hints import MOST_SHARED
from tocsin.cases.keys import Key
from tocsin.cases.models import Case, Hint, Suggestion
from tocsin.store import bulk

if TYPE_CHECKING:
    from tocsin.cases.opening import Desk


SHARING = "SELECT text, case_id FROM cases_hint WHERE text = ANY(%s)"


def suggest(desk: "Desk", told: Sequence[tuple[Case, list[Key]]]) -> None:
    """Keep the hints of reports that have found their cases, and suggest the open cases that share one."""
    given = {hint.text: hint for _, hints in told for hint in hints}
    wanted = dict.fromkeys((hint.text, case.pk) for case, hints in told for hint in hints)
    if not wanted:
        return
    sharing: dict[str, list[int]] = defaultdict(list)
    for text, case_pk in bulk.select(SHARING, list(given)):
        sharing[text].append(case_pk)
    new = []
    for text, case_pk in wanted:
        # One more than may share it says that it is a hub; further ones would say no more.
        if len(sharing[text]) <= MOST_SHARED and case_pk not in sharing[text]:
            sharing[text].append(case_pk)
            new.append((text, case_pk))
    bulk.insert(Hint, ("text", "case_id"), new)
    best: dict[tuple[int, int], Key] = {}
    for text in {text for text, _ in new}:
        if 2 <= len(sharing[text]) <= MOST_SHARED:
            for pair in itertools.combinations(sorted(sharing[text]), 2):
                best[pair] = max(best.get(pair, given[text]), given[text], key=lambda key: key.strength)
    store(desk, best)


def store(desk: "Desk", best: dict[tuple[int, int], Key]) -> None:
    """Suggestions between cases that are open; the first reason stays, a stronger one replaces it."""
    if not best:
        return
    pks = {pk for pair in best for pk in pair}
    is_open = set(Case.objects.filter(pk__in=pks, closed_at__isnull=True).values_list("pk", flat=True))
    rows = Suggestion.objects.filter(case__in=pks, other__in=pks).values_list(
        "case_id", "other_id", "strength"
    )
    stored = {(case_pk, other_pk): strength for case_pk, other_pk, strength in rows}
    said = Suggestion.objects.filter(case__in=pks, other__in=pks).exclude(state=Suggestion.State.OPEN)
    decided = set(said.values_list("case_id", "other_id"))  # a person's word stands
    Suggestion.objects.bulk_create(
        [
            Suggestion(
                case_id=pair[0], other_id=pair[1], reason=key.reason, strength=key.strength, made_at=desk.at
            )
            for pair, key in best.items()
            if is_open.issuperset(pair) and stored.get(pair, -1) < key.strength and pair not in decided
        ],
        update_conflicts=True,
        unique_fields=["case", "other"],
        update_fields=["reason", "strength", "made_at"],
    )
