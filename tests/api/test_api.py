"""The REST interface: reports in, states out, proofs for anyone, and nothing given away."""

import gzip
import json
from typing import Any

import msgspec
import pytest
from django.test import Client
from tests.exchange import a_member, a_report, key_text, spelled

from tocsin.access import keys as access_keys
from tocsin.access import services as access
from tocsin.access.policy import POLICY
from tocsin.doors.api.guards import Guard, Open
from tocsin.doors.api.interface import api
from tocsin.intake.models import Report
from tocsin.journal import keys
from tocsin.kernel.time import now
from tocsin.proof import merkle, signing
from tocsin.wire import report as wire

pytestmark = pytest.mark.django_db

V1 = "/api/v1"


def as_holder(key: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def mine() -> Client:
    """A client with a key of its own member."""
    return as_holder(key_text())


def post(client: Client, path: str, body: bytes, **extra: Any) -> Any:
    return client.post(V1 + path, body, content_type="application/json", **extra)


def batch(*reports: wire.Report) -> bytes:
    return msgspec.json.encode({"reports": reports})


def assert_problem(response: Any, status: int, slug: str | None = None) -> dict[str, Any]:
    """RFC 9457, and no trace of our insides."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = json.loads(response.content)
    assert document["status"] == status
    assert slug is None or document["type"] == f"about:blank#{slug}"
    assert b"Traceback" not in response.content
    return document


def test_one_report_gives_a_receipt_and_again_the_same(mine: Client) -> None:
    """201 the first time, 200 with the stored receipt afterwards."""
    body = spelled(a_report())
    first, again = post(mine, "/reports", body), post(mine, "/reports", body)
    assert (first.status_code, again.status_code) == (201, 200)
    accepted = msgspec.json.decode(first.content, type=wire.Accepted)
    assert accepted.receipts == msgspec.json.decode(again.content, type=wire.Accepted).receipts


def test_a_refused_report_is_a_problem(mine: Client) -> None:
    """The field is named."""
    document = assert_problem(post(mine, "/reports", spelled(a_report(count=0))), 400, "bad-report")
    assert "count" in document["detail"]


def test_a_batch_takes_the_good_and_names_the_bad(mine: Client) -> None:
    """Positions of refusals are those of the batch."""
    response = post(mine, "/reports/batch", batch(a_report(), a_report(kind="nonsense"), a_report()))
    accepted = msgspec.json.decode(response.content, type=wire.Accepted)
    assert accepted.states == ["new", "new"]
    assert [(refusal.position, refusal.slug) for refusal in accepted.refusals] == [(1, "bad-report")]


def test_a_gzipped_batch_is_understood(mine: Client) -> None:
    """`Content-Encoding: gzip` saves the provider's uplink."""
    body = gzip.compress(batch(a_report()))
    response = post(mine, "/reports/batch", body, headers={"Content-Encoding": "gzip"})
    assert response.status_code == 200


def test_a_report_is_listed_read_and_its_receipt_made_again(mine: Client) -> None:
    """The three reads agree with what was sent."""
    report = a_report()
    accepted = msgspec.json.decode(post(mine, "/reports", spelled(report)).content, type=wire.Accepted)
    report_id = accepted.receipts[0].report_id
    listed = mine.get(f"{V1}/reports").json()["reports"]
    assert [item["report_id"] for item in listed] == [report_id]
    read = mine.get(f"{V1}/reports/{report_id}").json()
    assert read == listed[0]
    assert read["state"]["code"] == "X-ACK"
    assert msgspec.convert(read["content"], wire.Report) == report
    receipt = msgspec.json.decode(mine.get(f"{V1}/reports/{report_id}/receipt").content, type=wire.Receipt)
    assert receipt == accepted.receipts[0]


def test_pages_cover_everything_once_and_the_cursor_goes_on_later(mine: Client) -> None:
    """A cursor from the last page picks up what came afterwards."""
    post(mine, "/reports/batch", batch(*(a_report() for _ in range(25))))
    seen, cursor, more = [], "", True
    while more:
        page = mine.get(f"{V1}/reports", {"limit": 10, **({"cursor": cursor} if cursor else {})}).json()
        seen += [item["report_id"] for item in page["reports"]]
        cursor, more = page["cursor"], page["more"]
    assert len(seen) == len(set(seen)) == 25
    assert mine.get(f"{V1}/reports", {"cursor": cursor}).json() == {
        "reports": [],
        "cursor": cursor,
        "more": False,
    }
    post(mine, "/reports", spelled(a_report()))
    assert len(mine.get(f"{V1}/reports", {"cursor": cursor}).json()["reports"]) == 1


def test_updated_since_begins_where_it_says(mine: Client) -> None:
    """Nothing before the instant, everything from it on."""
    post(mine, "/reports", spelled(a_report()))
    middle = Report.objects.get().updated_at.isoformat()
    post(mine, "/reports", spelled(a_report()))
    assert len(mine.get(f"{V1}/reports", {"updated_since": middle}).json()["reports"]) == 2
    assert mine.get(f"{V1}/reports", {"updated_since": now().isoformat()}).json()["reports"] == []
    assert_problem(mine.get(f"{V1}/reports", {"updated_since": "yesterday"}), 400, "bad-input")


def test_anothers_report_is_no_different_from_none(mine: Client) -> None:
    """The two answers are the same to the byte."""
    theirs = as_holder(key_text())
    accepted = msgspec.json.decode(post(theirs, "/reports", spelled(a_report())).content, type=wire.Accepted)
    other = accepted.receipts[0].report_id
    for suffix in ("", "/receipt"):
        answers = {
            mine.get(f"{V1}/reports/{wanted}{suffix}").content for wanted in (other, "report_000000000000")
        }
        assert len(answers) == 1
    assert_problem(mine.get(f"{V1}/reports/{other}"), 404, "not-found")
    assert mine.get(f"{V1}/reports").json()["reports"] == []


def bad_keys() -> dict[str, str | None]:
    """Every way in which a key can be of no use."""
    revoked, text = access_keys.make_key(a_member(), "old", ["reports:read"])
    access_keys.revoke_key(revoked.prefix)
    _, expired = access_keys.make_key(a_member(), "old", ["reports:read"], expires_at=now())
    gone = a_member()
    suspended = key_text(gone)
    access.suspend_member(gone, "left")
    good = key_text()
    changed = good[:-1] + ("0" if good[-1] != "0" else "1")
    return {
        "none": None,
        "malformed": "secret",
        "unknown": f"tocsin_{'0' * 12}_{'0' * 64}",
        "wrong secret": changed,
        "revoked": text,
        "expired": expired,
        "suspended": suspended,
        "not ASCII": "tocsin_é",
    }


def test_bad_keys_are_told_apart_by_nothing() -> None:
    """Unknown, revoked, expired, suspended: one answer to the byte, with a Bearer challenge."""
    answers = set()
    for name, key in bad_keys().items():
        client = Client() if key is None else as_holder(key)
        response = client.get(f"{V1}/reports")
        assert_problem(response, 401, "not-signed-in")
        assert response["WWW-Authenticate"].startswith("Bearer"), name
        answers.add(response.content)
    assert len(answers) == 1


def test_a_key_does_what_its_scopes_say_and_no_more() -> None:
    """A read key does not report, a write key does not read."""
    reader, writer = (
        as_holder(key_text(scopes=("reports:read",))),
        as_holder(key_text(scopes=("reports:write",))),
    )
    assert_problem(post(reader, "/reports", spelled(a_report())), 403, "not-allowed")
    assert_problem(writer.get(f"{V1}/reports"), 403, "not-allowed")
    assert post(writer, "/reports", spelled(a_report())).status_code == 201


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),  # not JSON
        (b"", {}, 415),  # an empty request has no type
        (b"[" * 100_000, {}, 400),  # deep nesting
        (b'{"reports": 1}', {}, 400),
        (b'{"reports": []}', {"Content-Encoding": "br"}, 415),
        (b'{"reports": []}', {"Content-Encoding": "gzip"}, 400),  # is not gzip
        (gzip.compress(b'{"reports": []}', mtime=0)[:-4], {"Content-Encoding": "gzip"}, 400),  # cut short
        (gzip.compress(b" " * 33 * 1024 * 1024, mtime=0), {"Content-Encoding": "gzip"}, 413),  # a bomb
        (b'{"reports": [' + b"{}," * 1000 + b"{}]}", {}, 400),  # too many
        (b'{"reports": [], "more": 1}', {}, 400),
        (b'\xff\xfe{"reports": []}', {}, 400),
    ],
)
def test_a_bad_batch_is_a_problem(mine: Client, body: bytes, headers: dict[str, str], status: int) -> None:
    """Whatever comes, the answer says what was wrong with it."""
    assert_problem(post(mine, "/reports/batch", body, headers=headers), status)


