"""The network engineer's page: what is shared, who of mine reads it, and how to set it up."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.policy import Actor, may
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.figures import benefit, networks

LONGEST = 255


@guards("network.read")
def network(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Am I protected?"""
    query = request.GET.get("q", "").strip()[:LONGEST]
    found = networks.look_up(actor, query)
    if found is not None:
        return HttpResponseRedirect(reverse("indicator", kwargs={"indicator_id": found}))
    view = networks.network(actor)
    context = {
        "view": view,
        "query": query,
        "public_url": settings.PUBLIC_URL,
        "benefit": benefit.benefit(actor),
        "may_read_readers": may(actor, "reader.read"),
    }
    return page(request, "network", context)
