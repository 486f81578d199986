"""Sightings: that a member met what is shared. Never a voice for it."""

from django.db import models

from tocsin.access.models import Member
from tocsin.sharing.models.indicators import Indicator


class Sighting(models.Model):
    """One member met one indicator; whose sighting it is stays hidden as a word's source does."""

    indicator = models.ForeignKey(
        Indicator, on_delete=models.CASCADE, related_name="sightings", db_index=False
    )
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="sightings")
    first_at = models.DateTimeField(help_text="when it first said so")
    seen_at = models.DateTimeField(help_text="when it met it last, as it says")
    untold_since = models.DateTimeField(
        null=True, help_text="since when the feeds have not told of it as it now is; empty: they have"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["indicator", "member"], name="sharing_sighting_once")]
        indexes = [
            models.Index(
                fields=["untold_since"],
                condition=models.Q(untold_since__isnull=False),
                name="sharing_sighting_untold",
            )
        ]
