"""What changed among somebody's cases since a position of the journal: for a copy that stays up to date.

Positions become visible in order (docs/decisions/0002), so whoever goes on behind the last one that it read
misses nothing and may stop anywhere. A case is given as it is now; what left one's sight is told as an event.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tocsin.access.policy import Actor, require
from tocsin.cases import reach
from tocsin.cases.models import Case
from tocsin.journal import queries as journal

WINDOW = 2_000  # entries of the journal that are looked at together, so that memory stays what it is
MERGED, RESTORED = "cases:case:merged", "cases:case:restored"
REDIRECTED, SEALED = "cases:case:redirected", "cases:case:sealed"

Event = Literal["changed", "merged", "passed on", "sealed"]


@dataclass(frozen=True)
class Change:
    """Something that happened to a case, up to this position. `case` is None where it is out of sight now."""

    position: int
    event: Event
    case_id: str
    into: str
    case: Case | None


def changes(actor: Actor, after: int) -> Iterator[Change]:
    """Every case of the actor's that changed behind this position (-1: from the start), as it is now.

    A case that changes often may come more than once: the last one holds. Raises NotSignedIn, NotAllowed.
    """
    require(actor, "case.export")
    end = journal.size()
    for first in range(after + 1, end, WINDOW):
        yield from _window(actor, first, min(first + WINDOW, end) - 1)


def _window(actor: Actor, first: int, last: int) -> Iterator[Change]:
    told = journal.entries(first, last, "cases:")
    contents = journal.contents(
        [entry.seq for entry in told if entry.event in (MERGED, REDIRECTED) or not is_case(entry.subject)]
    )
    newest: dict[str, int] = {}
    gone: dict[str, tuple[Event, str, str]] = {}
    for entry in told:
        content = contents.get(entry.seq, {})
        case_id = entry.subject if is_case(entry.subject) else str(content.get("case_id", ""))
        if not is_case(case_id):
            continue
        newest[case_id] = entry.seq
        if entry.event == MERGED:
            gone[case_id] = ("merged", str(content.get("into", "")), "")
        elif entry.event == RESTORED:
            gone.pop(case_id, None)
        elif entry.event == REDIRECTED:
            gone[case_id] = ("passed on", "", str(content.get("from", "")))
        elif entry.event == SEALED:
            gone[case_id] = ("sealed", "", "")
    seen = reach.visible_to(actor).select_related("investigating_unit", "support_unit")
    cases = {case.case_id: case for case in seen.filter(case_id__in=newest)}
    known = set(reach.known_to(actor).filter(case_id__in=gone).values_list("case_id", flat=True))
    names = {unit.name for unit in actor.units}
    for case_id, seq in sorted(newest.items(), key=lambda pair: pair[1]):
        event, into, before = gone.get(case_id, ("changed", "", ""))
        if case_id in cases:
            shown: Event = "merged" if event == "merged" else "changed"
            yield Change(seq, shown, case_id, into if shown == "merged" else "", cases[case_id])
        elif (event == "passed on" and before in names) or (event == "sealed" and case_id in known):
            yield Change(seq, event, case_id, "", None)


def is_case(subject: str) -> bool:
    """Does the entry's subject name a case?"""
    return subject.startswith("case_")