def test_the_edges_of_http_are_problems_too(mine: Client) -> None:
    """404, 405 with Allow, 413, 415, bad parameters, and a host that is not ours."""
    assert_problem(mine.get(f"{V1}/nowhere"), 404)
    not_allowed = mine.delete(f"{V1}/reports")
    assert_problem(not_allowed, 405)
    assert "GET" in not_allowed["Allow"]
    assert_problem(mine.post(f"{V1}/reports", b"a=b", content_type="text/plain"), 415)
    assert_problem(post(mine, "/reports", b" " * (16 * 1024 * 1024 + 1)), 413)
    assert_problem(mine.get(f"{V1}/reports", {"limit": "many"}), 400, "bad-input")
    assert_problem(mine.get(f"{V1}/reports", {"limit": 100_000}), 400, "bad-input")
    assert_problem(mine.get(f"{V1}/reports", {"cursor": "AAAA"}), 400, "bad-input")
    assert_problem(mine.get(f"{V1}/reports/report%00"), 404)
    assert_problem(mine.get(f"{V1}/journal/inclusion", {"seq": 2**70, "tree_size": 1}), 400)
    assert_problem(Client(headers={"Host": "elsewhere.example"}).get(f"{V1}/exchange"), 400)


def test_a_mistake_of_ours_shows_nothing(mine: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected error is a bare 500."""

    def broken(*_: object) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr("tocsin.intake.services.submit", broken)
    document = assert_problem(post(mine, "/reports", spelled(a_report())), 500, "problem")
    assert "42" not in json.dumps(document)


def test_anyone_may_check_the_journal(mine: Client) -> None:
    """Head, inclusion and consistency fit together, without a key."""
    for count in (3, 4):
        post(mine, "/reports/batch", batch(*(a_report() for _ in range(count))))
    anyone = Client()
    exchange = anyone.get(f"{V1}/exchange").json()
    head = msgspec.json.decode(anyone.get(f"{V1}/journal/head").content, type=wire.TreeHead)
    signing.check_head(head, bytes.fromhex(exchange["public_key"]))
    assert exchange["key_id"] == signing.key_id(keys.public_key())
    earlier = anyone.get(f"{V1}/journal/head", {"tree_size": head.tree_size - 4}).json()
    proof = anyone.get(
        f"{V1}/journal/consistency", {"old": earlier["tree_size"], "new": head.tree_size}
    ).json()
    roots = [bytes.fromhex(root) for root in (earlier["root"], head.root)]
    path = [bytes.fromhex(node) for node in proof["path"]]
    assert merkle.is_consistent(earlier["tree_size"], roots[0], head.tree_size, roots[1], path)
    found = anyone.get(f"{V1}/journal/inclusion", {"seq": 2, "tree_size": head.tree_size}).json()
    nodes = [bytes.fromhex(node) for node in found["path"]]
    assert merkle.root_from_path(bytes.fromhex(found["leaf"]), 2, head.tree_size, nodes) == roots[1]


def test_every_route_has_a_line_in_the_policy_table() -> None:
    """No route without a guard, no guard without an action that the table knows."""
    operations = [
        operation
        for _, router in api._routers
        for view in router.path_operations.values()
        for operation in view.operations
    ]
    assert len(operations) >= 10
    for operation in operations:
        (only,) = operation.auth_callbacks
        assert isinstance(only, Guard | Open)
        assert only.action in POLICY


def test_the_description_is_openapi_and_names_every_route() -> None:
    """Every reference leads to a schema, every route says what it answers."""
    document = Client().get(f"{V1}/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert set(document["paths"]) >= {"/api/v1/reports", "/api/v1/reports/batch", "/api/v1/exchange"}
    text = json.dumps(document)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"]
