"""The interface's description: whole, stable, and readable as a page."""

import json
import re

import pytest
from django.test import Client
from tools.openapi import COPY, spelled

from tocsin.access.policy import POLICY
from tocsin.doors.api import describing
from tocsin.doors.api.interface import api

V1 = "/api/v1"


def test_the_description_is_the_committed_one() -> None:
    """Whoever changes it on purpose renews the copy with: python tools/openapi.py"""
    assert spelled(describing.document(api)) == COPY.read_text(), "renew it with: python tools/openapi.py"


def test_every_operation_says_what_it_is_who_may_and_how_it_refuses() -> None:
    """A summary, a tag, an id of its own, the scope where one is needed, problem documents."""
    document = describing.document(api)
    actions, seen = describing.actions_of(api), set()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            name = operation["operationId"]
            assert name not in seen
            seen.add(name)
            assert operation["summary"] and operation["description"], path
            assert operation["tags"][0] in describing.TAGS, path
            scope = POLICY[actions[name]].scope
            assert ("security" in operation) == (scope is not None), path
            assert scope is None or f"`{scope}`" in operation["description"]
    text = json.dumps(document)
    for name in set(re.findall(r"#/components/schemas/(\w+)", text)):
        assert name in document["components"]["schemas"]
    assert len(seen) > 45


@pytest.mark.django_db
def test_the_page_is_made_of_the_description_and_of_nothing_from_elsewhere() -> None:
    """Every operation stands on it; no script, style or picture of another place."""
    answer = Client().get(f"{V1}/docs")
    text = answer.content.decode()
    assert answer.status_code == 200
    for name in describing.actions_of(api):
        if name not in ("read_description", "read_docs"):
            assert f'id="{name}"' in text, name
    assert re.findall(r'(?:src|href)="(https?:)?//', text) == []
