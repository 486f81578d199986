"""The fence around what is held behind a case, and a shorter way to judge a log: by its cases."""

from importlib import import_module

from django.db import migrations

fence = import_module("tocsin.notices.migrations.0004_fence")

READS_HOLDING = fence.function(
    "tocsin_reads_holding(holding_pk bigint)",
    "boolean",
    "DECLARE behind bigint;",
    """FOR behind IN SELECT h.case_id FROM cases_caseholding h JOIN cases_case c ON c.id = h.case_id
        WHERE h.holding_id = holding_pk AND (c.investigating_unit_id = ANY (tocsin_ids('units'))
            OR c.support_unit_id = ANY (tocsin_ids('units'))) LOOP
        IF tocsin_reads(behind) THEN RETURN true; END IF;
    END LOOP;
    IF tocsin_ids('cases') = '{}' AND tocsin_ids('above') = '{}' AND NOT tocsin_is_coordinator() THEN
        RETURN false;
    END IF;
    FOR behind IN SELECT h.case_id FROM cases_caseholding h WHERE h.holding_id = holding_pk LOOP
        IF tocsin_reads(behind) THEN RETURN true; END IF;
    END LOOP;
    RETURN false;""",
)


def forward(apps, editor):
    if editor.connection.vendor != "postgresql":
        return
    editor.execute(fence.GRANTS, params=None)
    editor.execute("ALTER TABLE cases_caseholding ENABLE ROW LEVEL SECURITY")
    editor.execute("CREATE POLICY tocsin_reads ON cases_caseholding FOR SELECT USING (tocsin_reads(case_id))")
    editor.execute("DROP INDEX IF EXISTS cases_link_left")  # the same as the model's own index since


def backward(apps, editor):
    if editor.connection.vendor != "postgresql":
        return
    editor.execute("DROP POLICY IF EXISTS tocsin_reads ON cases_caseholding")
    editor.execute("ALTER TABLE cases_caseholding DISABLE ROW LEVEL SECURITY")


class Migration(migrations.Migration):
    dependencies = [("notices", "0004_fence"), ("cases", "0010_standing")]
    operations = [migrations.RunPython(forward, backward)]
