"""Who has taken what: the last that each key read of each list and channel, and what has left them."""

from django.db import models

from tocsin.access.models import ApiKey, Community, Member
from tocsin.sharing.models.channels import Channel
from tocsin.sharing.models.indicators import Indicator


class Reading(models.Model):
    """How far one key has read one list or channel: the receipt for all that changed up to that number."""

    class Way(models.TextChoices):
        LIST = "list", "List"
        TAXII = "taxii", "TAXII"
        STREAM = "stream", "Stream"
        LINES = "lines", "NDJSON or CSV"
        MISP = "misp", "MISP"

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="readings")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="readings", db_index=False)
    way = models.CharField(max_length=6, choices=Way.choices)
    what = models.CharField(max_length=60, help_text="the list's file name, or the channel's alias")
    community = models.ForeignKey(
        Community,
        null=True,
        on_delete=models.CASCADE,
        related_name="readings",
        db_index=False,
        help_text="whose list or channel it is; empty: everybody's",
    )
    channel = models.ForeignKey(
        Channel, null=True, on_delete=models.CASCADE, related_name="readings", help_text="empty: a list"
    )
    number = models.BigIntegerField(help_text="the last that it is known to have")
    current = models.BigIntegerField(help_text="the number that stood when it last asked")
    began_at = models.DateTimeField(help_text="when it first asked")
    taken_at = models.DateTimeField(help_text="when it was first known to have that number")
    read_at = models.DateTimeField(help_text="when it last asked, noted once a minute")
    ahead = models.JSONField(
        null=True, blank=True, help_text="by UTC day: MISP events of the channel that were fetched since"
    )
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="when its member was told that it is late; empty once in step"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "way", "what"], name="sharing_reading_once"),
        ]
        indexes = [
            models.Index(fields=["member", "key"], name="sharing_reading_member"),
            models.Index(fields=["what", "number"], name="sharing_reading_number"),
        ]


class Removal(models.Model):
    """That an indicator was withdrawn from the lists of its kind, or from a channel, with this number.

    It names no member, and stands open beside `Outgoing`, so no fence is around it.
    """

    indicator = models.ForeignKey(Indicator, on_delete=models.CASCADE, related_name="removals")
    list_key = models.CharField(
        max_length=48, blank=True, help_text="of the lists' number, as in ListHead; empty: a channel"
    )
    channel = models.ForeignKey(
        Channel, null=True, on_delete=models.CASCADE, related_name="removals", db_index=False
    )
    number = models.BigIntegerField()
    at = models.DateTimeField()
    settled_at = models.DateTimeField(
        null=True, help_text="when, at the deadline, the journal was told who had it; of lists alone"
    )

    class Meta:
        indexes = [
            models.Index(fields=["list_key", "number"], name="sharing_removal_list"),
            models.Index(fields=["channel", "number"], name="sharing_removal_channel"),
            models.Index(
                fields=["at"],
                condition=models.Q(settled_at=None, channel=None),
                name="sharing_removal_unsettled",
            ),
        ]
