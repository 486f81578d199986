"""Indicators: what members say of an address or a name, who stands behind it, and where it stands."""

from django.db import models
from django.db.models import Q

from tocsin.access.models import Community, Member, Person
from tocsin.intake.models import Report


class Indicator(models.Model):
    """An address or a name that members point at; its state is the one for everybody."""

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
    attack_kind = models.CharField(
        max_length=80,
        help_text="RSIT class/type for which it was shared last; before that, of the latest report",
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.HELD)
    reason = models.TextField(help_text="why it is in this state, in one sentence that names no source")
    asserted_at = models.DateTimeField(help_text="first assertion")
    changed_at = models.DateTimeField()
    valid_until = models.DateTimeField(
        null=True, blank=True, help_text="expiry, set when shared, renewed by assertions"
    )
    tlp = models.CharField(
        max_length=12, blank=True, help_text="the least strict TLP at which it is, or was, shared"
    )
    basis = models.CharField(
        max_length=12, blank=True, help_text="the reason in one word, see sharing.rules.BASES"
    )
    confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="when independent voices first agreed on it"
    )
    lookup = models.CharField(
        max_length=16, blank=True, db_index=True, help_text="first 64 bits of the value's SHA-256, in hex"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "value"], name="sharing_indicator_once")]
        indexes = [
            models.Index(fields=["state", "kind", "valid_until"]),
            models.Index(
                "state", models.F("changed_at").desc(), models.F("id").desc(), name="sharing_newest"
            ),
        ]


class Standing(models.Model):
    """Where an indicator stands in one community, by what is said to everybody and to that community."""

    indicator = models.ForeignKey(Indicator, on_delete=models.CASCADE, related_name="standings")
    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="standings")
    state = models.CharField(max_length=10, choices=Indicator.State.choices, default=Indicator.State.HELD)
    reason = models.TextField()
    changed_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    tlp = models.CharField(max_length=12, blank=True)
    basis = models.CharField(max_length=12, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    attack_kind = models.CharField(
        max_length=80, blank=True, help_text="RSIT class/type for which it was shared last in the community"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["indicator", "community"], name="sharing_standing_once")
        ]
        indexes = [models.Index(fields=["community", "state", "valid_until"], name="sharing_standing_state")]


class Assertion(models.Model):
    """A member's word for an indicator, by a report or otherwise; whose it is stays hidden from competitors.

    `reference` is the sender's own name for what it said (a STIX id, say), and empty for a report's.
    """

    indicator = models.ForeignKey(Indicator, on_delete=models.CASCADE, related_name="assertions")
    report = models.ForeignKey(Report, null=True, on_delete=models.CASCADE, related_name="assertions")
    reference = models.CharField(max_length=200, blank=True)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="assertions")
    asserted_at = models.DateTimeField(help_text="when it was last told")
    entry_seq = models.BigIntegerField(default=0, help_text="journal position of the version told last")
    unforgeable = models.BooleanField(default=True, help_text="the evidence needed an answer from the origin")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    is_heard = models.BooleanField(default=True, help_text="it counts; a new word that waits does not yet")
    waits_since = models.DateTimeField(
        null=True, help_text="it, or its renewal, waits for a batch of small sources since then"
    )
    leaves_at = models.DateTimeField(null=True, help_text="drawn by lot when its batch is closed")
    community = models.ForeignKey(
        Community, null=True, on_delete=models.CASCADE, related_name="+", help_text="empty: said to everybody"
    )
    tlp = models.CharField(max_length=12, default="green", help_text="TLP 2.0 label, in lower case")
    pap = models.CharField(max_length=6, default="green", help_text="PAP label, in lower case")
    actions = models.CharField(max_length=60, default="block", help_text="permitted actions, between commas")
    upstream = models.CharField(max_length=60, blank=True, help_text="the feed that the member passes on")
    evidence = models.CharField(
        max_length=64, blank=True, help_text="commitment to the evidence: SHA-256, in hex digits"
    )
    confidence = models.PositiveSmallIntegerField(null=True, help_text="0 to 100, as the sender put it")
    valid_until = models.DateTimeField(null=True, help_text="its end, where the sender set one")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["indicator", "report"], name="sharing_assertion_once"),
            models.UniqueConstraint(
                fields=["member", "reference", "indicator"],
                condition=Q(report__isnull=True),
                name="sharing_said_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["waits_since"],
                condition=Q(waits_since__isnull=False),
                name="sharing_assertion_waits",
            ),
            models.Index(
                fields=["member", "indicator"],
                condition=Q(waits_since__isnull=False),
                name="sharing_waits_of",
            ),
        ]


class Approval(models.Model):
    """A yes or no to sharing an indicator, with the reason: a trusted person's, or the clock's no."""

    indicator = models.ForeignKey(Indicator, on_delete=models.CASCADE, related_name="approvals")
    person = models.ForeignKey(
        Person,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="empty: an appeal was not answered in time",
    )
    is_yes = models.BooleanField()
    reason = models.TextField()
    at = models.DateTimeField()
