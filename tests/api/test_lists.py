"""The lists over HTTPS: the key's scope, the entity tag, the signature, and a withdrawal."""

import msgspec
import pytest
from django.test import Client
from tests.exchange import key_text
from tests.sharing.street import ATTACKER, DAY, PHISH, Street

from tocsin.journal import keys
from tocsin.kernel.problems import NotGenuine
from tocsin.kernel.time import now
from tocsin.proof.lists import check_list
from tocsin.sharing import lists, services
from tocsin.sharing.models import Indicator
from tocsin.wire.lists import CHANGES, ListStatement, read_changes

pytestmark = pytest.mark.django_db

LISTS = "/api/v1/lists"
KIND = "intrusion-attempts/login-attempts"
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


def changed(
    reader: Client, since: str, name: str = "names.rpz", *, classes: bool = False
) -> tuple[ListStatement, str, str]:
    """What is answered to whoever has the list of that date: statement, body, media type."""
    asked = {"since": since, **({"classes": "true"} if classes else {})}
    answer = reader.get(f"{LISTS}/{name}", asked)
    assert answer.status_code == 200, answer.content
    statement = msgspec.json.decode(answer["Tocsin-Signature"], type=ListStatement)
    check_list(statement, name, answer.content, keys.public_key())
    return statement, answer.content.decode(), answer["Content-Type"]


def test_changes_alone_are_told_and_signed(street: Street, reader: Client) -> None:
    """What left comes first; the statement is bound to the date that was asked with; 304 as ever."""
    whole, body, media = changed(reader, "")
    assert (whole.since, media) == ("", "text/dns; charset=utf-8")
    for member in ("ferry", "medway"):
        street.phish(member, "another.bad-site.top", at=now())
    services.withdraw(street.indicator(PHISH), street.trusted(), "a mistake")
    statement, body, media = changed(reader, whole.date)
    assert body == f"-{PHISH}\n+another.bad-site.top\n"
    assert media == CHANGES
    assert (statement.since, statement.count, statement.number) == (whole.date, 1, whole.number + 2)
    tag = f'"names.rpz-{statement.number}"'
    again = reader.get(f"{LISTS}/names.rpz", {"since": statement.date}, headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert changed(reader, statement.date)[1] == "", "nothing since"
    with pytest.raises(NotGenuine):
        check_list(
            msgspec.structs.replace(statement, since=""), "names.rpz", body.encode(), keys.public_key()
        )


def test_whoever_lacks_too_much_is_sent_the_whole_list(
    street: Street, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many changes, a date to come, a list of addresses; what is no date is told."""
    first, _, _ = changed(reader, "1970-01-01T00:00:00Z")
    assert first.since, "all of it is a change since then"
    assert changed(reader, "2199-01-01T00:00:00Z")[0].since == ""
    assert changed(reader, first.date, "addresses.txt")[0].since == ""
    monkeypatch.setattr(lists, "MOST_CHANGES", 0)
    assert changed(reader, "1970-01-02T00:00:00Z")[0].since == ""
    assert reader.get(f"{LISTS}/names.rpz", {"since": "yesterday"}).status_code == 400


def test_changes_lead_from_any_number_to_the_list_of_now(reader: Client) -> None:
    """Shared, withdrawn, said again and expired by the clock: old list and changes make the new list."""
    street, seen = Street(), []
    named = [f"host{n}.bad-site.top" for n in range(6)]
    begin, trusted = now(), street.trusted()
    for day, names in enumerate((named[:3], named[3:], named[1:4])):
        for member in ("ferry", "medway"):
            for name in names:
                street.phish(member, name, at=begin + day * DAY)
        services.withdraw(street.indicator(names[0]), trusted, "a mistake")
        seen.append(changed(reader, ""))
    services.sweep(begin + 31 * DAY)
    seen.append(changed(reader, ""))
    for statement, body, _ in seen:
        now_on = {line.split()[0] for line in body.splitlines() if "CNAME" in line}
        _, told, _ = changed(reader, statement.date)
        gone, come = read_changes(told)
        assert (now_on - set(gone)) | {name for name, _ in come} == {
            line.split()[0] for line in seen[-1][1].splitlines() if "CNAME" in line
        }


def test_what_ends_by_itself_is_told_before_the_worker_sweeps_it(street: Street, reader: Client) -> None:
    """It is off the list from its own instant on, so the changes say so."""
    whole, _, _ = changed(reader, "")
    Indicator.objects.filter(value=PHISH).update(valid_until=now())
    for member in ("ferry", "medway"):
        street.phish(member, "another.bad-site.top", at=now())
    assert changed(reader, whole.date)[1] == f"-{PHISH}\n+another.bad-site.top\n"
    assert PHISH not in changed(reader, "")[1]


def test_every_form_says_for_which_class_a_value_is_listed(street: Street, reader: Client) -> None:
    """A comment before the values of each class; of changes behind each name that came, where asked for."""
    for member in ("ferry", "medway"):
        street.phish(member, "c2.bad-site.top", at=now(), kind="malicious-code/c2-server")
    zone, text, sets = (
        reader.get(f"{LISTS}/{name}").content.decode() for name in ("names.rpz", "names.txt", "addresses.nft")
    )
    phish, c2 = (
        f"; class fraud/phishing\n{PHISH} CNAME .\n",
        "; class malicious-code/c2-server\nc2.bad-site.top",
    )
    assert zone.endswith(f"{phish}{c2} CNAME .\n")
    assert text.endswith(
        f"# class fraud/phishing\n{PHISH}\n# class malicious-code/c2-server\nc2.bad-site.top\n"
    )
    assert f"# class {KIND}\nadd element inet tocsin shared4 {{\n{ATTACKER} timeout" in sets
    told = changed(reader, "1970-01-01T00:00:00Z", classes=True)[1]
    assert told == f"+c2.bad-site.top malicious-code/c2-server\n+{PHISH} fraud/phishing\n"
    assert changed(reader, "1970-01-01T00:00:00Z")[1] == f"+c2.bad-site.top\n+{PHISH}\n"


def test_another_class_is_a_change_of_the_list(street: Street, reader: Client) -> None:
    """Withdrawn and shared anew for another: another number, another signature, told to whoever lacks it."""
    before, _, _ = changed(reader, "")
    tess = street.trusted()
    services.withdraw(street.indicator(PHISH), tess, "not quite")
    for member in ("harbour", "lock", "weir"):
        street.phish(member, at=now(), kind="malicious-code/malware-distribution")
    services.approve(street.indicator(PHISH), tess, True, "it spreads malware")
    after, _, _ = changed(reader, "")
    assert (after.number > before.number, after.count, after.sha256 != before.sha256) == (True, 1, True)
    told = changed(reader, before.date, classes=True)[1]
    assert told == f"+{PHISH} malicious-code/malware-distribution\n"
