"""Resolvers: which machines have the lists, who is behind, and how to mend it."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.policy import Actor, may
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.doors.web.papers import table
from tocsin.sharing import readers, rules

COLUMNS = (
    "member", "key", "way", "what", "state", "number", "current", "behind", "began_at", "taken_at", "read_at",
    "owes_since", "late",
)  # fmt: skip


@guards("reader.read")
def resolvers(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Am I protected by what stands on the lists now?"""
    known = rules.DEFAULTS.readers
    context = {
        "view": readers.readers(actor),
        "may_forget": may(actor, "reader.forget"),
        "may_go_back": may(actor, "network.read"),
        "public_url": settings.PUBLIC_URL,
        "within": known.within_minutes,
        "counted_days": known.counted_days,
        "states": STATES,
    }
    return page(request, "resolvers", context)


@guards("reader.read")
def resolvers_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The same as a file, every instant UTC (RFC 4180)."""
    rows = (
        (
            *(row.member, row.label, row.way, row.what, row.state, row.number, row.current, row.behind),
            *(instant or "" for instant in (row.began_at, row.taken_at, row.read_at, row.owes_since)),
            "yes" if row.is_late else "no",
        )
        for row in readers.readers(actor).rows
    )
    return table("resolvers.csv", COLUMNS, rows)


@guards("reader.forget", "POST")
def forget(request: HttpRequest, actor: Actor, reading: int) -> HttpResponse:
    """A machine that is gone is not waited for."""
    what = readers.forget(actor, reading)
    messages.success(request, f"Forgotten: {what}. If it reads again, it comes back here.")
    return HttpResponseRedirect(reverse("resolvers"))


STATES = {
    readers.IN_STEP: "In step",
    readers.BEHIND: "Behind",
    readers.SILENT: "Silent",
    readers.NEVER: "Never read",
}
