"""Each page stands behind a line of the policy table, and problems are pages."""

import inspect

import pytest
from django.test import Client
from django.urls import URLPattern, reverse
from tests.doors.web import views_of

from tocsin.access.policy import POLICY
from tocsin.doors.web import guard
from tocsin.doors.web.urls import urlpatterns
from tocsin.kernel.problems import Conflict

ROUTES = [pattern for pattern in urlpatterns if isinstance(pattern, URLPattern)]
ARGUMENTS = {
    "case_id": "case_0000000000A1",
    "report_id": "report_000000000001",
    "indicator_id": "indicator_00000001",
    "token": "unknown",
    "appeal_id": "appeal_0000000000A1",
    "community_id": "community_0000000A1",
    "opening_id": "opening_000000000A1",
    "question_id": "question_0000000001",
    "duty_id": "1",
    "form": "crime-record",
    "hook_id": "hook_0000000000A1",
    "kind": "pdf",
    "provider_id": "organisation",
    "pk": 1,
    "member_id": "member_000000000001",
    "unit_id": "kent",
    "prefix": "000000000000",
    "guest_id": 1,
    "reading": 1,
    "move_id": "1",
}


def address_of(pattern: URLPattern) -> str:
    """The address of a route, with something in each of its places."""
    names = pattern.pattern.converters
    return reverse(str(pattern.name), kwargs={name: ARGUMENTS[name] for name in names})


def is_public(pattern: URLPattern) -> bool:
    return POLICY[pattern.callback.action].relation == "anyone"


def test_every_route_carries_a_line_of_the_policy_table() -> None:
    """A page without a guard cannot be added unnoticed."""
    assert len(ROUTES) == len(urlpatterns), "routes are listed plainly, so that this test sees them"
    assert {
        pattern.name for pattern in ROUTES if getattr(pattern.callback, "action", None) not in POLICY
    } == set()


def test_a_guard_needs_a_line_that_exists() -> None:
    """A misspelt action fails when the program loads, not when somebody comes."""
    with pytest.raises(KeyError):
        guard.guards("report.raed")


@pytest.mark.parametrize("pattern", [p for p in ROUTES if not is_public(p)], ids=lambda p: p.name)
def test_nobody_is_asked_to_sign_in(db: None, pattern: URLPattern) -> None:
    """Without a session every closed page gives the sign-in form and nothing of itself."""
    client = Client()
    address = address_of(pattern)
    answer = client.get(address)
    if answer.status_code == 405:
        answer = client.post(address)
    assert answer.status_code == 401
    assert b'name="password"' in answer.content


@pytest.mark.parametrize(
    ("who", "closed"),
    [
        (
            "reporter",
            {
                *("queue.read", "case.read", "case.answer", "case.merge", "filter.save", "suggestion.read"),
                *("suggestion.decide", "weights.read", "weights.set", "coordination.read", "link.make"),
                "packet.read",
            },
        ),
        (
            "officer",
            {"report.list", "report.read", "weights.set", "coordination.read", "link.make", "packet.read"},
        ),
        (
            "coordinator",
            {"report.list", "queue.read", "case.accept", "case.answer", "case.merge", "suggestion.read"},
        ),
    ],
)
def test_a_role_finds_the_pages_of_others_closed(
    request: pytest.FixtureRequest, who: str, closed: set[str]
) -> None:
    """403, before anything is looked up."""
    client: Client = request.getfixturevalue(who)
    routes = [pattern for pattern in ROUTES if pattern.callback.action in closed]
    assert {p.callback.action for p in routes} == closed
    for pattern in routes:
        answer = client.get(address_of(pattern))
        answer = client.post(address_of(pattern)) if answer.status_code == 405 else answer
        assert answer.status_code == 403, pattern.name


def test_the_navigation_shows_only_what_may_be_entered(officer: Client) -> None:
    """The same table makes the links."""
    page = officer.get(reverse("queue")).content.decode()
    assert 'href="/queue"' in page
    assert 'href="/reports"' not in page
    assert 'href="/coordination"' not in page


def test_a_wrong_method_is_a_page_that_names_the_right_ones(db: None) -> None:
    """405 with its header (RFC 9110 section 15.5.6)."""
    answer = Client().get(reverse("sign-out"))
    assert answer.status_code == 405
    assert answer["Allow"] == "HEAD, POST"
    assert b"does not take that kind of request" in answer.content


def test_a_problem_is_a_page_with_a_way_on(officer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happened, what to do, and a link; never a trace."""

    def moved_on(actor: object, case_id: str, **more: object) -> None:
        raise Conflict("somebody <b>else</b> has it", hint="look at the queue")

    monkeypatch.setattr("tocsin.cases.queries.read_case", moved_on)
    answer = officer.get(reverse("case", kwargs={"case_id": "case_1"}))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody &lt;b&gt;else&lt;/b&gt; has it." in page
    assert "look at the queue" in page
    assert 'href="/queue"' in page


def test_what_was_typed_survives_the_end_of_a_session(
    officer: Client, london: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent without a session, the form waits in the sign-in page and fills itself again afterwards."""
    reading = views_of.a_reading()
    monkeypatch.setattr("tocsin.cases.queries.read_case", lambda *_, **__: reading)
    address = reverse("case-assess", kwargs={"case_id": "case_0000000000A1"})
    client = Client()
    asked = client.post(address, {"status": "X-NFA", "reason": "An hour of thought, nearly lost"})
    assert asked.status_code == 401
    assert "Nothing that you typed is lost" in asked.content.decode()
    sealed = asked.content.decode().split('name="typed" value="')[1].split('"')[0]
    signed = client.post(
        reverse("sign-in"),
        {"email": "ada@example.org", "password": "a password of some length", "typed": sealed},
    )
    assert signed["Location"] == address
    page = client.get(address).content.decode()
    assert "An hour of thought, nearly lost" in page
    assert "An hour of thought" not in client.get(address).content.decode(), "shown once"


def test_a_broken_seal_restores_nothing() -> None:
    """What waits is signed, so nobody can put words into another's form."""
    assert guard.unseal_typed("not-sealed") is None


def test_every_view_says_what_question_it_answers() -> None:
    """A route's docstring is the page's purpose."""
    assert all(inspect.getdoc(pattern.callback) for pattern in ROUTES)
