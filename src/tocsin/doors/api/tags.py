"""Entity tags of cases: who acts on what was read says so by `If-Match`, and overwrites nobody's act."""

from django.http import HttpRequest

from tocsin.cases.models import Case
from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.problems import Problem
from tocsin.kernel.time import rfc3339


class Stale(Problem):
    """Somebody has done something to the case since it was read."""

    slug = "stale"
    status = 412
    exit_code = 6
    hint = "read the case again, and send its new ETag in If-Match"


def tag_of(case: Case) -> str:
    """The tag: another one once status, owner, unit, outcome, severity or number of reports is another."""
    said = {
        "case_id": case.case_id,
        "status": case.status,
        "outcome": case.outcome_code,
        "closed_at": rfc3339(case.closed_at) if case.closed_at else "",
        "owner": case.owner_name,
        "owned_at": rfc3339(case.owned_at) if case.owned_at else "",
        "unit": case.investigating_unit_id,
        "route": case.route_reason,
        "severity": case.severity,
        "reports": case.report_count,
        "members": case.member_count,
    }
    return f'"{sha256_hex(canonical_bytes(said))[:20]}"'


def check(request: HttpRequest, case: Case) -> None:
    """Raises Stale where `If-Match` names other tags (RFC 9110 section 13.1.1). The case must be locked."""
    wanted = request.headers.get("If-Match")
    if wanted is None or wanted.strip() == "*":
        return
    if tag_of(case) not in {one.strip() for one in wanted.split(",")}:
        raise Stale()
