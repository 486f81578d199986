"""The head row, and triggers that refuse to change or remove what the journal has said."""

from django.db import migrations

TABLES = ("journal_entry", "journal_tile", "journal_signedhead")
VERBS = ("UPDATE", "DELETE")

SQLITE = """CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
            BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"""
POSTGRESQL = """CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
                FOR EACH ROW EXECUTE FUNCTION journal_refuse()"""
REFUSE = """CREATE OR REPLACE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$"""


def forward(apps, editor):
    apps.get_model("journal", "Head").objects.get_or_create(pk=1)
    if editor.connection.vendor == "postgresql":
        editor.execute(REFUSE)
    for table in TABLES:
        for verb in VERBS:
            statement = POSTGRESQL if editor.connection.vendor == "postgresql" else SQLITE
            editor.execute(statement.format(table=table, verb=verb))


def backward(apps, editor):
    for table in TABLES:
        for verb in VERBS:
            on = f" ON {table}" if editor.connection.vendor == "postgresql" else ""
            editor.execute(f"DROP TRIGGER {table}_no_{verb}{on}")


class Migration(migrations.Migration):
    dependencies = [("journal", "0001_initial")]
    operations = [migrations.RunPython(forward, backward)]
