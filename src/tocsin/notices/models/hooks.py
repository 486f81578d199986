"""Webhooks: where a member or a unit is told by its own machine, and every delivery to it."""

from django.db import models

from tocsin.access.models import Member, Person, Unit
from tocsin.kernel.ids import new_id


def new_hook_id() -> str:
    return new_id("hook")


class Endpoint(models.Model):
    """An address that is told; its secret signs what is sent. A dead one keeps what waits."""

    hook_id = models.CharField(max_length=32, unique=True, default=new_hook_id)
    member = models.ForeignKey(
        Member, null=True, blank=True, on_delete=models.CASCADE, related_name="endpoints"
    )
    unit = models.ForeignKey(Unit, null=True, blank=True, on_delete=models.CASCADE, related_name="endpoints")
    url = models.CharField(max_length=500)
    secret = models.CharField(max_length=80, help_text="whsec_ and base64; needed as it is to sign")
    hears_indicators = models.BooleanField(
        default=False, help_text="of a member's: told what its circles share and withdraw, too"
    )
    old_secret = models.CharField(max_length=80, blank=True, help_text="signs too until old_until")
    old_until = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    next_at = models.DateTimeField(help_text="when its first waiting delivery is tried")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="failed ones in a row")
    failing_since = models.DateTimeField(null=True, blank=True)
    dead_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="notices_endpoint_owner",
                condition=models.Q(member__isnull=False, unit__isnull=True)
                | models.Q(member__isnull=True, unit__isnull=False),
            )
        ]


class Delivery(models.Model):
    """One message to one endpoint, in the journal's order; never two for one entry."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waits"
        DELIVERED = "delivered", "Taken"

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries")
    entry_seq = models.BigIntegerField(help_text="journal position; a test has a negative one of its own")
    event = models.CharField(max_length=60)
    body = models.TextField(help_text="JSON, exactly the bytes that are signed")
    made_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP status of the last try")
    error = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "entry_seq"], name="notices_delivery_once")
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "entry_seq"],
                condition=models.Q(state="waiting"),
                name="notices_delivery_waiting",
            )
        ]
