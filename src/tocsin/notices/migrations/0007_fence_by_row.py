"""The second fence asks row by row where it gathered sets: a page in order of due then asks of fifty rows.

Measured with 100,000 cases: the coordinator's page took 9.6 s, most of it for the set of all cases that a
missed clock has taken higher. A log is found through the cases that it stands behind (a few), not through
every report that names it (thousands). Of clocks a coordinator sees all: they hold times, and nothing that a
case says.
"""

from django.db import migrations


def is_any(column, name):
    return f"{column} = ANY ((SELECT tocsin_ids('{name}'))::bigint[])"


def function(name, declared, body):
    return f"""CREATE OR REPLACE FUNCTION {name} RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
        SET search_path = pg_catalog, public AS $$ {declared} BEGIN {body} END $$"""


FUNCTIONS = (
    function(
        "tocsin_reached(case_pk bigint, unit_pk bigint)",
        "DECLARE above bigint[] := tocsin_ids('above'); found record;",
        """SELECT u.joined_at, u.parent_id AS first, p.parent_id AS second INTO found
            FROM access_unit u LEFT JOIN access_unit p ON p.id = u.parent_id WHERE u.id = unit_pk;
        IF tocsin_is_coordinator() AND found.joined_at IS NULL THEN RETURN true; END IF;
        IF NOT tocsin_is_coordinator()
            AND NOT coalesce(found.first = ANY (above), false)
            AND NOT coalesce(found.second = ANY (above), false) THEN RETURN false; END IF;
        RETURN EXISTS (SELECT 1 FROM cases_clock k WHERE k.case_id = case_pk AND k.ended_at IS NULL
            AND k.breached_at IS NOT NULL AND (tocsin_is_coordinator()
                OR (k.step >= 2 AND found.first = ANY (above))
                OR (k.step >= 3 AND found.second = ANY (above))));""",
    ),
    function(
        "tocsin_reads_holding(holding_pk bigint)",
        "DECLARE behind bigint; mine bigint[] := tocsin_ids('units');"
        " opened bigint[] := tocsin_ids('cases');",
        """IF mine = '{}' AND opened = '{}' AND NOT tocsin_is_coordinator() THEN RETURN false; END IF;
        FOR behind IN SELECT h.case_id FROM cases_caseholding h JOIN cases_case c ON c.id = h.case_id
            WHERE h.holding_id = holding_pk
            ORDER BY (h.case_id = ANY (opened)) DESC, (c.investigating_unit_id = ANY (mine)) DESC, h.case_id
        LOOP
            IF tocsin_reads(behind) THEN RETURN true; END IF;
        END LOOP;
        RETURN false;""",
    ),
)
HAS_MEMBERS = "(SELECT tocsin_ids('members') <> '{}')"
HAS_SHARE = (
    "EXISTS (SELECT 1 FROM cases_share s WHERE s.case_id = cases_case.id "
    f"AND {is_any('s.member_id', 'members')})"
)
IS_ABOVE = "(SELECT tocsin_ids('above') <> '{}' OR tocsin_is_coordinator())"
POLICIES = {
    "cases_case": f"{is_any('investigating_unit_id', 'units')} OR {is_any('support_unit_id', 'units')} "
    f"OR {is_any('id', 'cases')} OR ({IS_ABOVE} AND tocsin_reached(id, investigating_unit_id)) "
    f"OR ({HAS_MEMBERS} AND ({HAS_SHARE} OR id IN (SELECT tocsin_left_cases())))",
    "cases_clock": f"(SELECT tocsin_is_coordinator()) OR ({HAS_MEMBERS} AND tocsin_own_report(report_id)) "
    "OR tocsin_knows(case_id)",
}


def forward(apps, editor):
    if editor.connection.vendor != "postgresql":
        return
    for statement in FUNCTIONS:
        editor.execute(statement, params=None)
    for table, who in POLICIES.items():
        editor.execute(f"DROP POLICY IF EXISTS tocsin_reads ON {table}")
        editor.execute(f"CREATE POLICY tocsin_reads ON {table} FOR SELECT USING ({who})")
    editor.execute("DROP FUNCTION IF EXISTS tocsin_reached_cases()")


class Migration(migrations.Migration):
    dependencies = [("notices", "0006_fence_of_answers"), ("cases", "0014_open_cases")]
    operations = [migrations.RunPython(forward)]
