"""A supervisor's page: who is drowning, and giving cases to somebody else."""

import csv
from collections.abc import Iterator
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.policy import Actor
from tocsin.cases import bulk, queries, supervising
from tocsin.cases.bulk import Order
from tocsin.cases.supervising import Asked, TeamView
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.doors.web.many import back, told
from tocsin.doors.web.pages import page
from tocsin.doors.web.paging import pages_of
from tocsin.doors.web.papers import kept
from tocsin.doors.web.queue import pressed
from tocsin.doors.web.reports import Echo, cell
from tocsin.kernel.problems import BadInput, NotFound

COLUMNS = ("name", "open", "overdue", "due_today", "oldest_opened_at", "overdue_since", "works_here")
SHOWN = {"open": "open", "late": "overdue", "today": "due today"}


@guards("team.read")
def team(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Who is drowning?"""
    return show(request, actor, Typed())


@guards("team.read")
def team_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The load of each person as a file."""
    return kept("".join(_lines(queries.team(actor))).encode(), "text/csv; charset=utf-8", "team.csv")


@guards("case.reassign", "GET", "POST")
def reassign(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Gives every case that was chosen to one person; each is recorded by itself."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("team"))
    typed = Typed.posted(request)
    person = typed.get("person")
    order = Order(
        "reassign",
        words=typed.get("reassign_reason"),
        person=int(person) if person.isdecimal() and len(person) < 12 else 0,
    )
    try:
        result = bulk.do_many(actor, typed.all("case"), order)
    except (BadInput, NotFound) as problem:
        typed.refuse(problem.detail)
        return show(request, actor, typed, status=422)
    request.session["pressed"] = told(result, bulk.DID[result.act])
    return back(typed, "team")


def show(request: HttpRequest, actor: Actor, typed: Typed, *, status: int = 200) -> HttpResponse:
    """The page; what was chosen is still ticked."""
    given = request.GET if request.method == "GET" else typed_query(typed)
    which, number = given.get("show", ""), given.get("page", "1")
    asked = Asked(given.get("who", "")[:200], which if which in supervising.WHICH else "open")
    view = queries.team(actor, asked, int(number) if number.isdecimal() and len(number) < 8 else 1)
    here = f"{reverse('team')}?{query_of(view.asked)}"
    context = {
        "view": view,
        "here": here,
        "shown": SHOWN[view.asked.which],
        "links": pages_of(view.number, view.pages, here.replace("{", "{{").replace("}", "}}") + "&page={}"),
        "chosen": set(typed.all("case")),
        "typed": typed,
        "errors": typed.errors,
        "receivers": [{"value": str(pk), "text": name} for pk, name in view.receivers],
        **pressed(request, actor),
    }
    return page(request, "team", context, status=status)


def typed_query(typed: Typed) -> dict[str, str]:
    """Which cases the form that was sent showed."""
    return {name: typed.get(name) for name in ("who", "show", "page") if typed.get(name)}


def query_of(asked: Asked) -> str:
    """The address's part that asks for these cases."""
    return urlencode({"who": asked.who, "show": asked.which})


def _lines(view: TeamView) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    for load in view.people:
        instants = [cell(at) if at is not None else "" for at in (load.oldest_at, load.late_since)]
        works = "no" if load.is_gone else "yes" if load.key != supervising.NOBODY else ""
        yield writer.writerow([cell(load.name), load.open, load.late, load.today, *instants, works])
