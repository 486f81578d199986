"""The engine against a slow and obvious simulation: pauses, desks, bank holidays and summer time."""

import datetime as dt
import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.cases.slow_clocks import PLACES, SlowCase
from tests.cases.town import Town

from tocsin.access.models import Unit
from tocsin.cases import questions
from tocsin.cases.models import Case, Question
from tocsin.cases.services import Responder, accept_case, ask, assess_case, say_update, withdraw_question
from tocsin.journal.models import Content
from tocsin.kernel.time import parse_rfc3339
from tocsin.reference import calendars

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
CODES = ("source-port", "got-in", "still-going")
_number = itertools.count(1)

starts = st.builds(
    lambda day, hour: dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=day, hours=hour),
    st.integers(0, 700),
    st.integers(0, 23),
)
acts = st.sampled_from(("ask", "ask", "take back", "update", "sweep", "sweep earlier", "decide"))
scripts = st.lists(st.tuples(st.integers(1, 15 * 24), acts), max_size=8)


def told(case: Case) -> list[tuple[str, str, int, dt.datetime]]:
    """What the journal has of the case's clocks, in the order of its instants."""
    rows = Content.objects.filter(entry__subject=case.case_id, entry__event__startswith="cases:clock:")
    found = []
    for row in rows.select_related("entry").order_by("entry_id"):
        content: dict[str, Any] = msgspec.json.decode(bytes(row.content))
        if content["clock_id"] in ("P03", "P04"):
            what = row.entry.event.rsplit(":", 1)[1]
            found.append((what, content["clock_id"], content["step"], parse_rfc3339(content["at"])))
    return found


@given(nation=st.sampled_from(sorted(PLACES)), start=starts, script=scripts)
@example(nation="ENG", start=dt.datetime(2026, 12, 24, 15, tzinfo=dt.UTC), script=[(30, "ask")])
@example(
    nation="SCT", start=dt.datetime(2026, 12, 31, 9, tzinfo=dt.UTC), script=[(1, "ask"), (70, "take back")]
)
@example(nation="ENG", start=dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC), script=[(2, "update")])
@example(
    nation="NLD", start=dt.datetime(2026, 10, 23, 22, tzinfo=dt.UTC), script=[(1, "ask"), (48, "decide")]
)
@example(  # asked on the Saturday after the last working day, decided as Monday begins
    nation="ENG", start=dt.datetime(2027, 11, 29, tzinfo=dt.UTC), script=[(120, "ask"), (48, "decide")]
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_the_engine_says_what_the_slow_model_says(
    town: Town, nation: str, start: dt.datetime, script: list[tuple[int, str]]
) -> None:
    """Every breach and every desk, to the instant, whether time was swept often or once at the end."""
    Unit.objects.filter(unit_id="kent").update(country=nation)
    number = next(_number)
    report = town.report(origins=(f"203.0.{number % 250}.{number // 250 + 1}",), received_at=start)
    case = town.case_of(report)
    case.investigating_unit.country = nation
    by = Responder("Olive", case.investigating_unit, town.people["olive"])
    model, at = SlowCase(nation, start), start
    model.news()  # the case opened
    accept_case(case, by, at)
    model.accepted()
    is_decided = False
    for gap, name in script:
        at += gap * HOUR
        model.walk_to(at)
        waiting = list(Question.objects.filter(case=case, closed_at=None).order_by("pk"))
        if name == "ask":
            # What lapsed is only closed by a sweep, which in a served exchange has run.
            questions.sweep(at)
            asked = {q.code for q in Question.objects.filter(case=case, closed_at=None)}
            if fresh := [code for code in CODES if code not in asked][:1]:
                ask(case, by, fresh, at=at)
                model.news()
                model.questions.append(10 * 24)
        elif name == "take back" and waiting:
            questions.sweep(at)
            for question in waiting:
                withdraw_question(case, by, question.question_id, at)
            model.questions = []
        elif name == "update":
            questions.sweep(at)
            say_update(case, by, "looking", at)
            model.news()
        elif name == "sweep":
            questions.sweep(at)
        elif name == "sweep earlier":
            questions.sweep(at - gap * HOUR)
        elif name == "decide":
            questions.sweep(at)
            assess_case(case, by, "X-INV", "so", at)
            # The case goes on without its answers; what that makes due at this very instant was missed.
            model.questions = []
            model.fall_due()
            model.decide, is_decided = None, True
            model.news()
    end = at + 60 * 24 * HOUR
    model.walk_to(end)
    questions.sweep(end)
    assert sorted(told(case)) == sorted(model.history)
    running = case.clocks.filter(clock_id="P03", ended_at=None)
    assert running.exists() != is_decided
    # However late it catches up, it tells things in the order in which they fell due, and once.
    before = told(case)
    assert [instant for *_, instant in before] == sorted(instant for *_, instant in before)
    assert questions.sweep(end) == 0 and told(case) == before


@given(start=starts, hours=st.integers(0, 2000), nation=st.sampled_from(sorted(PLACES)))
def test_a_stretch_of_time_added_again_ends_where_it_ended(
    start: dt.datetime, hours: int, nation: str
) -> None:
    """`later` undoes `span`: to the instant in hours, and to the same working moment in working days."""
    end = start + hours * HOUR
    assert calendars.later(start, calendars.span(start, end, "hours", nation), "hours", nation) == end
    worked = calendars.span(start, end, "working_days", nation)
    landed = calendars.later(start, worked, "working_days", nation)
    assert calendars.span(start, landed, "working_days", nation) == worked
    assert calendars.is_working_day(calendars.wall_of(landed, nation).date(), nation)


@given(start=starts, days=st.integers(1, 20), nation=st.sampled_from(sorted(PLACES)))
def test_a_due_time_is_so_many_working_days_later(start: dt.datetime, days: int, nation: str) -> None:
    """What computes due times and what moves them agree."""
    due = calendars.due(start, days, "working_days", nation)
    assert calendars.later(start, dt.timedelta(days=days), "working_days", nation) == due
