"""Acts on many cases, taking them back, and the filters that somebody keeps."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.models import Person
from tocsin.access.policy import Actor
from tocsin.cases import bulk, filters
from tocsin.cases.bulk import Order, Result
from tocsin.doors.web import queue
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.doors.web.session import safe_next
from tocsin.doors.web.words import count_words
from tocsin.kernel.problems import BadInput, NotFound, NotSignedIn

SHOWN = 50  # cases that are named after a press


@guards("queue.read", "GET", "POST")
def act_on_many(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Does one thing to every case that was chosen; each is recorded by itself."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("queue"))
    typed = Typed.posted(request)
    try:
        result = bulk.do_many(actor, typed.all("case"), order_of(typed))
    except (BadInput, NotFound) as problem:
        typed.refuse(problem.detail)
        is_group = bool(typed.get("is_group"))
        return queue.show(request, actor, typed, is_group=is_group, status=422)
    request.session["pressed"] = told(result, bulk.DID[result.act])
    return back(typed)


@guards("queue.read", "POST")
def undo(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Takes back all that the last press did."""
    typed = Typed.posted(request)
    number = typed.get("bulk")
    if not number.isdecimal():
        raise NotFound()
    result = bulk.take_back(actor, int(number))
    request.session["pressed"] = told(result, "as before")
    return back(typed)


@guards("filter.save", "POST")
def save_filter(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Keeps what the queue is filtered by, under a name."""
    typed = Typed.posted(request)
    name = typed.get("name")
    saved = filters.save_filter(
        person_of(actor), name, typed.get("query"), is_default=bool(typed.get("is_default"))
    )
    messages.success(request, f"Kept as “{saved.name}”.")
    return HttpResponseRedirect(f"{reverse('queue')}?{saved.query or 'all=1'}")


@guards("filter.save", "POST")
def forget_filter(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Forgets a filter."""
    number = request.POST.get("filter", "")
    if not number.isdecimal():
        raise NotFound()
    filters.delete_filter(person_of(actor), int(number))
    messages.success(request, "The filter is forgotten.")
    return HttpResponseRedirect(reverse("queue"))


def order_of(typed: Typed) -> Order:
    """What is to be done, from the fields that belong to it."""
    act = typed.get("act")
    return Order(
        act=act,  # type: ignore[arg-type]  # `do_many` refuses what is no act
        status=typed.get("status"),
        outcome_code=typed.get("outcome"),
        words={"assess": typed.get("reason"), "answer": typed.get("words")}.get(
            act, typed.get("redirect_reason")
        ),
        would_have_helped=tuple(typed.all("help")),
        receiving_body=typed.get("receiving_body"),
        unit_id=typed.get("unit"),
    )


def told(result: Result, did: str) -> dict[str, object]:
    """What the next page says of a press: how many, which, and what was refused and why."""
    return {
        "words": f"{count_words(len(result.done), 'case')} {did}.",
        "done": list(result.done[:SHOWN]),
        "refused": [[one.case_id, one.title, one.reason] for one in result.refused[:SHOWN]],
    }


def back(typed: Typed, otherwise: str = "queue") -> HttpResponse:
    """Where the press was made."""
    return HttpResponseRedirect(safe_next(typed.get("back")) or reverse(otherwise))


def person_of(actor: Actor) -> Person:
    """The person behind the actor. Raises NotSignedIn."""
    if actor.person is None:
        raise NotSignedIn()
    return actor.person
