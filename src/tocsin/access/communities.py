"""Which communities somebody belongs to, and so reads."""

from django.db.models import QuerySet

from tocsin.access.models import Community, Membership
from tocsin.access.policy import Actor
from tocsin.kernel.problems import NotFound


def communities_of(actor: Actor) -> QuerySet[Community]:
    """The open communities of the actor's members, by name."""
    members = [member.pk for member in actor.members]
    mine = Membership.objects.filter(member__in=members, until=None)
    return Community.objects.filter(closed_at=None, pk__in=mine.values("community")).order_by("name", "pk")


def community_of(actor: Actor, community_id: str) -> Community:
    """One of them. Raises NotFound."""
    found = communities_of(actor).filter(community_id=community_id).first()
    if found is None:
        raise NotFound()
    return found
