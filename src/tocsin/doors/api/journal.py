"""The journal's heads and proofs: public, and without contents."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from tocsin.doors.api.guards import guard
from tocsin.doors.api.reports import answer
from tocsin.doors.api.values import ConsistencyProof, InclusionProof, described
from tocsin.journal import queries
from tocsin.wire import report as wire

router = Router(tags=["journal"])

Position = Annotated[int, Field(ge=0, lt=2**62)]


@router.get("/head", auth=guard("journal.read"), openapi_extra=described(wire.TreeHead))
def read_head(request: HttpRequest, tree_size: Position | None = None) -> HttpResponse:
    """The newest signed tree head, or the one of exactly `tree_size`."""
    return answer(queries.latest_head() if tree_size is None else queries.head_at(tree_size))


@router.get("/inclusion", auth=guard("journal.read"), openapi_extra=described(InclusionProof))
def prove_inclusion(request: HttpRequest, seq: Position, tree_size: Position) -> HttpResponse:
    """That an entry stands in the tree of `tree_size` entries: its leaf hash and audit path."""
    path = queries.inclusion(seq, tree_size)
    return answer(InclusionProof(seq, tree_size, queries.leaf(seq), path))


@router.get("/consistency", auth=guard("journal.read"), openapi_extra=described(ConsistencyProof))
def prove_consistency(request: HttpRequest, old: Position, new: Position) -> HttpResponse:
    """That nothing was changed between two sizes of the tree: only added."""
    return answer(ConsistencyProof(old, new, queries.consistency(old, new)))
