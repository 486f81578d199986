"""The verbs of cases, one transaction each, from the rooms in which they are written."""

from tocsin.cases.awareness import become_aware
from tocsin.cases.decisions import (
    accept_case,
    answer_case,
    assess_case,
    redirect_case,
    withdraw_answer,
)
from tocsin.cases.detaching import attach_report, detach_report
from tocsin.cases.gathering import gather_campaigns
from tocsin.cases.linking import link_reports
from tocsin.cases.merging import merge_cases, split_case, undo_move
from tocsin.cases.one_time import (
    accept_by_link,
    find_link,
    make_one_time_link,
    withdraw_one_time_link,
)
from tocsin.cases.owed import meet_duty
from tocsin.cases.papers.crime_numbers import record_crime_number
from tocsin.cases.questions import ask, reply, withdraw_question
from tocsin.cases.ratings import rate_answer
from tocsin.cases.reassigning import reassign_case
from tocsin.cases.responders import Responder
from tocsin.cases.stating import state_enquiry, state_threat_to_life
from tocsin.cases.units import load_units
from tocsin.cases.updates import say_update

__all__ = [
    "Responder",
    "accept_by_link",
    "accept_case",
    "answer_case",
    "ask",
    "assess_case",
    "attach_report",
    "become_aware",
    "detach_report",
    "find_link",
    "gather_campaigns",
    "link_reports",
    "load_units",
    "make_one_time_link",
    "meet_duty",
    "merge_cases",
    "rate_answer",
    "reassign_case",
    "record_crime_number",
    "redirect_case",
    "reply",
    "say_update",
    "split_case",
    "state_enquiry",
    "state_threat_to_life",
    "undo_move",
    "withdraw_answer",
    "withdraw_one_time_link",
    "withdraw_question",
]
