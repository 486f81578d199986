"""Webhooks: signed, in order, each once, kept while the other end is away, and never into our own network."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.test import Client
from tests.cases.town import NOON, Town, build_town

from tocsin.cases import sealing
from tocsin.cases.services import Responder, accept_case, answer_case
from tocsin.journal import queries as journal
from tocsin.kernel.problems import BadInput
from tocsin.notices import calling, delivering, hooks, services
from tocsin.notices.models import Delivery, Endpoint

HOUR = dt.timedelta(hours=1)


class Machine:
    """A member's machine: it keeps what it is told, and answers as it is asked to."""

    def __init__(self) -> None:
        self.told: list[tuple[dict[str, str], bytes]] = []
        self.answers = 204
        machine = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if machine.answers < 300:
                    machine.told.append((dict(self.headers), body))
                self.send_response(machine.answers)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_address[1]}/hook"

    @property
    def positions(self) -> list[int]:
        return [json.loads(body)["position"] for _, body in self.told]


@pytest.fixture
def machine() -> Iterator[Machine]:
    found = Machine()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
def town(db: None, settings) -> Town:  # type: ignore[no-untyped-def]
    settings.WEBHOOKS_ANYWHERE = True
    return build_town()


def kents(town: Town, machine: Machine) -> Endpoint:
    return hooks.make(town.actor("saul"), "kent", machine.url)


def ferrys(town: Town, machine: Machine) -> Endpoint:
    """An endpoint of Ferry's, as its administrator would make it."""
    at = dt.datetime.now(dt.UTC)
    return Endpoint.objects.create(
        member=town.members["ferry"],
        url=machine.url,
        secret=hooks.new_secret(),
        made_by=town.people["rita"],
        made_at=at,
        next_at=at,
    )


def answered(town: Town) -> None:
    case = town.case_of(town.report("ferry"))
    olive = Responder.of(town.actor("olive"), case)
    accept_case(case, olive, NOON + HOUR)
    answer_case(case, olive, "18", "Nobody was found.", ["source-port"], at=NOON + 2 * HOUR)
    services.tell(0, journal.size())


def later(hours: float) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + hours * HOUR


def test_a_member_hears_of_its_own_in_order_and_signed(town: Town, machine: Machine) -> None:
    """Every message carries a signature that the secret verifies, and its place in the journal."""
    endpoint = ferrys(town, machine)
    answered(town)
    assert delivering.deliver_due(later(1)) == len(machine.told) > 1
    assert machine.positions == sorted(machine.positions)
    for headers, body in machine.told:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(endpoint.secret.removeprefix("whsec_"))
        wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{wanted}"
    ended = json.loads(machine.told[-1][1])
    assert ended["type"] == "cases:case:answered"
    assert ended["data"]["report_count"] == 1 and "Nobody was found" in ended["data"]["words"]
    services.tell(0, journal.size())
    assert delivering.deliver_due(later(2)) == 0


def test_another_member_hears_nothing(town: Town, machine: Machine) -> None:
    """What happens to Ferry's report is no message to Medway."""
    endpoint = ferrys(town, machine)
    Endpoint.objects.filter(pk=endpoint.pk).update(member=town.members["medway"])
    answered(town)
    assert not Delivery.objects.exists()


def test_a_unit_hears_of_its_cases(town: Town, machine: Machine) -> None:
    """Kent's machine is told of Kent's cases, and of the restricted lane nothing."""
    kents(town, machine)
    town.report("ferry")
    town.report("ferry", lane="restricted", kind="abusive-content/violence", origins=("203.0.113.99",))
    services.tell(0, journal.size())
    delivering.deliver_due(later(1))
    told = [json.loads(body) for _, body in machine.told]
    assert [one["type"] for one in told] == ["cases:case:opened"]
    assert told[0]["data"]["case_id"].startswith("case_")


def test_no_machine_hears_that_a_seal_was_broken(town: Town, machine: Machine) -> None:
    """Not even once the seal is lifted: the entry holds the reason."""
    kents(town, machine), ferrys(town, machine)
    town.person("sonia", "supervisor", unit="kent")
    case = town.case_of(town.report("ferry"))
    sealing.seal_case(case, town.actor("saul"), [], "A witness of the unit is in it")
    sealing.break_glass(town.actor("sonia"), case.case_id, "Somebody is in danger")
    sealing.lift_seal(case, town.actor("saul"))
    services.tell(0, journal.size())
    assert Delivery.objects.exists()
    assert not Delivery.objects.filter(event="cases:seal:broken").exists()


def test_what_is_not_taken_is_tried_again_in_order(town: Town, machine: Machine) -> None:
    """A 500 delays everything behind it, loses nothing and repeats nothing that was taken."""
    ferrys(town, machine)
    machine.answers = 500
    answered(town)
    assert delivering.deliver_due(later(1)) == 0
    assert delivering.deliver_due(later(1)) == 0  # not due yet
    endpoint = Endpoint.objects.get()
    assert endpoint.failing_since is not None and endpoint.attempts == 1
    machine.answers = 200
    count = Delivery.objects.count()
    assert delivering.deliver_due(later(2)) == count == len(machine.told)
    assert machine.positions == sorted(machine.positions)
    assert Endpoint.objects.get().failing_since is None


