"""What became of each writing request, kept for those who ask later."""

from django.db import models

from tocsin.access.models import Member
from tocsin.sharing.models.channels import Channel


class Status(models.Model):
    """One request that wrote objects (TAXII 2.1 section 4.3), and where in the channel they are."""

    status_id = models.UUIDField(unique=True)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    requested_at = models.DateTimeField()
    first_number = models.BigIntegerField(default=0, help_text="0: nothing new was written")
    last_number = models.BigIntegerField(default=0)
    body = models.BinaryField(help_text="the status resource as it is served")

    class Meta:
        verbose_name_plural = "statuses"
        indexes = [models.Index(fields=["requested_at"], name="sharing_status_at")]
