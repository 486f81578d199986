"""The second fence around questions and ratings: a member's own, and those of a case that its unit reads."""

from django.db import migrations

MINE = "member_id = ANY ((SELECT tocsin_ids('members'))::bigint[])"
POLICIES = {
    "cases_question": "tocsin_own_report(report_id) OR tocsin_reads(case_id)",
    "cases_rating": f"{MINE} OR tocsin_reads(case_id)",
}


def forward(apps, editor):
    if editor.connection.vendor != "postgresql":
        return
    for table, who in POLICIES.items():
        editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        editor.execute(f"CREATE POLICY tocsin_reads ON {table} FOR SELECT USING ({who})")


def backward(apps, editor):
    if editor.connection.vendor != "postgresql":
        return
    for table in POLICIES:
        editor.execute(f"DROP POLICY IF EXISTS tocsin_reads ON {table}")
        editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


class Migration(migrations.Migration):
    dependencies = [("notices", "0005_fence_of_sums"), ("cases", "0008_triage")]
    operations = [migrations.RunPython(forward, backward)]
