"""What hides a source and what opens it: the keys of epochs, and requests to be told whose a word was."""

from django.db import models
from django.db.models import Q

from tocsin.access.models import Community, Member, Person
from tocsin.sharing.models.indicators import Indicator


class Epoch(models.Model):
    """The key of the pseudonyms of some days. Once it is destroyed, nobody can open them any more."""

    starts_on = models.DateField(unique=True)
    key = models.TextField(
        blank=True, help_text="32 bytes, sealed under the exchange's own; empty: destroyed"
    )
    destroyed_at = models.DateTimeField(null=True, blank=True)


class Opening(models.Model):
    """One request to be told who stands behind one pseudonym: a person asks, another decides, both look once.

    The member is kept from the approval on, to be told of it. Its name is in no other column.
    """

    class Outcome(models.TextChoices):
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Taken back by whoever asked"
        LAPSED = "lapsed", "Nobody decided in time"

    opening_id = models.CharField(max_length=32, unique=True)
    indicator = models.ForeignKey(Indicator, on_delete=models.CASCADE, related_name="+")
    community = models.ForeignKey(
        Community, null=True, on_delete=models.CASCADE, related_name="+", help_text="empty: said to everybody"
    )
    epoch = models.ForeignKey(Epoch, on_delete=models.PROTECT, related_name="+")
    pseudonym = models.CharField(max_length=16)
    reason = models.TextField(help_text="why; the member reads it, too")
    is_harmful = models.BooleanField(
        default=False, help_text="telling the member soon would harm an operation"
    )
    asked_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_as = models.CharField(max_length=80, help_text="the roles that whoever asked then had")
    asked_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="when an undecided request, or an unread name, is over")
    decided_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=9, choices=Outcome.choices, blank=True)
    answer = models.TextField(blank=True, help_text="why whoever decided did")
    member = models.ForeignKey(Member, null=True, on_delete=models.CASCADE, related_name="+")
    asker_looked_at = models.DateTimeField(null=True, blank=True)
    decider_looked_at = models.DateTimeField(null=True, blank=True)
    tell_at = models.DateTimeField(null=True, blank=True, help_text="when the member is told")
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["ends_at"], condition=Q(outcome=""), name="sharing_opening_open"),
            models.Index(
                fields=["tell_at"],
                condition=Q(tell_at__isnull=False, told_at__isnull=True),
                name="sharing_opening_untold",
            ),
        ]
