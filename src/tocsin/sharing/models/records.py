"""How a source's words ended: what its next word weighs."""

from django.db import models

from tocsin.access.models import Member


class SourceRecord(models.Model):
    """One member's record over the last months, counted anew each hour. Nobody else ever reads it."""

    member = models.OneToOneField(
        Member, primary_key=True, on_delete=models.CASCADE, related_name="source_record"
    )
    right = models.IntegerField(default=0, help_text="words that another voice confirmed")
    wrong = models.IntegerField(default=0, help_text="words that a person refused")
    listed = models.IntegerField(default=0, help_text="words about what may never be shared")
    alone = models.IntegerField(default=0, help_text="words that nobody confirmed within their life")
    weight = models.FloatField(help_text="log-odds that one word adds")
    counted_at = models.DateTimeField()
