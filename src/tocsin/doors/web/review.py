"""Link review: do these belong together?"""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.policy import Actor
from tocsin.cases import queries, reviewing
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
def decide(request: HttpRequest, actor: Actor, suggestion_id: str) -> HttpResponse:
    """Yes, no or not sure."""
    typed = Typed.posted(request)
    try:
        reviewing.decide(actor, number(suggestion_id), typed.get("said"))
    except (Conflict, NotAllowed) as problem:
        typed.refuse(problem.detail)
        return show(request, actor, typed, status=422)
    request.session["reviewed"] = [suggestion_id, typed.get("said")]
    return HttpResponseRedirect(safe_next(typed.get("back")) or reverse("review"))


@guards("suggestion.decide", "POST")
def undo(request: HttpRequest, actor: Actor, suggestion_id: str) -> HttpResponse:
    """Takes the word back; what it joined is parted again."""
    reviewing.take_back(actor, number(suggestion_id))
    return HttpResponseRedirect(safe_next(request.POST.get("back", "")) or reverse("review"))


def show(request: HttpRequest, actor: Actor, typed: Typed, status: int = 200) -> HttpResponse:
    case_id = request.GET.get("case", "")
    case = queries.fetch_case(actor, case_id) if case_id else None
    found = reviewing.waiting(actor, case)
    pairs, waiting = reviewing.review(found), len(found)
    reviewed = request.session.pop("reviewed", None)
    sentence = (
        f"{count_words(waiting, 'pair')} of cases may belong together; you decide."
        if waiting
        else "No two cases look as though they belonged together."
    )
    context = {
        "pairs": pairs,
        "waiting": waiting,
        "sentence": sentence,
        "reviewed": {"id": reviewed[0], "words": SAID.get(reviewed[1], "")} if reviewed else None,
        "here": request.get_full_path() if request.method == "GET" else reverse("review"),
        "typed": typed,
        "errors": typed.errors,
    }
    return page(request, "review", context, status=status)


def number(suggestion_id: str) -> int:
    """The number in the address. Raises NotFound."""
    if not suggestion_id.isdecimal() or len(suggestion_id) > 18:
        raise NotFound()
    return int(suggestion_id)
