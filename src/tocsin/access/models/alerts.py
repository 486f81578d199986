"""What one person must hear of."""

from django.db import models

from tocsin.access.models.people import Person


class Alert(models.Model):
    """One thing told to one person; no content of any case is in it."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="alerts")
    words = models.CharField(max_length=300)
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["person"], condition=models.Q(seen_at__isnull=True), name="access_alert_unseen"
            ),
            models.Index(fields=["person", "-at"]),
        ]
