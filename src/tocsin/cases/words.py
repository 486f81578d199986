"""The sentences of a case: titles, reasons, what the journal's entries mean to a person."""

from tocsin.cases.keys import shown
from tocsin.intake.models import Report
from tocsin.reference.values import Pack

DIVERTED = {
    "divert": "{kind} is no matter for police: the owner of the machine is told, and advice is given instead",
    "ignore": "a test report: nothing is to be followed up",
}


def title(pack: Pack, report: Report) -> str:
    """`Password guessing against ssh from 203.0.113.7`; of the restricted lane nothing is said."""
    if report.lane == Report.Lane.RESTRICTED:
        return "Restricted report: metadata for police and hotline alone"
    what = pack.kind_words(report.kind)
    against = f" against {report.service}" if report.service and report.service != "-" else ""
    return f"{what[:1].upper()}{what[1:]}{against} from {shown(report.origin) if report.origin else 'many'}"[
        :200
    ]
