"""Reading cases, always through `visible_to(actor)`, from the rooms in which the readers are written."""

from tocsin.cases.casework import case_by_link, case_view, fetch_case, packet
from tocsin.cases.member_reports import report_list, report_view, reporter_home
from tocsin.cases.nationwide import nation
from tocsin.cases.overviews import coordination
from tocsin.cases.queueing import groups_below, queue
from tocsin.cases.reach import visible_to

__all__ = [
    "case_by_link",
    "case_view",
    "coordination",
    "fetch_case",
    "groups_below",
    "nation",
    "packet",
    "queue",
    "report_list",
    "report_view",
    "reporter_home",
    "visible_to",
]