def test_after_three_days_it_is_dead_and_nothing_is_dropped(town: Town, machine: Machine) -> None:
    """A dead endpoint is called no more until somebody resumes it; then it hears all that waited."""
    made = kents(town, machine)
    machine.answers = 503
    town.report("ferry")
    services.tell(0, journal.size())
    for hours in (1, 30, 60, 80):
        delivering.deliver_due(later(hours))
    assert Endpoint.objects.get().dead_at is not None
    machine.answers = 200
    assert delivering.deliver_due(later(100)) == 0
    hooks.resume(town.actor("saul"), made.hook_id)
    assert delivering.deliver_due(later(101)) == 1


def test_it_is_replayed_by_position(town: Town, machine: Machine) -> None:
    """From a position on everything comes once more, in order."""
    made = kents(town, machine)
    for number in range(3):
        town.report("lakes" if number > 5 else "ferry", origins=(f"203.0.113.{number + 10}",))
    services.tell(0, journal.size())
    delivering.deliver_due(later(1))
    first = machine.positions
    assert hooks.replay(town.actor("saul"), made.hook_id, first[1]) == 2
    delivering.deliver_due(later(2))
    assert machine.positions == [*first, *first[1:]]


def test_for_a_day_two_secrets_sign(town: Town, machine: Machine) -> None:
    """A secret is changed without a message being refused."""
    made = kents(town, machine)
    hooks.rotate(town.actor("saul"), made.hook_id)
    hooks.send_test(town.actor("saul"), made.hook_id)
    delivering.deliver_due(later(1))
    assert len(machine.told[0][0]["webhook-signature"].split()) == 2
    hooks.send_test(town.actor("saul"), made.hook_id)
    delivering.deliver_due(later(30))
    assert len(machine.told[1][0]["webhook-signature"].split()) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "https://user:secret@example.org/",
        "ftp://example.org/",
        "https:///x",
        "https://" + "a" * 500,
    ],
)
def test_an_address_that_is_never_called_is_refused(url: str, settings) -> None:  # type: ignore[no-untyped-def]
    """Only https, without a password in it."""
    settings.WEBHOOKS_ANYWHERE = False
    with pytest.raises(BadInput):
        calling.check_url(url)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "0.0.0.0"]
)
def test_the_exchanges_own_network_is_never_called(host: str, settings) -> None:  # type: ignore[no-untyped-def]
    """A name is judged by what it stands for, at the moment of the call."""
    settings.WEBHOOKS_ANYWHERE = False
    outcome = calling.send(calling.Call(f"https://{host}/", "id", "{}", (hooks.new_secret(),)), NOON)
    assert outcome.status is None and "public" in outcome.error


def test_the_pages_make_test_and_remove_it(town: Town, machine: Machine, client: Client) -> None:
    """A supervisor does all of it with a browser; a reporter finds nothing."""
    client.force_login(town.people["rita"])
    assert client.get("/webhooks").status_code == 403
    client.force_login(town.people["saul"])
    assert "None of your machines" in client.get("/webhooks").content.decode()
    assert client.post("/webhooks", {"owner": "kent", "url": "nonsense"}).status_code == 422
    assert client.post("/webhooks", {"owner": "essex", "url": machine.url}).status_code == 422
    where = client.post("/webhooks", {"owner": "kent", "url": machine.url})["Location"]
    assert "whsec_" in client.get(where).content.decode()
    client.post(where, {"act": "test"})
    delivering.deliver_due(later(1))
    assert "delivered" in client.get(where).content.decode()
    client.post(where, {"act": "rotate"})
    assert client.post(where, {"act": "replay", "position": "x"}).status_code == 400
    client.post(where, {"act": "remove"})
    assert not Endpoint.objects.exists()
    other = ferrys(town, machine)
    assert client.get(f"/webhooks/{other.hook_id}").status_code == 404


def test_indicators_are_for_members_machines(town: Town, machine: Machine) -> None:
    """A unit's asks for them in vain; a member's administrator asks on the page."""
    with pytest.raises(BadInput, match="indicators are told to members"):
        hooks.make(town.actor("saul"), "kent", machine.url, hears_indicators=True)
    town.person("amy", "administrator", member="ferry")
    client = Client()
    client.force_login(town.people["amy"])
    sent = {"owner": town.members["ferry"].member_id, "url": machine.url, "indicators": "yes"}
    assert client.post("/webhooks", sent).status_code == 302
    made = Endpoint.objects.get()
    assert made.hears_indicators
    assert b"with indicators" in client.get(f"/webhooks/{made.hook_id}").content
