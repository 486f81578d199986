"""A member says of its own report that it has become aware of something that it must tell a regulator.

The exchange reminds it by clocks that nobody else sees; it tells no regulator, and no police, in its place.
"""

import datetime as dt

from tocsin.access.policy import Actor, require
from tocsin.cases import clocks
from tocsin.cases.units import current_pack
from tocsin.intake import queries as intake
from tocsin.intake.models import Report
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput, NotFound
from tocsin.kernel.time import now


def become_aware(actor: Actor, report_id: str, code: str, at: dt.datetime | None = None) -> list[str]:
    """Start the member's clocks that follow from what it is aware of; gives their ids.

    Twice starts nothing twice. Raises NotSignedIn, NotAllowed, NotFound, BadInput.
    """
    require(actor, "report.aware")
    at, pack = at or now(), current_pack()
    row = pack.awareness.get(code)
    if row is None:
        raise BadInput("choose what you are aware of", hint=f"one of {', '.join(pack.awareness)}")
    with act() as recorded:
        mine = intake.visible_to(actor).filter(report_id=report_id)
        report = Report.objects.select_for_update().filter(pk__in=mine.values("pk")).first()
        if report is None:
            raise NotFound("there is no such report, or it is not yours")
        about = clocks.Subject(report=report, member=report.member)
        moved = clocks.happened(recorded, pack, row.trigger, about, at)
        if moved["started"]:
            content = moved | {"code": code, "what": row.words, "by": actor.label}
            recorded.record("cases:report:aware", report.report_id, content)
    return list(moved["started"])
