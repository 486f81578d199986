"""The head row, and triggers that refuse to change or remove an entry."""

from django.db import migrations

SQLITE = [
    """CREATE TRIGGER journal_entry_no_{verb} BEFORE {verb} ON journal_entry
       BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
]
POSTGRESQL = [
    """CREATE OR REPLACE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$""",
    """CREATE TRIGGER journal_entry_no_{verb} BEFORE {verb} ON journal_entry
       FOR EACH ROW EXECUTE FUNCTION journal_refuse()""",
]


def forward(apps, editor):
    apps.get_model("journal", "Head").objects.get_or_create(pk=1)
    for statement in POSTGRESQL if editor.connection.vendor == "postgresql" else SQLITE:
        for verb in ("UPDATE", "DELETE") if "{verb}" in statement else ("",):
            editor.execute(statement.format(verb=verb))


def backward(apps, editor):
    on = " ON journal_entry" if editor.connection.vendor == "postgresql" else ""
    for verb in ("UPDATE", "DELETE"):
        editor.execute(f"DROP TRIGGER journal_entry_no_{verb}{on}")


class Migration(migrations.Migration):
    dependencies = [("journal", "0001_initial")]
    operations = [migrations.RunPython(forward, backward)]
