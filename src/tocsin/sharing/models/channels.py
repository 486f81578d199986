"""What left the exchange: a numbered feed for each audience, and the numbers of the lists."""

from django.db import models
from django.db.models import Q

from tocsin.access.models import Community, Member
from tocsin.sharing.models.indicators import Indicator


class Channel(models.Model):
    """One numbered feed: of an audience (a community or everybody, and a TLP), or one member's contributions.

    Each counts by itself, so that a cursor tells nobody how much others report.
    """

    class Kind(models.TextChoices):
        SHARED = "shared", "Shared"
        CONTRIBUTIONS = "contributions", "Contributions"

    channel_id = models.UUIDField(unique=True, help_text="UUIDv4, also the TAXII collection's")
    kind = models.CharField(max_length=13, choices=Kind.choices)
    community = models.ForeignKey(
        Community, null=True, on_delete=models.CASCADE, related_name="channels", help_text="empty: everybody"
    )
    tlp = models.CharField(max_length=12, choices=Community.Tlp.choices)
    member = models.ForeignKey(
        Member, null=True, on_delete=models.CASCADE, related_name="channels", help_text="of contributions"
    )
    alias = models.CharField(max_length=60, unique=True)
    title = models.CharField(max_length=160)
    description = models.TextField(blank=True)
    number = models.BigIntegerField(default=0, help_text="of its last entry; moves under the journal's head")
    last_at = models.DateTimeField(null=True, help_text="date added of its last entry")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=Q(kind="contributions"), name="sharing_contributions_once"
            ),
        ]


class Outgoing(models.Model):
    """One entry of a channel: an object's version as it is served, byte for byte."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="entries", db_index=False)
    number = models.BigIntegerField(help_text="counts from 1 in its channel, without gaps")
    date_added = models.DateTimeField(help_text="strictly increasing in its channel, microseconds")
    indicator = models.ForeignKey(
        Indicator,
        null=True,
        on_delete=models.CASCADE,
        related_name="outgoing",
        help_text="empty: a marking, or what a member contributed",
    )
    stix_type = models.CharField(max_length=250)
    stix_id = models.UUIDField()
    modified = models.DateTimeField(help_text="the STIX version")
    is_latest = models.BooleanField(default=True)
    revoked = models.BooleanField(default=False)
    body = models.BinaryField(help_text="the STIX 2.1 object")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "number"], name="sharing_outgoing_number"),
            models.UniqueConstraint(fields=["channel", "date_added"], name="sharing_outgoing_date"),
        ]
        indexes = [
            models.Index(fields=["channel", "stix_id", "modified"], name="sharing_outgoing_object"),
            models.Index(
                fields=["channel", "number"], condition=Q(is_latest=True), name="sharing_outgoing_latest"
            ),
        ]


class ListHead(models.Model):
    """What number the lists of one kind have: one more with every change."""

    kind = models.CharField(
        primary_key=True, max_length=48, help_text="a kind, or a community's id, a slash and a kind"
    )
    number = models.BigIntegerField()
    changed_at = models.DateTimeField()
