"""The Jinja2 environment of the pages."""

from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader


def environment(**options: Any) -> Environment:
    """Django's Jinja2 backend calls this once; govuk macros are under `govuk_frontend_jinja/`."""
    own = options.pop("loader")
    macros = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    return Environment(loader=ChoiceLoader([own, macros]), **options)  # noqa: S701 (Django sets autoescape)
