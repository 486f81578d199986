"""Reading the inventory, always through `visible_to(actor)`."""

import datetime as dt

from django.db.models import QuerySet

from tocsin.access.policy import Actor
from tocsin.inventory.models import Holding
from tocsin.inventory.rules import EXPIRING_WITHIN


def visible_to(actor: Actor) -> QuerySet[Holding]:
    """A member's own holdings. Units see those behind their cases, through the cases."""
    return Holding.objects.filter(member__in=[member.pk for member in actor.members])


def expiring(actor: Actor, at: dt.datetime) -> QuerySet[Holding]:
    """The actor's holdings that will be destroyed within three days, the first to go first."""
    return (
        visible_to(actor).filter(delete_at__gt=at, delete_at__lte=at + EXPIRING_WITHIN).order_by("delete_at")
    )
