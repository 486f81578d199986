# A key of neither member nor unit is the exchange's own.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0006_small_sources"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="apikey", name="access_key_place"),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(("member__isnull", True), ("unit__isnull", True), _connector="OR"),
                name="access_key_place",
            ),
        ),
    ]
