"""Reading cases, always through `visible_to(actor)`, from the rooms in which the readers are written."""

from tocsin.cases.casework import case_by_link, case_view, fetch_case, packet, read_case
from tocsin.cases.member_reports import report_list, report_view
from tocsin.cases.nationwide import nation
from tocsin.cases.overviews import coordination
from tocsin.cases.owed import clocks_of, duties_of_case, duties_of_report
from tocsin.cases.question_views import ask_form, questions_of_case, questions_of_report
from tocsin.cases.queueing import groups_below, queue
from tocsin.cases.ratings import rating_of, ratings_of
from tocsin.cases.reach import visible_to
from tocsin.cases.reporter_home import reporter_home
from tocsin.cases.rising import rising
from tocsin.cases.supervising import team

__all__ = [
    "ask_form",
    "case_by_link",
    "case_view",
    "clocks_of",
    "coordination",
    "duties_of_case",
    "duties_of_report",
    "fetch_case",
    "groups_below",
    "nation",
    "packet",
    "questions_of_case",
    "questions_of_report",
    "queue",
    "rating_of",
    "ratings_of",
    "read_case",
    "report_list",
    "report_view",
    "reporter_home",
    "rising",
    "team",
    "visible_to",
]
