"""The Jinja2 environment of the pages."""

from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest
from django.template.backends.utils import csrf_input
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader
from markupsafe import Markup

from tocsin.doors.web.filters import FILTERS
from tocsin.kernel.hashing import sha256_hex


def environment(**options: Any) -> Environment:
    """Django's Jinja2 backend calls this once; govuk macros are under `govuk_frontend_jinja/`."""
    own = options.pop("loader")
    macros = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    options |= {"trim_blocks": True, "lstrip_blocks": True}
    environment = Environment(loader=ChoiceLoader([own, macros]), **options)  # noqa: S701 (Django sets autoescape)
    environment.filters |= FILTERS
    environment.globals |= {"url": address, "asset": asset, "exchange": settings.ORIGIN, "safe": Markup}
    return environment


def forms(request: HttpRequest) -> dict[str, Any]:
    """One hidden field for all forms of a page: masking its secret anew for a hundred of them took 10 ms."""
    return {"csrf_input": SimpleLazyObject(lambda: csrf_input(request))}


def address(name: str, **arguments: Any) -> str:
    """The address of a page by its name in the doors' urls."""
    return reverse(name, kwargs=arguments or None)


def asset(name: str) -> str:
    """The address of a file that we serve; it changes with the content, so that browsers may keep it."""
    return f"{static(name)}?v={_digest(name)}"


@cache
def _digest(name: str) -> str:
    found = finders.find(name)
    return sha256_hex(Path(found).read_bytes())[:12] if found else "missing"
