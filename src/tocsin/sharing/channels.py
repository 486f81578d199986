"""Which feeds there are, and who reads and writes them."""

import uuid

from django.conf import settings
from django.db.models import F, Q

from tocsin.access.communities import communities_of
from tocsin.access.models import Community, Member
from tocsin.access.policy import Actor, may
from tocsin.kernel.hashing import sha256
from tocsin.kernel.problems import NotFound
from tocsin.sharing.models import Channel
from tocsin.sharing.rules import LEVELS

EVERYBODY = "Members and trusted persons stand behind these; withdrawn and expired ones are revoked."
MINE = "What this member wrote to the exchange; nobody else reads it."


def shared_channel(community: Community | None, tlp: str) -> Channel:
    """The feed of an audience, made on first use."""
    whose = f"{community.name}: shared" if community is not None else "Shared"
    found, _ = Channel.objects.get_or_create(
        channel_id=channel_id_of(community, tlp),
        defaults={
            "kind": Channel.Kind.SHARED,
            "community": community,
            "tlp": tlp,
            "alias": alias_of(community, tlp),
            "title": f"{whose} indicators, TLP:{tlp.upper()}",
            "description": EVERYBODY,
        },
    )
    return found


def contributions_of(member: Member) -> Channel:
    """The feed of what one member wrote to us, made on first use."""
    found, _ = Channel.objects.get_or_create(
        kind=Channel.Kind.CONTRIBUTIONS,
        member=member,
        defaults={
            "channel_id": uuid.uuid4(),
            "tlp": Community.Tlp.AMBER,
            "alias": f"from-{member.member_id}".replace("_", "-").lower(),
            "title": "Our own contributions",
            "description": MINE,
        },
    )
    return found


def readable(actor: Actor) -> list[Channel]:
    """The feeds that somebody may read: everybody's by TLP, the own communities', the own contributions."""
    if not may(actor, "channel.read"):
        return []
    shared_channel(None, settings.SHARING_TLP)
    if may(actor, "channel.write"):
        for member in actor.members:
            contributions_of(member)
    own = Q(kind=Channel.Kind.CONTRIBUTIONS, member__in=[member.pk for member in actor.members])
    communities = communities_of(actor).order_by().values("pk")
    shared = Q(kind=Channel.Kind.SHARED) & (Q(community=None) | Q(community__in=communities))
    found = Channel.objects.filter(own | shared).select_related("community", "member")
    return list(found.order_by("kind", F("community__name").asc(nulls_first=True), "pk"))


def channel_of(actor: Actor, name: str) -> Channel:
    """The feed of that id or alias. Raises NotFound for what this actor may not read."""
    for channel in readable(actor):
        if name in (str(channel.channel_id), channel.alias):
            return channel
    raise NotFound()


def writable(actor: Actor, channel: Channel) -> bool:
    """May this actor put objects into the feed? Into its own member's contributions alone."""
    return (
        channel.kind == Channel.Kind.CONTRIBUTIONS
        and may(actor, "channel.write")
        and channel.member_id in {member.pk for member in actor.members}
    )


def channel_id_of(community: Community | None, tlp: str) -> uuid.UUID:
    """A UUIDv4 in form, as TAXII 2.1 section 2 demands: of this audience for ever."""
    seed = f"tocsin shared indicators {settings.ORIGIN}"
    if community is not None or tlp != settings.SHARING_TLP:
        seed += f" {community.community_id if community is not None else 'everybody'} {tlp}"
    return uuid.UUID(bytes=sha256(seed.encode())[:16], version=4)


def alias_of(community: Community | None, tlp: str) -> str:
    """A name for people: `everybody-green`."""
    whose = community.slug if community is not None else "everybody"
    return f"{whose}-{tlp.replace('+', '-')}"


def levels_of(community: Community | None) -> tuple[str, ...]:
    """The TLP labels of an audience's feeds, from the least strict to its ceiling."""
    ceiling = community.tlp_ceiling if community is not None else "amber"
    return LEVELS[: LEVELS.index(ceiling) + 1]
