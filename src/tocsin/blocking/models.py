"""Blocks counted: how often members' resolvers and firewalls stopped a connection to a shared indicator."""

from django.db import models

from tocsin.access.models import Member
from tocsin.sharing.models import Indicator


class Tally(models.Model):
    """Connections that one member's control stopped for one indicator in one hour. Never a client."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="tallies")
    source_id = models.CharField(
        max_length=120, help_text="the resolver's or firewall's log, without its path"
    )
    indicator = models.ForeignKey(Indicator, on_delete=models.CASCADE, related_name="tallies")
    hour = models.DateTimeField(help_text="start of the hour, UTC")
    hits = models.BigIntegerField(help_text="cumulative for the hour; the highest number told stands")
    clients = models.BigIntegerField(
        null=True, help_text="different clients behind the hits, 5 or more; null where that was not told"
    )
    told_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member", "source_id", "indicator", "hour"], name="blocking_tally_once"
            )
        ]
        indexes = [models.Index(fields=["indicator", "hour"])]
