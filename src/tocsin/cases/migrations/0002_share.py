"""Sums of who has what in a case, filled from the links there are, and a case's own clocks found at once."""

import django.db.models.deletion
from django.db import migrations, models

FILL = """
INSERT INTO cases_share (case_id, member_id, reports, first_report)
SELECT link.case_id, report.member_id, COUNT(*), MIN(report.id)
FROM cases_link AS link JOIN intake_report AS report ON report.id = link.report_id
WHERE link.detached_at IS NULL GROUP BY link.case_id, report.member_id
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0002_networks"), ("intake", "0001_initial"), ("cases", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Share",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reports", models.PositiveIntegerField()),
                (
                    "first_report",
                    models.BigIntegerField(
                        help_text="row of the member's first report in it: who came first"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="shares",
                        to="cases.case",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.member",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["case", "member"], name="cases_share_once")]
            },
        ),
        migrations.AlterField(
            model_name="clock",
            name="case",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="empty where a report opens no case",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="clocks",
                to="cases.case",
            ),
        ),
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(fields=["case", "report", "clock_id"], name="cases_clock_of_case"),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
