"""Link review: do these belong together?"""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.policy import Actor
from tocsin.cases import causes, queries, reviewing
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.doors.web.session import safe_next
from tocsin.doors.web.words import count_words
from tocsin.kernel.problems import Conflict, NotAllowed, NotFound

SAID = {
    "yes": "They are one case now.",
    "no": "Kept apart; it will not be suggested again.",
    "unsure": "Left open for somebody else to look at.",
}


@guards("suggestion.read")
def review(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Pairs of cases side by side, each with its reason; of one case where the address names it."""
    return show(request, actor, Typed())


@guards("suggestion.decide", "POST")
def decide(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Yes, no or not sure, to a pair or to all of one cause."""
    typed = Typed.posted(request)
    pairs = typed.all("pair")
    try:
        causes.decide(actor, numbers(pairs), typed.get("said"))
    except (Conflict, NotAllowed) as problem:
        typed.refuse(problem.detail)
        return show(request, actor, typed, status=422)
    request.session["reviewed"] = [pairs, typed.get("said")]
    return HttpResponseRedirect(safe_next(typed.get("back")) or reverse("review"))


@guards("suggestion.decide", "POST")
def undo(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Takes the word back; what it joined is parted again."""
    causes.take_back(actor, numbers(request.POST.getlist("pair")))
    return HttpResponseRedirect(safe_next(request.POST.get("back", "")) or reverse("review"))


def show(request: HttpRequest, actor: Actor, typed: Typed, status: int = 200) -> HttpResponse:
    case_id = request.GET.get("case", "")
    case = queries.fetch_case(actor, case_id) if case_id else None
    found = reviewing.waiting(actor, case)
    groups = causes.by_cause(found)
    shown, waiting = causes.review(groups), len(found)
    reviewed = request.session.pop("reviewed", None)
    sentence = (
        _sentence(waiting, len(groups)) if waiting else "No two cases look as though they belonged together."
    )
    context = {
        "causes": shown,
        "waiting": len(groups),
        "sentence": sentence,
        "reviewed": {"pairs": reviewed[0], "words": SAID.get(reviewed[1], "")} if reviewed else None,
        "here": request.get_full_path() if request.method == "GET" else reverse("review"),
        "typed": typed,
        "errors": typed.errors,
    }
    return page(request, "review", context, status=status)


def numbers(given: Sequence[str]) -> list[int]:
    """The pairs that a press is about. Raises NotFound."""
    if not given or not all(one.isdecimal() and len(one) <= 18 for one in given):
        raise NotFound()
    return [int(one) for one in given]


def _sentence(pairs: int, groups: int) -> str:
    if pairs == groups:
        return f"{count_words(pairs, 'pair')} of cases may belong together; you decide."
    questions = count_words(groups, "question")
    return f"{count_words(pairs, 'pair')} of cases may belong together, in {questions}; you decide."
