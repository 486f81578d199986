"""What I am told by mail: choosing it, and stopping it from a mail without signing in."""

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from tocsin.access.policy import Actor
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.kernel.problems import BadInput, NotFound
from tocsin.notices import mailing, queries, wishes
from tocsin.notices.kinds import KINDS
from tocsin.notices.letters import SALT
from tocsin.notices.models import Wish

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@guards("notices.choose", "GET", "POST")
def choose(request: HttpRequest, actor: Actor) -> HttpResponse:
    """How do I wish to hear of what?"""
    if request.method != "POST":
        return _show(request, actor, Typed.waiting(request))
    typed = Typed.posted(request)
    if typed.get("act") == "revive":
        wishes.revive(actor)
        messages.success(request, "Mail is sent to your address again.")
        return HttpResponseRedirect(reverse("notices"))
    try:
        wishes.wish(
            actor,
            {kind.kind: typed.get(kind.kind, kind.default) for kind in wishes.kinds_for(actor)},
            zone=typed.get("zone"),
            digest_hour=_hour(typed, "digest_hour"),
            digest_days="".join(typed.all("day")),
            quiet=(_hour(typed, "quiet_from"), _hour(typed, "quiet_to")) if typed.get("quiet") else None,
        )
    except BadInput as problem:
        typed.refuse(problem.detail)
        return _show(request, actor, typed, status=422)
    messages.success(request, "Kept. It holds from the next piece of news on.")
    return HttpResponseRedirect(reverse("notices"))


@csrf_exempt  # RFC 8058: the mail program posts without a page; the token does nothing but stop mail
@guards("notices.stop", "GET", "POST")
def stop(request: HttpRequest, actor: Actor, token: str) -> HttpResponse:
    """No more mail of the kinds that this mail told."""
    try:
        named = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        raise NotFound("this link stops nothing: it is not whole, or not ours") from None
    kinds = [KINDS[kind] for kind in named["kinds"] if kind in KINDS]
    if request.method == "POST":
        wishes.stop(named["person"], [kind.kind for kind in kinds])
    return page(request, "notices_stop", {"kinds": kinds, "is_done": request.method == "POST"})


def _hour(typed: Typed, name: str) -> int:
    try:
        return int(typed.get(name, "0") or "0")
    except ValueError:
        raise BadInput("an hour is from 0 to 23") from None


def _show(request: HttpRequest, actor: Actor, typed: Typed, *, status: int = 200) -> HttpResponse:
    view = queries.wishes_view(actor)
    context = {
        "view": view,
        "typed": typed,
        "errors": typed.errors,
        "channels": Wish.Channel.choices,
        "days": [(str(number), name) for number, name in enumerate(DAY_NAMES, start=1)],
        "hours": [(str(hour), f"{hour:02}:00") for hour in range(24)],
        "zones": wishes.zones(),
        "is_on": mailing.is_on(),
    }
    return page(request, "notices", context, status=status)
