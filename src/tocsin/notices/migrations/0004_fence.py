"""Row-level security on PostgreSQL: what a reading request sees, judged by the database (see store/fence.py).

Every arm stands for one way in which `visible_to` lets somebody in. What one table asks of another is asked
in a function of the owner's: policies that hold each other in line make a plan of hundreds of parts, and
planning it took longer than the page (measured: half of 420 ms).
"""

from django.db import migrations

ROLE = "tocsin_reader"


def is_any(column, name):
    return f"{column} = ANY ((SELECT tocsin_ids('{name}'))::bigint[])"


def function(name, result, declared, body):
    """A function that runs as the tables' owner; PL/pgSQL, because it keeps its plans for the session."""
    return f"""CREATE OR REPLACE FUNCTION {name} RETURNS {result} LANGUAGE plpgsql STABLE SECURITY DEFINER
        SET search_path = pg_catalog, public AS $$ {declared} BEGIN {body} END $$"""


HAS_MEMBERS = "(SELECT tocsin_ids('members') <> '{}')"
IS_STAFF = "(SELECT tocsin_ids('units') <> '{}' OR tocsin_ids('cases') <> '{}' OR tocsin_is_coordinator())"
HAS_SHARE = (
    "EXISTS (SELECT 1 FROM cases_share s WHERE s.case_id = cases_case.id "
    f"AND {is_any('s.member_id', 'members')})"
)
OWN_REPORT = f"({HAS_MEMBERS} AND tocsin_own_report(report_id))"
IS_ABOVE = "(SELECT tocsin_ids('above') <> '{}' OR tocsin_is_coordinator())"

FUNCTIONS = (
    """CREATE OR REPLACE FUNCTION tocsin_ids(name text) RETURNS bigint[] LANGUAGE sql STABLE AS
    $$ SELECT coalesce(string_to_array(nullif(current_setting('tocsin.' || name, true), ''), ',')::bigint[],
                       '{}') $$""",
    """CREATE OR REPLACE FUNCTION tocsin_person() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT coalesce(nullif(current_setting('tocsin.person', true), ''), '0')::bigint $$""",
    """CREATE OR REPLACE FUNCTION tocsin_is_coordinator() RETURNS boolean LANGUAGE sql STABLE AS
    $$ SELECT coalesce(current_setting('tocsin.coordinator', true), '') = 'on' $$""",
    # The same twice: for all cases at once, where cases are searched, and for one, where rows of it are.
    function(
        "tocsin_reached_cases()",
        "SETOF bigint",
        "",
        """RETURN QUERY SELECT k.case_id FROM cases_clock k
            JOIN cases_case c ON c.id = k.case_id
            JOIN access_unit u ON u.id = c.investigating_unit_id
            LEFT JOIN access_unit p ON p.id = u.parent_id
            WHERE k.ended_at IS NULL AND k.breached_at IS NOT NULL AND (
                tocsin_is_coordinator()
                OR (k.step >= 2 AND u.parent_id = ANY (tocsin_ids('above')))
                OR (k.step >= 3 AND p.parent_id = ANY (tocsin_ids('above'))));
        IF tocsin_is_coordinator() THEN
            RETURN QUERY SELECT c.id FROM cases_case c
                JOIN access_unit u ON u.id = c.investigating_unit_id WHERE u.joined_at IS NULL;
        END IF;""",
    ),
    function(
        "tocsin_works_on(case_pk bigint)",
        "boolean",
        "DECLARE mine bigint[] := tocsin_ids('units'); above bigint[] := tocsin_ids('above'); found record;",
        """SELECT c.investigating_unit_id AS one, c.support_unit_id AS other, u.joined_at,
                u.parent_id AS first, p.parent_id AS second INTO found
            FROM cases_case c JOIN access_unit u ON u.id = c.investigating_unit_id
            LEFT JOIN access_unit p ON p.id = u.parent_id WHERE c.id = case_pk;
        IF found.one = ANY (mine) OR found.other = ANY (mine) OR case_pk = ANY (tocsin_ids('cases')) THEN
            RETURN true;
        END IF;
        IF tocsin_is_coordinator() AND found.one IS NOT NULL AND found.joined_at IS NULL THEN
            RETURN true;
        END IF;
        IF above = '{}' AND NOT tocsin_is_coordinator() THEN
            RETURN false;
        END IF;
        RETURN EXISTS (SELECT 1 FROM cases_clock k WHERE k.case_id = case_pk AND k.ended_at IS NULL
            AND k.breached_at IS NOT NULL AND (tocsin_is_coordinator()
                OR (k.step >= 2 AND found.first = ANY (above))
                OR (k.step >= 3 AND found.second = ANY (above))));""",
    ),
    function(
        "tocsin_own_case(case_pk bigint)",
        "boolean",
        "DECLARE mine bigint[] := tocsin_ids('members');",
        """RETURN mine <> '{}' AND (
            EXISTS (SELECT 1 FROM cases_share s WHERE s.case_id = case_pk AND s.member_id = ANY (mine))
            OR EXISTS (SELECT 1 FROM cases_link l JOIN intake_report r ON r.id = l.report_id
                WHERE l.case_id = case_pk AND l.detached_at IS NOT NULL AND r.member_id = ANY (mine)));""",
    ),
    function(
        "tocsin_left_cases()",
        "SETOF bigint",
        "",
        """RETURN QUERY SELECT l.case_id FROM cases_link l JOIN intake_report r ON r.id = l.report_id
            WHERE l.detached_at IS NOT NULL AND r.member_id = ANY (tocsin_ids('members'));""",
    ),
    function(
        "tocsin_own_report(report_pk bigint)",
        "boolean",
        "DECLARE mine bigint[] := tocsin_ids('members');",
        """RETURN mine <> '{}' AND EXISTS (
            SELECT 1 FROM intake_report r WHERE r.id = report_pk AND r.member_id = ANY (mine));""",
    ),
    function(
        "tocsin_knows(case_pk bigint)",
        "boolean",
        "",
        "RETURN tocsin_own_case(case_pk) OR tocsin_works_on(case_pk);",
    ),
    function(
        "tocsin_reads(case_pk bigint)",
        "boolean",
        "",
        """IF NOT tocsin_works_on(case_pk) THEN RETURN false; END IF;
        RETURN case_pk = ANY (tocsin_ids('cases')) OR NOT EXISTS (
            SELECT 1 FROM cases_seal s WHERE s.case_id = case_pk AND s.lifted_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM cases_seal_people p
                            WHERE p.seal_id = s.id AND p.person_id = tocsin_person())
            AND NOT EXISTS (SELECT 1 FROM cases_brokenglass b WHERE b.case_id = s.case_id
                            AND b.person_id = tocsin_person() AND b.expires_at > now()));""",
    ),
    function(
        "tocsin_reads_report(report_pk bigint)",
        "boolean",
        "DECLARE linked bigint;",
        """IF tocsin_own_report(report_pk) THEN RETURN true; END IF;
        FOR linked IN SELECT l.case_id FROM cases_link l WHERE l.report_id = report_pk LOOP
            IF tocsin_reads(linked) THEN RETURN true; END IF;
        END LOOP;
        RETURN false;""",
    ),
    function(
        "tocsin_reads_holding(holding_pk bigint)",
        "boolean",
        "DECLARE behind bigint;",
        """FOR behind IN SELECT h.report_id FROM intake_reportholding h WHERE h.holding_id = holding_pk LOOP
            IF tocsin_reads_report(behind) THEN RETURN true; END IF;
        END LOOP;
        RETURN false;""",
    ),
)

