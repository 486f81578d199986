"""What is spreading now, as a page that keeps itself up to date and as a file."""

from django.http import HttpRequest, HttpResponse

from tocsin.access.policy import Actor
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.doors.web.papers import table
from tocsin.figures import spreading as figures


@guards("network.read")
def spreading(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What should my network worry about?"""
    return page(request, "spreading", {"view": figures.spreading(actor)})


@guards("network.read")
def spreading_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The same numbers: a line for each kind, or campaign, and hour, every instant UTC (RFC 4180)."""
    view = figures.spreading(actor)
    told = [(one.kind, "", one.by_hour) for one in view.kinds]
    told += [("", one.place, one.by_hour) for one in view.campaigns]
    rows = (
        (kind, campaign, hour, count)
        for kind, campaign, by_hour in told
        for hour, count in zip(view.hours, by_hour, strict=True)
    )
    return table("tocsin-spreading.csv", ("kind", "campaign", "hour", "addresses_and_names"), rows)
