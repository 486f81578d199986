"""What a key was answered, so that the same request sent again does nothing twice."""

from django.db import models

from tocsin.access.models.people import ApiKey
from tocsin.kernel.time import now


class Answered(models.Model):
    """The answer to a request with an `Idempotency-Key`, kept for a day beside the hash of what was asked."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=64, help_text="the Idempotency-Key that the request named")
    digest = models.BinaryField(max_length=32, help_text="SHA-256 of method, address, person and body")
    status = models.PositiveSmallIntegerField(default=0)
    etag = models.CharField(max_length=80, blank=True)
    body = models.BinaryField(default=b"")
    at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "name"], name="access_answered_once")]
