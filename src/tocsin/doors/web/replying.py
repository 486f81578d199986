"""What a reporter does on the page of a report: answers a question, rates an answer, minds its own duties."""

import datetime as dt
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.policy import Actor
from tocsin.cases import services
from tocsin.cases.units import current_pack
from tocsin.doors.web import reports
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.kernel.problems import BadInput, Conflict
from tocsin.kernel.time import rfc3339
from tocsin.reference.calendars import zone


@guards("report.reply", "GET", "POST")
def reply(request: HttpRequest, actor: Actor, report_id: str, question_id: str) -> HttpResponse:
    """An answer, in one press."""

    def act(typed: Typed) -> str:
        answer = instant(typed.get("answer_at")) if typed.get("answer_at") else typed.get("answer")
        services.reply(actor, report_id, question_id, answer, typed.get("note"))
        return "Answered. The unit sees it, and nobody else does."

    return _act(request, actor, report_id, act)


@guards("report.rate", "GET", "POST")
def rate(request: HttpRequest, actor: Actor, report_id: str) -> HttpResponse:
    """How useful the answer was; it may be changed."""

    def act(typed: Typed) -> str:
        step = typed.get("step")
        services.rate_answer(actor, report_id, int(step) if step in "123" and step else 0, typed.get("note"))
        return "Thank you. The unit sees it."

    return _act(request, actor, report_id, act)


@guards("report.aware", "GET", "POST")
def aware(request: HttpRequest, actor: Actor, report_id: str) -> HttpResponse:
    """The member is aware of something that the law makes it tell."""

    def act(typed: Typed) -> str:
        started = services.become_aware(actor, report_id, typed.get("aware"))
        return "What is due to whom is listed on this page; only you see it." if started else ""

    return _act(request, actor, report_id, act)


@guards("report.aware", "GET", "POST")
def duty(request: HttpRequest, actor: Actor, report_id: str, duty_id: int) -> HttpResponse:
    """One of the member's own duties is done, or does not apply."""

    def act(typed: Typed) -> str:
        services.meet_duty(actor, duty_id, applies=typed.get("how") != "not ours")
        return "Recorded."

    return _act(request, actor, report_id, act)


def instant(typed: str) -> str:
    """What a browser's field for date and time gives, at the exchange's home, as RFC 3339."""
    try:
        at = dt.datetime.fromisoformat(typed)
    except ValueError:
        return typed
    return rfc3339(at if at.tzinfo else at.replace(tzinfo=zone(current_pack().info.home_nation)))


def _act(request: HttpRequest, actor: Actor, report_id: str, act: Callable[[Typed], str]) -> HttpResponse:
    if request.method != "POST":
        return reports.show(request, actor, report_id, Typed.waiting(request))
    typed = Typed.posted(request)
    try:
        said = act(typed)
    except (BadInput, Conflict) as problem:
        typed.refuse(f"{problem.detail}. {problem.hint}" if problem.hint else problem.detail)
        return reports.show(request, actor, report_id, typed, status=422)
    if said:
        messages.success(request, said)
    return HttpResponseRedirect(reverse("report", kwargs={"report_id": report_id}))
