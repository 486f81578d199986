"""The lists over HTTPS: the key's scope, the entity tag, the signature, and a withdrawal."""

import msgspec
import pytest
from django.test import Client
from tests.exchange import key_text
from tests.sharing.street import ATTACKER, PHISH, Street

from tocsin.journal import keys
from tocsin.kernel.problems import NotGenuine
from tocsin.kernel.time import now
from tocsin.proof.lists import check_list
from tocsin.sharing import services
from tocsin.wire.lists import ListStatement

pytestmark = pytest.mark.django_db

LISTS = "/api/v1/lists"
NAMES = ("addresses.nft", "addresses.txt", "names.rpz", "names.txt")


@pytest.fixture
def street() -> Street:
    """An address and a name that are shared."""
    street = Street()
    for member in ("ferry", "medway"):
        street.report(member, at=now())
        street.phish(member, at=now())
    return street


@pytest.fixture
def reader() -> Client:
    """A network that reads lists."""
    return Client(headers={"Authorization": f"Bearer {key_text(scopes=('lists:read',))}"})


@pytest.mark.parametrize("name", NAMES)
def test_a_list_is_signed_and_known_by_its_tag(street: Street, reader: Client, name: str) -> None:
    """The header's statement and that of `.sig` are the same; 304 while nothing changed, 200 after."""
    answer = reader.get(f"{LISTS}/{name}")
    value = PHISH if name.startswith("names") else ATTACKER
    assert value in answer.content.decode()
    assert reader.get(f"{LISTS}/{name}.sig").content.decode() == answer["Tocsin-Signature"]
    statement = msgspec.json.decode(answer["Tocsin-Signature"], type=ListStatement)
    check_list(statement, name, answer.content, keys.public_key())
    assert (statement.count, answer["ETag"]) == (1, f'"{name}-{statement.number}"')
    again = reader.get(f"{LISTS}/{name}", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    services.withdraw(street.indicator(value), street.trusted(), "a mistake")
    after = reader.get(f"{LISTS}/{name}", headers={"If-None-Match": answer["ETag"]})
    assert after.status_code == 200
    assert value not in after.content.decode()
    newer = msgspec.json.decode(after["Tocsin-Signature"], type=ListStatement)
    assert (newer.number > statement.number, newer.count) == (True, 0)


def test_nothing_of_a_statement_can_be_changed(street: Street, reader: Client) -> None:
    """Other bytes, another name, another number, another key: not genuine."""
    answer = reader.get(f"{LISTS}/names.rpz")
    statement = msgspec.json.decode(answer["Tocsin-Signature"], type=ListStatement)
    public, body = keys.public_key(), answer.content
    for changed, name, content, key in (
        (statement, "names.rpz", body + b"\n", public),
        (statement, "names.txt", body, public),
        (msgspec.structs.replace(statement, number=statement.number + 1), "names.rpz", body, public),
        (msgspec.structs.replace(statement, signature="00"), "names.rpz", body, public),
        (statement, "names.rpz", body, bytes(32)),
    ):
        with pytest.raises(NotGenuine):
            check_list(changed, name, content, key)


def test_the_zone_has_the_lists_number_as_its_serial(street: Street, reader: Client) -> None:
    """So that secondaries see a change, and the name is answered as not there."""
    answer = reader.get(f"{LISTS}/names.rpz")
    number = msgspec.json.decode(answer["Tocsin-Signature"], type=ListStatement).number
    assert f" {number} 60 30 604800 60" in answer.content.decode()
    assert answer.content.decode().splitlines()[-1] == f"{PHISH} CNAME ."


def test_lists_are_for_keys_of_that_scope(reader: Client) -> None:
    """Nobody reads them without a key, nor with one for reports; an unknown list is not found."""
    assert Client().get(f"{LISTS}/names.rpz").status_code == 401
    wrong = Client(headers={"Authorization": f"Bearer {key_text()}"})
    assert wrong.get(f"{LISTS}/names.rpz").status_code == 403
    assert reader.get(f"{LISTS}/other.txt").status_code == 404


def test_an_empty_list_is_a_list(reader: Client) -> None:
    """Number nought, signed, and good to load."""
    for name in NAMES:
        answer = reader.get(f"{LISTS}/{name}")
        statement = msgspec.json.decode(answer["Tocsin-Signature"], type=ListStatement)
        check_list(statement, name, answer.content, keys.public_key())
        assert (statement.number, statement.count) == (0, 0)
