"""What a member has been told, and whether somebody has seen it."""

from django.db import models

from tocsin.access.models import Member
from tocsin.intake.models import Report


class Notice(models.Model):
    """One thing told to one member; a projection of the journal, never two for one entry and report."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="notices")
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="notices")
    entry_seq = models.BigIntegerField()
    event = models.CharField(max_length=60)
    words = models.TextField()
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "entry_seq"], name="notices_once")]
        indexes = [models.Index(fields=["member", "-at"])]
