"""Appeals: whoever is blocked says why that is wrong, and is answered by a clock."""

from django.db import models

from tocsin.access.models import Member, Person
from tocsin.sharing.models.indicators import Indicator


class Appeal(models.Model):
    """One appeal against one indicator. Nobody's name is asked for; its words go a month after the answer."""

    class Outcome(models.TextChoices):
        UPHELD = "upheld", "Upheld: it is off every list"
        REJECTED = "rejected", "Rejected: it stays"
        LAPSED = "lapsed", "Not answered in time: it is off every list"
        MOOT = "moot", "It left the lists by itself"

    appeal_id = models.CharField(max_length=32, unique=True)
    digest = models.BinaryField(max_length=32, unique=True, help_text="SHA-256 of the token in the link")
    indicator = models.ForeignKey(Indicator, on_delete=models.CASCADE, related_name="appeals")
    member = models.ForeignKey(
        Member,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="the member that objects; empty: somebody without an account",
    )
    words = models.TextField(blank=True, help_text="why it is wrong; erased a month after the answer")
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, blank=True)
    reason = models.TextField(blank=True, help_text="the answer, as whoever appealed reads it")
    decided_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["ended_at", "due_at"], name="sharing_appeal_open")]
