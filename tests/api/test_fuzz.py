"""Whatever is sent, the REST interface answers with a problem or a result, and never with a 500."""

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.exchange import a_report, key_text, spelled

pytestmark = pytest.mark.django_db

relaxed = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
fields = st.sampled_from(sorted(json.loads(spelled(a_report()))))
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.fixture
def client() -> Client:
    return Client(headers={"Authorization": f"Bearer {key_text()}"})


def settled(response: Any) -> None:
    """A result, or a problem document of the sender's making."""
    assert response.status_code < 500, response.content
    if response.status_code >= 400:
        assert response["Content-Type"] == "application/problem+json"


@given(body=st.binary(max_size=100) | values.map(lambda value: json.dumps(value).encode()))
@relaxed
def test_any_body(client: Client, body: bytes) -> None:
    """Bytes, and JSON that is no report."""
    for path in ("reports", "reports/batch"):
        settled(client.post(f"/api/v1/{path}", body, content_type="application/json"))


@given(field=fields, value=values)
@relaxed
def test_any_field_of_a_report(client: Client, field: str, value: object) -> None:
    """A report in which one field is anything at all."""
    report = {**json.loads(spelled(a_report())), field: value}
    body = json.dumps({"reports": [report]})
    response = client.post("/api/v1/reports/batch", body, content_type="application/json")
    settled(response)
    if response.status_code == 200:
        answer = response.json()
        assert len(answer["receipts"]) + len(answer["refusals"]) == 1


@given(
    path=st.sampled_from(["reports", "journal/head", "journal/inclusion", "journal/consistency"]),
    query=st.dictionaries(
        st.sampled_from(["updated_since", "cursor", "limit", "seq", "tree_size", "old", "new"]),
        words | st.integers().map(str),
        max_size=3,
    ),
)
@relaxed
def test_any_question(client: Client, path: str, query: dict[str, str]) -> None:
    """Parameters of any kind."""
    settled(client.get(f"/api/v1/{path}", query))


@given(name=words, suffix=st.sampled_from(["", "/receipt"]))
@relaxed
def test_any_report_id(client: Client, name: str, suffix: str) -> None:
    """An id of any spelling."""
    settled(client.get(f"/api/v1/reports/{name}{suffix}"))
