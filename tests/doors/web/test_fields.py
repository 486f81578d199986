"""Our quick form components draw what the library's own draw."""

import re
from typing import Any

import pytest
from django.template import engines

ITEMS = [{"value": "a", "text": "A & B"}, {"value": "b", "text": "Bee", "attributes": {"data-words": '"b"'}}]
GIVEN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Select", {"items": ITEMS}),
    ("Select", {"items": ITEMS, "value": "b", "classes": "x", "attributes": {"data-fills": "words"}}),
    ("Select", {"items": ITEMS, "hint": {"text": "Choose"}, "errorMessage": {"text": "Do choose"}}),
    ("Input", {"value": "typed <b>", "spellcheck": False}),
    ("Input", {"value": "", "type": "email", "autocomplete": "off", "inputmode": "numeric", "classes": "x"}),
    ("Input", {"hint": {"text": "As it is"}, "errorMessage": {"text": "Missing"}}),
    ("Input", {"errorMessage": None}),
    ("Checkboxes", {"items": [{"value": "a", "text": "A"}, {"value": "b", "text": "B", "checked": True}]}),
    (
        "Checkboxes",
        {
            "items": [{"value": "a", "text": "A"}],
            "classes": "govuk-checkboxes--small",
            "fieldset": {"legend": {"text": "What?", "classes": "govuk-fieldset__legend--s"}},
            "hint": {"text": "Some"},
            "errorMessage": {"text": "At least one"},
        },
    ),
)


@pytest.mark.parametrize(("name", "given"), GIVEN)
def test_a_quick_component_is_the_librarys(name: str, given: dict[str, Any]) -> None:
    """But for white space between tags."""
    params = {"id": "f", "idPrefix": "f", "name": "field", "label": {"text": "Say", "classes": "t-small"}}
    params |= given
    library = f"govuk_frontend_jinja/components/{name.lower()}/macro.html"
    assert drawn("fields.html", name, params) == drawn(library, name, params)


def drawn(template: str, name: str, params: dict[str, Any]) -> str:
    """The component's HTML without white space around its tags."""
    source = f'{{% from "{template}" import govuk{name} %}}{{{{ govuk{name}(params) }}}}'
    return re.sub(r"\s*(<|>)\s*", r"\1", engines["jinja2"].from_string(source).render({"params": params}))
