"""Readings of a community's channels say so; what left its lists before is settled without a word."""

from django.db import migrations
from django.db.models import F, OuterRef, Subquery


def forward(apps, editor):
    reading, channel = apps.get_model("sharing", "Reading"), apps.get_model("sharing", "Channel")
    whose = channel.objects.filter(pk=OuterRef("channel")).values("community")[:1]
    reading.objects.filter(channel__community__isnull=False).update(community=Subquery(whose))
    removal = apps.get_model("sharing", "Removal")
    old = removal.objects.filter(channel=None, settled_at=None, list_key__contains="/")
    old.update(settled_at=F("at"))


class Migration(migrations.Migration):
    dependencies = [("sharing", "0014_readers_of_circles")]
    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