FUNCTION_NAMES = tuple(text.split("FUNCTION ")[1].split(" RETURNS")[0] for text in FUNCTIONS)

# The cheap arms first: what they let in asks nothing further.
POLICIES = {
    "intake_report": f"{is_any('member_id', 'members')} OR tocsin_reads_report(id)",
    "intake_earlierversion": "tocsin_reads_report(report_id)",
    "intake_reportholding": "tocsin_reads_report(report_id)",
    "inventory_holding": f"{is_any('member_id', 'members')} OR tocsin_reads_holding(id)",
    "cases_case": f"{is_any('investigating_unit_id', 'units')} OR {is_any('support_unit_id', 'units')} "
    f"OR {is_any('id', 'cases')} OR ({IS_ABOVE} AND id IN (SELECT tocsin_reached_cases())) "
    f"OR ({HAS_MEMBERS} AND ({HAS_SHARE} OR id IN (SELECT tocsin_left_cases())))",
    "cases_link": f"{OWN_REPORT} OR ({IS_STAFF} AND tocsin_reads(case_id))",
    "cases_clock": f"{OWN_REPORT} OR tocsin_knows(case_id)",
    "cases_decision": f"tocsin_own_case(case_id) OR ({IS_STAFF} AND tocsin_reads(case_id))",
    "cases_outcome": f"tocsin_own_case(case_id) OR ({IS_STAFF} AND tocsin_reads(case_id))",
    "cases_onetimelink": "tocsin_reads(case_id)",
    "cases_caseorigin": "tocsin_reads(case_id)",
    "cases_hint": "tocsin_reads(case_id)",
    "cases_crimenumber": "tocsin_reads(case_id)",
    "cases_guest": "tocsin_reads(case_id)",
    "cases_move": "tocsin_reads(source_id) OR tocsin_reads(target_id)",
    "notices_notice": is_any("member_id", "members"),
}

MAKE_ROLE = f"""DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}') THEN
        CREATE ROLE {ROLE} NOLOGIN NOINHERIT;
    END IF;
    EXECUTE format('GRANT {ROLE} TO %I', current_user);
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
    RAISE NOTICE 'the role {ROLE} could not be made: no second fence';
END $$"""
GRANTS = f"""DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}') THEN
        GRANT USAGE ON SCHEMA public TO {ROLE};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE};
        GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {ROLE};
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ROLE};
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO {ROLE};
    END IF;
END $$"""


def forward(apps, editor):
    if editor.connection.vendor != "postgresql":
        return
    for statement in (MAKE_ROLE, GRANTS, *FUNCTIONS):
        editor.execute(statement, params=None)
    # The few links that were taken out, so that finding them reads no others.
    editor.execute(
        "CREATE INDEX IF NOT EXISTS cases_link_left ON cases_link (case_id) WHERE detached_at IS NOT NULL"
    )
    for table, who in POLICIES.items():
        editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        editor.execute(f"CREATE POLICY tocsin_reads ON {table} FOR SELECT USING ({who})")


def backward(apps, editor):
    if editor.connection.vendor != "postgresql":
        return
    for table in POLICIES:
        editor.execute(f"DROP POLICY IF EXISTS tocsin_reads ON {table}")
        editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    editor.execute("DROP INDEX IF EXISTS cases_link_left")
    for name in FUNCTION_NAMES:
        editor.execute(f"DROP FUNCTION IF EXISTS {name} CASCADE")


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0003_webhooks"),
        ("cases", "0006_sealing"),
        ("intake", "0001_initial"),
        ("inventory", "0001_initial"),
        ("access", "0003_joining"),
    ]
    operations = [migrations.RunPython(forward, backward)]
