"""The logs behind a case, each once: noted when reports come into it, and noted anew when some have left."""

from collections.abc import Sequence

from tocsin.cases.models import Case, CaseHolding
from tocsin.journal.acts import act
from tocsin.store import bulk

BATCH = 1_000
OF_REPORTS = """
INSERT INTO cases_caseholding (case_id, holding_id)
SELECT DISTINCT l.case_id, h.holding_id
FROM intake_reportholding h JOIN cases_link l ON l.report_id = h.report_id AND l.detached_at IS NULL
WHERE h.report_id = ANY(%s)
ON CONFLICT DO NOTHING
"""
OF_CASES = """
INSERT INTO cases_caseholding (case_id, holding_id)
SELECT DISTINCT l.case_id, h.holding_id
FROM cases_link l JOIN intake_reportholding h ON h.report_id = l.report_id
WHERE l.case_id = ANY(%s) AND l.detached_at IS NULL
ON CONFLICT DO NOTHING
"""


def note(report_pks: Sequence[int]) -> None:
    """Note what is held about reports that are linked, or say more than before."""
    if report_pks:
        bulk.change(OF_REPORTS, list(report_pks))


def note_anew(case_pks: Sequence[int]) -> None:
    """Note what is held about these cases from all that they have: after reports have left them."""
    CaseHolding.objects.filter(case__in=case_pks).delete()
    bulk.change(OF_CASES, list(case_pks))


def rebuild() -> None:
    """Note it anew for all cases."""
    last = 0
    while pks := list(Case.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with act():
            note_anew(pks)
        last = pks[-1]
