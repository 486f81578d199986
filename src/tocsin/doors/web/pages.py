"""One page: a template, what it shows, and the frame around it."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from tocsin.access import alerts
from tocsin.access.policy import NOBODY, Actor, may


@dataclass(frozen=True)
class NavItem:
    """A line of the navigation; `is_current` marks the part of the site that the reader is in."""

    text: str
    href: str
    is_current: bool


SECOND = "second"  # in the session: were two factors shown?
PROVED_AT = "proved_at"  # in the session: when somebody last proved who they are, in seconds since 1970

Parts = tuple[tuple[str, str, str, tuple[str, ...]], ...]
# The parts of the site: words, name of the address, and the action that the reader must be allowed.
PARTS: Parts = (
    ("My reports", "reports", "report.list", ("/reports",)),
    ("Queue", "queue", "queue.read", ("/queue", "/cases", "/links")),
    ("Team", "team", "team.read", ("/team",)),
    ("Coordination", "coordination", "coordination.read", ("/coordination",)),
    ("Network", "network", "network.read", ("/network", "/indicators", "/communities")),
    ("Appeals", "appeals", "appeal.decide", ("/appeals",)),
    ("Sources", "sources", "source.review", ("/sources",)),
    ("Administration", "administration", "admin.read", ("/administration",)),
    ("Figures", "figures", "figures.read", ("/figures",)),
    ("Journal", "journal", "journal.read", ("/journal",)),
)
HOMES = PARTS[:5]  # where somebody's own work may be
# What is a person's own, behind the name in the header. Help stands at the foot of every page.
MINE: Parts = (
    ("Account", "account", "account.read", ("/account",)),
    ("Mail", "notices", "notices.choose", ("/notices",)),
    ("Webhooks", "webhooks", "webhook.manage", ("/webhooks",)),
)

OWN_PAGES = ("/account", "/notices", "/webhooks")


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field, in words, and which field to put right."""

    field: str
    text: str


def actor_of(request: HttpRequest) -> Actor:
    """Who is behind the session; looked up once a request."""
    known: Actor | None = getattr(request, "tocsin_actor", None)
    if known is None:
        user = getattr(request, "user", None)  # missing where a request was refused before it had a session
        known = NOBODY
        if user is not None and user.is_authenticated:
            # Without a second factor shown, the roles that need one are withheld.
            without = () if request.session.get(SECOND) else settings.SECOND_FACTOR_ROLES
            known = Actor.of_person(user, without=without)
        request.tocsin_actor = known  # type: ignore[attr-defined]
    return known


def page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """The template inside the frame: navigation for this reader, messages, errors first."""
    actor = actor_of(request)
    frame = {
        "actor": actor,
        "nav": navigation(actor, request.path),
        "mine": navigation(actor, request.path, MINE) if request.path in OWN_PAGES else [],
        "banners": list(messages.get_messages(request)),
        "errors": [],
        "alerts": alerts.unseen(actor),
    }
    return render(request, f"{template}.html", frame | (context or {}), status=status)


def navigation(actor: Actor, path: str, parts: Parts = PARTS) -> list[NavItem]:
    """The parts of the site, or of what is the actor's own, that this actor may enter."""
    return [
        NavItem(text, reverse(name), path.startswith(prefixes))
        for text, name, action, prefixes in parts
        if may(actor, action)
    ]


def home_of(actor: Actor) -> str:
    """Where somebody's work is: the first part of the site that is theirs."""
    if actor.withheld:
        return reverse("account")
    for _, name, action, _ in HOMES:
        if may(actor, action):
            return reverse(name)
    return reverse("start")
