from django.db import migrations, models
from django.db.models import F, OuterRef, Subquery


def fill(apps, editor):
    """What is shared in a community is shared for its indicator's class; every list has new bytes."""
    indicator = apps.get_model("sharing", "Indicator").objects.filter(pk=OuterRef("indicator"))
    standings = apps.get_model("sharing", "Standing").objects.exclude(state="held")
    standings.update(attack_kind=Subquery(indicator.values("attack_kind")[:1]))
    apps.get_model("sharing", "ListHead").objects.update(number=F("number") + 1)


class Migration(migrations.Migration):
    dependencies = [
        ("sharing", "0012_settled"),
    ]

    operations = [
        migrations.AddField(
            model_name="standing",
            name="attack_kind",
            field=models.CharField(
                blank=True,
                help_text="RSIT class/type for which it was shared last in the community",
                max_length=80,
            ),
        ),
        migrations.AlterField(
            model_name="indicator",
            name="attack_kind",
            field=models.CharField(
                help_text="RSIT class/type for which it was shared last; before that, of the latest report",
                max_length=80,
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
