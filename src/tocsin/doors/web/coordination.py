"""The coordinator's page."""

from django.http import HttpRequest, HttpResponse

from tocsin.access.policy import Actor
from tocsin.cases import queries
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page


@guards("coordination.read")
def coordination(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Where is silence?"""
    return page(request, "coordination", {"view": queries.coordination(actor)})
