"""The life of a case as one table: which act takes it from which status to which, and who may do it.

The table is data of the country pack; from it come the checks, the buttons and the property test.
"""

from tocsin.kernel.problems import Conflict
from tocsin.reference.values import Pack

OPENED, SENT, ACCEPTED, ANSWERED = "X-ACK", "X-DIS", "X-ACC", "X-OUT"
INVESTIGATED, INTELLIGENCE, DIVERTED, DUPLICATE = "X-INV", "X-INT", "X-DIV", "X-DUP"
QUESTION, NO_ACTION = "X-MOR", "X-NFA"


def targets(pack: Pack, act: str, status: str) -> list[str]:
    """The statuses that the act may lead to from here, in the table's order."""
    return [move.to_status for move in pack.transitions if move.act == act and move.from_status == status]


def decisions(pack: Pack) -> list[str]:
    """The statuses that a decision may give, in the order of the statuses."""
    given = {move.to_status for move in pack.transitions if move.act == "assess"}
    return [status for status in pack.statuses if status in given]


def acts(pack: Pack, status: str, by: str) -> frozenset[str]:
    """The acts that this party (`unit`, `coordinator` or `exchange`) may do to a case in this status."""
    return frozenset(
        move.act for move in pack.transitions if move.from_status == status and by in move.by.split(" or ")
    )


def check(pack: Pack, act: str, before: str, after: str, by: str) -> None:
    """Raises Conflict where the table has no such move for this party."""
    for move in pack.transitions:
        if (move.act, move.from_status, move.to_status) == (act, before, after) and by in move.by.split(
            " or "
        ):
            return
    known = pack.statuses.get(before)
    raise Conflict(
        f"a case that is {known.words if known else before} cannot be changed in this way",
        hint="look at the case again; somebody may have been quicker",
    )
