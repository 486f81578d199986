"""Reports as they came in, their content and their receipts."""

from django.db import models

from tocsin.access.models import Member
from tocsin.inventory.models import Holding


class Report(models.Model):
    """What a member told the exchange about one attack: the highest version, one per member and attack."""

    class Lane(models.TextChoices):
        ORDINARY = "ordinary", "Ordinary"
        RESTRICTED = "restricted", "Restricted: hotline and police only"

    report_id = models.CharField(max_length=32)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="reports", db_index=False)
    attack_id = models.CharField(max_length=40)
    kind = models.CharField(max_length=80)
    origin = models.CharField(max_length=255, help_text="the first origin: address, name or token")
    target = models.CharField(max_length=255, help_text="the first target")
    service = models.CharField(max_length=40)
    severity = models.CharField(max_length=8)
    lane = models.CharField(max_length=10, choices=Lane.choices, default=Lane.ORDINARY)
    count = models.BigIntegerField()
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    received_at = models.DateTimeField(help_text="the first version's journal instant")
    updated_at = models.DateTimeField(help_text="last change of content or status; cursor of updated_since")
    version = models.PositiveIntegerField(default=1)
    status = models.CharField(
        max_length=8, default="X-ACK", help_text="exchange status, pushed down by cases"
    )
    content = models.BinaryField(help_text="canonical JSON of wire.report.Report")
    salt = models.BinaryField(max_length=32)
    entry_seq = models.BigIntegerField(help_text="journal position of this version")

    class Meta:
        # As constraints, because `unique=True` would add a second index for LIKE on PostgreSQL, and the
        # member's own index would repeat the first column of two others: each costs bulk intake a tenth.
        # Nobody asks for reports by origin: search has terms of its own, and linking the origins of cases.
        constraints = [
            models.UniqueConstraint(fields=["report_id"], name="intake_report_id_once"),
            models.UniqueConstraint(fields=["member", "attack_id"], name="intake_report_once"),
        ]
        indexes = [
            models.Index(fields=["member", "updated_at", "id"]),
        ]


class EarlierVersion(models.Model):
    """A version that a higher one replaced; kept so that its receipt can still be explained."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="earlier")
    version = models.PositiveIntegerField()
    content = models.BinaryField()
    salt = models.BinaryField(max_length=32)
    entry_seq = models.BigIntegerField()


class ReportHolding(models.Model):
    """Which holdings stand behind which report.

    Written together with the report, a row a report: the engine need not look up both ends of each again.
    """

    report = models.ForeignKey(
        Report, on_delete=models.CASCADE, related_name="held", db_index=False, db_constraint=False
    )
    holding = models.ForeignKey(
        Holding, on_delete=models.CASCADE, related_name="reports", db_constraint=False
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "holding"], name="intake_held_once")]
