"""The public figures, as a page and as a file."""

from django.http import HttpRequest, HttpResponse

from tocsin.access.policy import Actor
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.figures import export, queries


@guards("figures.read")
def figures(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Is it getting better?"""
    return page(request, "figures", {"published": queries.published()})


@guards("figures.read")
def figures_csv(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The numbers of the page, one a line."""
    return HttpResponse(
        export.to_csv(queries.published()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="tocsin-figures.csv"'},
    )
