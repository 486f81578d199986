"""The fence around what opens a source: keys for nobody's request, openings for those who take part, and for
a member once it was told. Pages compute pseudonyms with the fence lifted."""

from importlib import import_module

from django.db import migrations

fence = import_module("tocsin.notices.migrations.0004_fence")

TAKES_PART = """EXISTS (SELECT 1 FROM access_role r WHERE r.person_id = (SELECT tocsin_person())
    AND r.name IN ('coordinator', 'operator', 'trusted'))"""
POLICIES = {
    "sharing_epoch": "false",
    "sharing_opening": f"{TAKES_PART} OR (told_at IS NOT NULL AND {fence.is_any('member_id', 'members')})",
}


def forward(apps, editor):
    if editor.connection.vendor != "postgresql":
        return
    editor.execute(fence.GRANTS, params=None)
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
    dependencies = [("sharing", "0010_hidden_sources"), ("notices", "0007_fence_by_row")]
    operations = [migrations.RunPython(forward, backward)]
