"""Reading reports, always through `visible_to(actor)`."""

from django.db.models import QuerySet

from tocsin.access.policy import Actor
from tocsin.intake.models import Report


def visible_to(actor: Actor) -> QuerySet[Report]:
    """The reports of the members that somebody acts for; nobody sees none."""
    return Report.objects.filter(member__in=[member.pk for member in actor.members])
