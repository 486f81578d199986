"""The fence around readings and sightings: a member's own; readings also a coordinator's. Counts lift it."""

from importlib import import_module

from django.db import migrations

fence = import_module("tocsin.notices.migrations.0004_fence")

POLICIES = {
    "sharing_reading": f"{fence.is_any('member_id', 'members')} OR (SELECT tocsin_is_coordinator())",
    "sharing_sighting": fence.is_any("member_id", "members"),
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
    dependencies = [("sharing", "0008_readings"), ("notices", "0007_fence_by_row")]
    operations = [migrations.RunPython(forward, backward)]
