"""What providers hold: log sources, periods, expiry, clock error. Never personal data."""

from django.db import models

from tocsin.access.models import Member


class Holding(models.Model):
    """One log of one member over one period."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="holdings")
    source_id = models.CharField(max_length=120)
    log_type = models.CharField(max_length=40)
    period_from = models.DateTimeField()
    period_to = models.DateTimeField()
    delete_at = models.DateTimeField(null=True, blank=True, help_text="when the log will be destroyed")
    clock_error_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="bound on the clock's error"
    )
    clock_source = models.CharField(max_length=24, default="unknown")
    time_zone = models.CharField(max_length=40, default="UTC")
    fields_present = models.JSONField(default=list)
    confirmed = models.BooleanField(default=False, help_text="a person at the provider confirmed it")
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "source_id", "log_type"], name="inventory_holding_once")
        ]
        indexes = [models.Index(fields=["delete_at"])]
