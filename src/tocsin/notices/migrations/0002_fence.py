"""Row-level security on PostgreSQL: what a reading request sees, judged by the database (see store/fence.py).

Every arm stands for one way in which `visible_to` lets somebody in. What one table asks of another is asked
in line where the other's own policy does not ask back, and in a function of the owner's where it would.
"""

from django.db import migrations

ROLE = "tocsin_reader"


def is_any(column, name):
    return f"{column} = ANY ((SELECT tocsin_ids('{name}'))::bigint[])"


HAS_MEMBERS = "(SELECT tocsin_ids('members') <> '{}')"
OWN_CASE = f"({HAS_MEMBERS} AND tocsin_own_case(case_id))"
IS_STAFF = "(SELECT tocsin_ids('units') <> '{}' OR tocsin_is_coordinator())"

# Of a unit, or opened by a link, or reached by a missed clock or the coordinator.
STAFF = (
    f"({is_any('c.investigating_unit_id', 'units')} OR {is_any('c.support_unit_id', 'units')} "
    f"OR {is_any('c.id', 'cases')} OR ({IS_STAFF} AND tocsin_reached(c.id, c.investigating_unit_id)))"
)
UNSEALED = """NOT EXISTS (SELECT 1 FROM cases_seal s WHERE s.case_id = {case} AND s.lifted_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM cases_seal_people p
                    WHERE p.seal_id = s.id AND p.person_id = tocsin_person())
    AND NOT EXISTS (SELECT 1 FROM cases_brokenglass b WHERE b.case_id = s.case_id
                    AND b.person_id = tocsin_person() AND b.expires_at > now())
    AND s.case_id <> ALL ((SELECT tocsin_ids('cases'))::bigint[]))"""


def content_of(case):
    """Whoever works on the case, unless it is sealed from them."""
    staff = f"EXISTS (SELECT 1 FROM cases_case c WHERE c.id = {case} AND {STAFF})"
    return f"({staff} AND {UNSEALED.format(case=case)})"


FUNCTIONS = (
    """CREATE OR REPLACE FUNCTION tocsin_ids(name text) RETURNS bigint[] LANGUAGE sql STABLE AS
    $$ SELECT coalesce(string_to_array(nullif(current_setting('tocsin.' || name, true), ''), ',')::bigint[],
                       '{}') $$""",
    """CREATE OR REPLACE FUNCTION tocsin_person() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT coalesce(nullif(current_setting('tocsin.person', true), ''), '0')::bigint $$""",
    """CREATE OR REPLACE FUNCTION tocsin_is_coordinator() RETURNS boolean LANGUAGE sql STABLE AS
    $$ SELECT coalesce(current_setting('tocsin.coordinator', true), '') = 'on' $$""",
    """CREATE OR REPLACE FUNCTION tocsin_reached(case_pk bigint, unit_pk bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
    $$ SELECT EXISTS (
        SELECT 1 FROM access_unit u LEFT JOIN access_unit p ON p.id = u.parent_id
        WHERE u.id = unit_pk AND (
            (tocsin_is_coordinator() AND (u.joined_at IS NULL OR EXISTS (
                SELECT 1 FROM cases_clock k WHERE k.case_id = case_pk AND k.ended_at IS NULL
                AND k.breached_at IS NOT NULL)))
            OR EXISTS (
                SELECT 1 FROM cases_clock k WHERE k.case_id = case_pk AND k.ended_at IS NULL
                AND k.breached_at IS NOT NULL
                AND ((k.step >= 2 AND u.parent_id = ANY (tocsin_ids('units')))
                     OR (k.step >= 3 AND p.parent_id = ANY (tocsin_ids('units')))))
        )) $$""",
    """CREATE OR REPLACE FUNCTION tocsin_own_case(case_pk bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
    $$ SELECT EXISTS (
        SELECT 1 FROM cases_link l JOIN intake_report r ON r.id = l.report_id
        WHERE l.case_id = case_pk AND r.member_id = ANY (tocsin_ids('members'))) $$""",
    """CREATE OR REPLACE FUNCTION tocsin_own_report(report_pk bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
    $$ SELECT EXISTS (
        SELECT 1 FROM intake_report r
        WHERE r.id = report_pk AND r.member_id = ANY (tocsin_ids('members'))) $$""",
)

POLICIES = {
    "intake_report": f"{is_any('member_id', 'members')} OR "
    "EXISTS (SELECT 1 FROM cases_link l WHERE l.report_id = intake_report.id)",
    "intake_earlierversion": "EXISTS (SELECT 1 FROM intake_report r "
    "WHERE r.id = intake_earlierversion.report_id)",
    "intake_reportholding": "EXISTS (SELECT 1 FROM intake_report r "
    "WHERE r.id = intake_reportholding.report_id)",
    "inventory_holding": f"{is_any('member_id', 'members')} OR EXISTS (SELECT 1 FROM intake_reportholding h "
    "WHERE h.holding_id = inventory_holding.id)",
    "cases_case": f"{STAFF.replace('c.', '')} OR ({HAS_MEMBERS} AND tocsin_own_case(id))",
    "cases_link": f"{content_of('cases_link.case_id')} OR ({HAS_MEMBERS} AND tocsin_own_report(report_id))",
    "cases_clock": "EXISTS (SELECT 1 FROM cases_case c WHERE c.id = cases_clock.case_id) "
    f"OR ({HAS_MEMBERS} AND tocsin_own_report(report_id))",
    "cases_decision": f"{content_of('cases_decision.case_id')} OR {OWN_CASE}",
    "cases_outcome": f"{content_of('cases_outcome.case_id')} OR {OWN_CASE}",
    "cases_onetimelink": content_of("cases_onetimelink.case_id"),
    "cases_caseorigin": content_of("cases_caseorigin.case_id"),
    "cases_hint": content_of("cases_hint.case_id"),
    "cases_guest": content_of("cases_guest.case_id"),
    "cases_move": f"{content_of('cases_move.source_id')} OR {content_of('cases_move.target_id')}",
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
    for table, who in POLICIES.items():
        editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        editor.execute(f"CREATE POLICY tocsin_reads ON {table} FOR SELECT USING ({who})")


def backward(apps, editor):
    if editor.connection.vendor != "postgresql":
        return
    for table in POLICIES:
        editor.execute(f"DROP POLICY IF EXISTS tocsin_reads ON {table}")
        editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for name in ("reached(bigint, bigint)", "own_case(bigint)", "own_report(bigint)", "ids(text)"):
        editor.execute(f"DROP FUNCTION IF EXISTS tocsin_{name} CASCADE")
    for name in ("person", "is_coordinator"):
        editor.execute(f"DROP FUNCTION IF EXISTS tocsin_{name}() CASCADE")


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0001_initial"),
        ("cases", "0005_sealing"),
        ("intake", "0001_initial"),
        ("inventory", "0001_initial"),
        ("access", "0003_joining"),
    ]
    operations = [migrations.RunPython(forward, backward)]
