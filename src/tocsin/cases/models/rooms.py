"""The room of a case: named outsiders, what they may read, and when they looked."""

from django.db import models

from tocsin.access.models import Person
from tocsin.cases.models.case import Case


class Guest(models.Model):
    """A named outsider who reads chosen parts of one case by a link, until it expires or is revoked."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="guests")
    digest = models.BinaryField(max_length=32, unique=True, help_text="SHA-256 of the token in the link")
    name = models.CharField(max_length=160)
    organisation = models.CharField(max_length=200)
    parts = models.JSONField(default=list, help_text="of cases.rooms.PARTS")
    invited_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)


class Look(models.Model):
    """That a guest looked into the room, once a day."""

    guest = models.ForeignKey(Guest, on_delete=models.CASCADE, related_name="looks", db_index=False)
    day = models.DateField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["guest", "day"], name="cases_look_once_a_day")]
