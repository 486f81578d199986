"""The pages for what no view answered: Django's own 400, 403, 404, 500, and a form from elsewhere."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from tocsin.doors.web.guard import problem_page
from tocsin.kernel.problems import BadInput, NotAllowed, NotFound


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return problem_page(request, BadInput(hint="go back, and try again"))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return problem_page(request, NotAllowed())


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    hint = "check the address; a link that was sent to you may have run out"
    return problem_page(request, NotFound(hint=hint))


def form_from_elsewhere(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form's token is missing or old (cross-site request forgery)."""
    hint = "go back, load the page again, and send it once more; cookies must be allowed for this site"
    return problem_page(
        request, NotAllowed("This form did not come from this site, or is too old", hint=hint)
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500: made without database or session, since one of them may be what failed."""
    return HttpResponse(render_to_string("broken.html"), status=500)
