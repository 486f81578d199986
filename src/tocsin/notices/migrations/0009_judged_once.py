"""The second fence judges a case once for a page, not once for each of its rows (decision 23).

What `tocsin_judge` found readable stands in the variable `tocsin.judged` for the rest of the request, and
every policy asks for that first: a case's thousand reports then cost one judgement. Rows of other cases are
judged one by one as before, so nothing is read that was not.
"""

from importlib import import_module

from django.db import migrations

fence = import_module("tocsin.notices.migrations.0004_fence")

JUDGED = "(SELECT tocsin_ids('judged'))::bigint[]"
ANY_JUDGED = "(SELECT tocsin_ids('judged') <> '{}')"
IS_COORDINATOR = "(SELECT tocsin_is_coordinator())"


def of_case(column="case_id"):
    """A row of a case that was judged."""
    return f"{column} = ANY ({JUDGED})"


def of_report(column):
    """A row of a report that is in a judged case, or was."""
    return (
        f"({ANY_JUDGED} AND EXISTS (SELECT 1 FROM cases_link l WHERE l.report_id = {column} "
        f"AND l.case_id = ANY ({JUDGED})))"
    )


# A case that the asker's units investigate or support: asked of the case itself, whose policy says so first.
OF_OWN_UNIT = (
    "((SELECT tocsin_ids('units') <> '{}') AND EXISTS (SELECT 1 FROM cases_case c "
    "WHERE c.id = cases_clock.case_id AND "
    f"({fence.is_any('c.investigating_unit_id', 'units')} OR {fence.is_any('c.support_unit_id', 'units')})))"
)
JUDGE = """CREATE OR REPLACE FUNCTION tocsin_judge(case_pks bigint[]) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT set_config('tocsin.judged', coalesce(string_agg(pk::text, ','), ''), false)
    FROM unnest(case_pks) AS pk WHERE tocsin_reads(pk) $$"""

TABLES = (
    *("cases_link", "cases_clock", "cases_decision", "cases_outcome", "cases_onetimelink"),
    *("cases_caseorigin", "cases_caseholding", "cases_hint", "cases_crimenumber", "cases_foreignnumber"),
    *("cases_guest", "cases_question", "cases_rating"),
)
BEFORE = {
    **dict.fromkeys(TABLES, "tocsin_reads(case_id)"),
    **{name: fence.POLICIES[name] for name in ("cases_link", "cases_decision", "cases_outcome")},
    "cases_clock": f"{IS_COORDINATOR} OR ({fence.HAS_MEMBERS} AND tocsin_own_report(report_id)) "
    "OR tocsin_knows(case_id)",
    "cases_question": f"({fence.HAS_MEMBERS} AND tocsin_own_report(report_id)) OR tocsin_reads(case_id)",
    "cases_rating": f"{fence.is_any('member_id', 'members')} OR tocsin_reads(case_id)",
}
POLICIES = {
    **{name: f"{of_case()} OR {BEFORE[name]}" for name in TABLES},
    "cases_clock": f"{IS_COORDINATOR} OR {of_case()} OR {OF_OWN_UNIT} "
    f"OR ({fence.HAS_MEMBERS} AND tocsin_own_report(report_id)) OR tocsin_knows(case_id)",
    "intake_report": f"{fence.is_any('member_id', 'members')} OR {of_report('intake_report.id')} "
    "OR tocsin_reads_report(id)",
    "intake_reportholding": f"{of_report('intake_reportholding.report_id')} "
    "OR tocsin_reads_report(report_id)",
    "inventory_holding": f"{fence.is_any('member_id', 'members')} OR ({ANY_JUDGED} AND EXISTS ("
    "SELECT 1 FROM cases_caseholding h WHERE h.holding_id = inventory_holding.id "
    f"AND h.case_id = ANY ({JUDGED}))) OR tocsin_reads_holding(id)",
}


def forward(apps, editor):
    if editor.connection.vendor != "postgresql":
        return
    editor.execute(JUDGE, params=None)
    for table, who in POLICIES.items():
        editor.execute(f"ALTER POLICY tocsin_reads ON {table} USING ({who})")


class Migration(migrations.Migration):
    dependencies = [("notices", "0008_indicators_to_hooks"), ("cases", "0014_open_cases")]
    operations = [migrations.RunPython(forward)]
