"""Which communities somebody reads."""

from tocsin.access.models import Community
from tocsin.access.policy import Actor


def communities_of(actor: Actor) -> list[Community]:
    """The open communities of the actor's members, by name."""
    members = [member.pk for member in actor.members]
    if not members:
        return []
    found = Community.objects.filter(closed_at=None, memberships__member__in=members, memberships__until=None)
    return list(found.distinct().order_by("name", "pk"))
