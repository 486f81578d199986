"""By class of attack: what is listed, what it stopped here, and a policy to copy for one's own machines."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tocsin.access.policy import Actor
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.doors.web.papers import table
from tocsin.figures import classes as figures

COLUMNS = ("class", "words", "names", "addresses", "stopped_in_30_days")


@guards("network.read")
def classes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What is listed for which class, and what shall each get here?"""
    context = {"view": figures.classes(actor), "public_url": settings.PUBLIC_URL}
    return page(request, "classes", context)


@guards("network.read")
def classes_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The same as a file (RFC 4180)."""
    found = figures.classes(actor).rows
    rows = ((row.attack_kind, row.words, row.names, row.addresses, row.stopped) for row in found)
    return table("classes.csv", COLUMNS, rows)
