"""Indicators: what members say of an address or a name, who stands behind it, and what left the exchange."""

from django.db import models

from tocsin.access.models import Member, Person
from tocsin.intake.models import Report


class Indicator(models.Model):
    """An address or a name that reports point at, shared once two sources or a trusted person say so."""

    class Kind(models.TextChoices):
        ADDRESS = "address", "Address"
        NAME = "name", "Name"

    class State(models.TextChoices):
        HELD = "held", "Held: not shared"
        SHARED = "shared", "Shared"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "Expired"

    indicator_id = models.CharField(max_length=32, unique=True)
    stix_id = models.UUIDField(
        unique=True, help_text="UUIDv5 of the canonical pattern in the exchange's namespace"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    value = models.CharField(
        max_length=255, help_text="compressed address, or name in lower case without final dot"
    )
    attack_kind = models.CharField(max_length=80, help_text="RSIT class/type of the latest assertion")
    state = models.CharField(max_length=10, choices=State.choices, default=State.HELD)
    reason = models.TextField(help_text="why it is in this state, in one sentence that names no source")
    asserted_at = models.DateTimeField(help_text="first assertion")
    changed_at = models.DateTimeField()
    valid_until = models.DateTimeField(
        null=True, blank=True, help_text="expiry, set when shared, renewed by assertions"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "value"], name="sharing_indicator_once")]
        indexes = [models.Index(fields=["state", "kind", "valid_until"])]


class Assertion(models.Model):
    """A member's report as one word for an indicator; whose it is stays hidden from competitors."""

    indicator = models.ForeignKey(Indicator, on_delete=models.CASCADE, related_name="assertions")
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="assertions")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="assertions")
    asserted_at = models.DateTimeField(help_text="when it was last told")
    entry_seq = models.BigIntegerField(default=0, help_text="journal position of the version told last")
    unforgeable = models.BooleanField(default=True, help_text="the evidence needed an answer from the origin")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["indicator", "report"], name="sharing_assertion_once")]


class Approval(models.Model):
    """A trusted person's yes or no to sharing an indicator, with the reason."""

    indicator = models.ForeignKey(Indicator, on_delete=models.CASCADE, related_name="approvals")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    is_yes = models.BooleanField()
    reason = models.TextField()
    at = models.DateTimeField()


class Outgoing(models.Model):
    """One entry of the outward feed, numbered by itself: its cursor tells nobody how much others report."""

    number = models.BigIntegerField(primary_key=True, help_text="counts from 1, without gaps")
    date_added = models.DateTimeField(unique=True, help_text="strictly increasing, microseconds")
    indicator = models.ForeignKey(
        Indicator, null=True, on_delete=models.CASCADE, related_name="outgoing", help_text="empty: a marking"
    )
    stix_id = models.UUIDField()
    modified = models.DateTimeField(help_text="the STIX version")
    is_latest = models.BooleanField(default=True)
    revoked = models.BooleanField(default=False)
    body = models.BinaryField(help_text="the STIX 2.1 object as it is served, byte for byte")

    class Meta:
        indexes = [models.Index(fields=["stix_id", "modified"])]


class ListHead(models.Model):
    """What number the list of one kind has: the feed's number of its latest change."""

    kind = models.CharField(primary_key=True, max_length=8, choices=Indicator.Kind.choices)
    number = models.BigIntegerField()
    changed_at = models.DateTimeField()
