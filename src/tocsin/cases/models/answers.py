"""What persons decided, how cases ended, and the links by which officers without account answer."""

from django.db import models

from tocsin.access.models import Person, Unit
from tocsin.cases.models.case import Case


class Decision(models.Model):
    """A recorded decision on a case, with its reason: a person's counts as followed up, a machine's never."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="decisions")
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=160)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=8)
    reason = models.TextField()
    at = models.DateTimeField()
    is_automatic = models.BooleanField(default=False, help_text="a unit's machine decided it by itself")


class Outcome(models.Model):
    """How a case ended, by code and in plain words, with what would have helped."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="outcomes")
    outcome_code = models.CharField(max_length=4)
    words = models.TextField(help_text="what the reporters read")
    would_have_helped = models.JSONField(default=list, help_text="codes of the pack's help list")
    receiving_body = models.CharField(max_length=200, blank=True)
    status_before = models.CharField(max_length=8, help_text="where a withdrawal takes the case back to")
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=160)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()
    is_automatic = models.BooleanField(default=False, help_text="a unit's machine gave it by itself")
    withdrawn_at = models.DateTimeField(null=True, blank=True)


class OneTimeLink(models.Model):
    """Lets an officer of a unit that has not joined accept and answer one case without an account."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="one_time_links")
    digest = models.BinaryField(max_length=32, unique=True, help_text="SHA-256 of the token in the link")
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    officer_name = models.CharField(max_length=160, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    with_packet = models.BooleanField(default=False, help_text="typeset into a packet as it was made")
    revoked_at = models.DateTimeField(null=True, blank=True)
