"""Communities: the circles that a key's member is in, making one, and who belongs to it."""

import datetime as dt

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router

from tocsin.access import gathering
from tocsin.access.gathering import CommunityView
from tocsin.access.models import Community as Row
from tocsin.doors.api.bodies import decoded
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.once import once
from tocsin.doors.api.reports import answer
from tocsin.doors.api.values import described
from tocsin.kernel.problems import Problem

router = Router(tags=["communities"])


class Community(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new circle: `tlp_ceiling` is the strictest label that its words may bear."""

    name: str
    purpose: str = ""
    tlp_ceiling: str = Row.Tlp.AMBER.value
    sources_needed: int = 2


class CommunityMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which member, by its id."""

    member_id: str


class Belonging(msgspec.Struct, frozen=True):
    """A member of a circle: since when, and whether it looks after it."""

    member_id: str
    name: str
    since: dt.datetime
    may_manage: bool


class CommunityWhole(msgspec.Struct, frozen=True):
    """A circle as its members see it; `may_manage` where the key's member looks after it."""

    community_id: str
    slug: str
    name: str
    purpose: str
    tlp_ceiling: str
    sources_needed: int
    made_at: dt.datetime
    members: list[Belonging]
    may_manage: bool


class CommunityList(msgspec.Struct, frozen=True):
    """The circles that the key's member is in, by name."""

    communities: list[CommunityWhole]


SHAPES = (Community, CommunityMember, CommunityList, CommunityWhole)


@router.get("", auth=guard("community.read"), openapi_extra=described(CommunityList))
def list_communities(request: HttpRequest) -> HttpResponse:
    """The circles that the key's member is in; what each shares is read under `/channels` and `/lists`."""
    return _all(request)


@router.post("", auth=guard("community.manage"), openapi_extra=described(CommunityWhole, body=Community))
def make_community(request: HttpRequest) -> HttpResponse:
    """A new circle, of the key's member at first."""
    body = decoded(request, Community)

    def done() -> HttpResponse:
        actor = actor_of(request)
        made = gathering.make(actor, body.name, body.purpose, body.tlp_ceiling, body.sources_needed)
        return answer(_whole(gathering.view_of(actor, made)))

    return once(request, done)


@router.get("/{community_id}", auth=guard("community.read"), openapi_extra=described(CommunityWhole))
def read_community(request: HttpRequest, community_id: str) -> HttpResponse:
    """One of the member's circles and who belongs to it."""
    return answer(_whole(gathering.community(actor_of(request), community_id)))


@router.post(
    "/{community_id}/in",
    auth=guard("community.manage"),
    openapi_extra=described(CommunityWhole, body=CommunityMember),
)
def let_member_in(request: HttpRequest, community_id: str) -> HttpResponse:
    """Another member joins; what is said from now on reaches it, too."""
    member_id = _member(request, community_id)

    def done() -> HttpResponse:
        actor = actor_of(request)
        gathering.let_in(actor, community_id, member_id)
        return answer(_whole(gathering.community(actor, community_id)))

    return once(request, done)


@router.post(
    "/{community_id}/out",
    auth=guard("community.manage"),
    openapi_extra=described(CommunityList, body=CommunityMember),
)
def let_member_out(request: HttpRequest, community_id: str) -> HttpResponse:
    """A member leaves: the own one, or any where the own one looks after the circle."""
    member_id = _member(request, community_id)

    def done() -> HttpResponse:
        gathering.let_out(actor_of(request), community_id, member_id)
        return _all(request)

    return once(request, done)


@router.post("/{community_id}/close", auth=guard("community.manage"), openapi_extra=described(CommunityList))
def close_community(request: HttpRequest, community_id: str) -> HttpResponse:
    """It ends: its feeds and lists are read by nobody any more."""

    def done() -> HttpResponse:
        gathering.close(actor_of(request), community_id)
        return _all(request)

    return once(request, done)


def _member(request: HttpRequest, community_id: str) -> str:
    """The member's id in the body. To somebody outside the circle a fault in it is no circle: NotFound."""
    try:
        return decoded(request, CommunityMember).member_id
    except Problem:
        gathering.community(actor_of(request), community_id)
        raise


def _all(request: HttpRequest) -> HttpResponse:
    return answer(CommunityList([_whole(one) for one in gathering.communities(actor_of(request))]))


def _whole(view: CommunityView) -> CommunityWhole:
    members = [Belonging(*row) for row in view.members]
    return CommunityWhole(**{**vars(view), "members": members})
