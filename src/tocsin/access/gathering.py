"""Communities: made in a minute, joined by members, left at any time, closed by who made them.

What is said to a community reaches its members alone. A reporter makes one for the own member and lets other
members in; whoever looks after it closes it.
"""

import datetime as dt
import re
from dataclasses import dataclass

from tocsin.access.communities import communities_of, community_of
from tocsin.access.models import Community, Member, Membership
from tocsin.access.policy import Actor, require
from tocsin.journal.acts import act
from tocsin.kernel.ids import new_id
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed, NotFound
from tocsin.kernel.time import now

MADE, JOINED, LEFT, CLOSED = (f"access:community:{verb}" for verb in ("made", "joined", "left", "closed"))
LONGEST_NAME, LONGEST_PURPOSE = 120, 1_000
_dashes = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class CommunityView:
    """A community as its members see it: who belongs to it since when, and whether the actor manages it."""

    community_id: str
    slug: str
    name: str
    purpose: str
    tlp_ceiling: str
    sources_needed: int
    made_at: dt.datetime
    members: tuple[tuple[str, str, dt.datetime, bool], ...]
    may_manage: bool


def communities(actor: Actor) -> list[CommunityView]:
    """The actor's open communities, by name. Raises NotSignedIn, NotAllowed."""
    require(actor, "community.read")
    return [view_of(actor, one) for one in communities_of(actor)]


def community(actor: Actor, community_id: str) -> CommunityView:
    """One of the actor's. Raises NotSignedIn, NotAllowed, NotFound."""
    require(actor, "community.read")
    return view_of(actor, community_of(actor, community_id))


def make(
    actor: Actor,
    name: str,
    purpose: str = "",
    tlp_ceiling: str = Community.Tlp.AMBER,
    sources_needed: int = 2,
    at: dt.datetime | None = None,
) -> Community:
    """A new community, of the actor's member at first. Raises NotSignedIn, NotAllowed, BadInput, Conflict."""
    require(actor, "community.manage")
    member, at = _member(actor), at or now()
    name, purpose = " ".join(name.split()), purpose.strip()
    slug = _dashes.sub("-", name.lower()).strip("-")[:40].strip("-")
    if not slug or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput(f"a name of 1 to {LONGEST_NAME} characters is needed, with letters or digits")
    if len(purpose) > LONGEST_PURPOSE:
        raise BadInput(f"a purpose has {LONGEST_PURPOSE:,} characters at most")
    if tlp_ceiling not in Community.Tlp.values:
        raise BadInput(f"the strictest label is one of {', '.join(Community.Tlp.values)}")
    if not 2 <= sources_needed <= 9:
        raise BadInput("2 to 9 independent members are needed")
    with act() as recorded:
        if slug == "everybody" or Community.objects.filter(slug=slug).exists():
            raise Conflict("there is a community of that name already", hint="choose another name")
        made = Community.objects.create(
            community_id=new_id("community"),
            slug=slug,
            name=name,
            purpose=purpose,
            tlp_ceiling=tlp_ceiling,
            sources_needed=sources_needed,
            made_at=at,
            made_by=actor.person,
        )
        Membership.objects.create(community=made, member=member, since=at, may_manage=True)
        content = {"name": name, "member": member.member_id, "ceiling": tlp_ceiling}
        recorded.record(MADE, made.community_id, content)
    return made


def let_in(actor: Actor, community_id: str, member_id: str, at: dt.datetime | None = None) -> None:
    """Another member joins. Raises NotSignedIn, NotAllowed, NotFound, BadInput for a stranger, Conflict."""
    found, at = _managed(actor, community_id), at or now()
    member = Member.objects.filter(member_id=member_id, suspended_at=None).first()
    if member is None:
        raise BadInput("there is no such member")
    with act() as recorded:
        if found.memberships.filter(member=member, until=None).exists():
            raise Conflict(f"{member.name} belongs to it already")
        Membership.objects.create(community=found, member=member, since=at)
        recorded.record(JOINED, found.community_id, {"member": member.member_id})


def let_out(actor: Actor, community_id: str, member_id: str, at: dt.datetime | None = None) -> None:
    """A member leaves: the own one, or any where the actor's manages it. It reads nothing from then on.

    Raises NotSignedIn, NotAllowed, NotFound, and Conflict for the last that manages it.
    """
    require(actor, "community.manage")
    found, at = community_of(actor, community_id), at or now()
    if member_id not in {one.member_id for one in actor.members}:
        found = _managed(actor, community_id)
    with act() as recorded:
        row = found.memberships.filter(member__member_id=member_id, until=None).first()
        if row is None:
            raise NotFound()
        others = found.memberships.filter(until=None, may_manage=True).exclude(pk=row.pk)
        if row.may_manage and not others.exists():
            raise Conflict("nobody would look after it", hint="close it instead")
        row.until = at
        row.save(update_fields=["until"])
        recorded.record(LEFT, found.community_id, {"member": member_id})


def close(actor: Actor, community_id: str, at: dt.datetime | None = None) -> None:
    """It ends: its feeds and lists are read by nobody any more. Raises NotSignedIn, NotAllowed, NotFound."""
    found, at = _managed(actor, community_id), at or now()
    with act() as recorded:
        found.closed_at = at
        found.save(update_fields=["closed_at"])
        recorded.record(CLOSED, found.community_id, {"name": found.name})


def others_than(actor: Actor, community_id: str) -> list[tuple[str, str]]:
    """Members who could still be let in: pairs of id and name. Raises NotSignedIn, NotAllowed, NotFound."""
    found = _managed(actor, community_id)
    inside = found.memberships.filter(until=None).values("member")
    rows = Member.objects.filter(suspended_at=None).exclude(pk__in=inside).order_by("name")
    return list(rows.values_list("member_id", "name"))


def view_of(actor: Actor, found: Community) -> CommunityView:
    """What its members see of it."""
    rows = found.memberships.filter(until=None).select_related("member").order_by("member__name")
    mine = {member.pk for member in actor.members}
    return CommunityView(
        community_id=found.community_id,
        slug=found.slug,
        name=found.name,
        purpose=found.purpose,
        tlp_ceiling=found.tlp_ceiling,
        sources_needed=found.sources_needed,
        made_at=found.made_at,
        members=tuple((row.member.member_id, row.member.name, row.since, row.may_manage) for row in rows),
        may_manage=any(row.may_manage and row.member_id in mine for row in rows),
    )


def _managed(actor: Actor, community_id: str) -> Community:
    require(actor, "community.manage")
    found = community_of(actor, community_id)
    mine = [member.pk for member in actor.members]
    if not found.memberships.filter(member__in=mine, until=None, may_manage=True).exists():
        raise NotAllowed("this community is looked after by others")
    return found


def _member(actor: Actor) -> Member:
    if len(actor.members) != 1:
        raise BadInput("a community begins with one member", hint="sign in for one of yours")
    return actor.members[0]
