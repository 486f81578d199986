"""A community from the first press to the last: made, joined, shared in, left, closed."""

import msgspec
import pytest
from django.test import Client
from tests.exchange import a_member, key_text
from tests.sharing.street import ATTACKER, NOON, Street

from tocsin.access import gathering
from tocsin.access import services as access
from tocsin.access.models import Community, Member
from tocsin.access.policy import Actor
from tocsin.journal import keys
from tocsin.journal.models import Entry
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed, NotFound
from tocsin.proof.lists import check_list
from tocsin.sharing import channels, circles, explaining, services
from tocsin.sharing.words import Said
from tocsin.wire.lists import ListStatement

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def somebody(name: str, member: Member) -> Actor:
    """A reporter of that member."""
    person = access.add_person(f"{name}@example.org", name.title(), "a long password")
    access.give_role(person, "reporter", member=member)
    return Actor.of_person(person)


def test_made_joined_left_and_closed(street: Street) -> None:
    """Each in one act, each in the journal; who is outside knows nothing of it."""
    ferry, medway = street.member("ferry"), street.member("medway")
    rita, mark = somebody("rita", ferry), somebody("mark", medway)
    made = gathering.make(rita, "Ports of the  East", "ships", "amber", at=NOON)
    assert (made.slug, made.name) == ("ports-of-the-east", "Ports of the East")
    with pytest.raises(NotFound):
        gathering.community(mark, made.community_id)
    gathering.let_in(rita, made.community_id, medway.member_id, NOON)
    with pytest.raises(Conflict):
        gathering.let_in(rita, made.community_id, medway.member_id, NOON)
    with pytest.raises(NotAllowed):
        gathering.let_in(mark, made.community_id, a_member("harbour").member_id, NOON)
    inside = gathering.community(mark, made.community_id).members
    assert [name for _, name, _, _ in inside] == ["ferry", "medway"]
    with pytest.raises(Conflict, match="nobody would look after it"):
        gathering.let_out(rita, made.community_id, ferry.member_id, NOON)
    gathering.let_out(mark, made.community_id, medway.member_id, NOON)
    assert gathering.communities(mark) == []
    gathering.close(rita, made.community_id, NOON)
    assert gathering.communities(rita) == []
    events = Entry.objects.filter(event__startswith="access:community:").order_by("seq")
    assert [event.rpartition(":")[2] for event in events.values_list("event", flat=True)] == [
        "made", "joined", "left", "closed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [{"name": " "}, {"name": "…"}, {"name": "x" * 121}, {"tlp_ceiling": "red"}, {"sources_needed": 1}],
)
def test_what_is_no_community_is_refused(street: Street, wrong: dict[str, object]) -> None:
    """With the reason."""
    rita = somebody("rita", street.member("ferry"))
    with pytest.raises(BadInput):
        gathering.make(rita, **{"name": "Ports", **wrong})  # type: ignore[arg-type]
    gathering.make(rita, "Ports")
    for taken in ("ports!", "Everybody"):
        with pytest.raises(Conflict):
            gathering.make(rita, taken)


def test_its_lists_are_for_keys_of_its_members(street: Street) -> None:
    """Signed under the community's name; not there for anybody else; nftables' sets have own names."""
    ferry, medway = street.member("ferry"), street.member("medway")
    rita = somebody("rita", ferry)
    gathering.make(rita, "Ports")
    ports = Community.objects.get()
    gathering.let_in(rita, ports.community_id, medway.member_id)
    for member in (ferry, medway):
        services.assert_said(member, [Said("address", ATTACKER, "r", community=ports.pk)])
    inside, outside = (
        Client(headers={"Authorization": f"Bearer {key_text(one, ('lists:read',))}"})
        for one in (medway, a_member("harbour"))
    )
    for form in ("addresses.txt", "addresses.nft"):
        name = f"ports.{form}"
        answer = inside.get(f"/api/v1/lists/{name}")
        assert ATTACKER in answer.content.decode()
        statement = msgspec.json.decode(answer["Tocsin-Signature"], type=ListStatement)
        check_list(statement, name, answer.content, keys.public_key())
        assert ATTACKER not in inside.get(f"/api/v1/lists/{form}").content.decode()
        assert outside.get(f"/api/v1/lists/{name}").status_code == 404
        known = inside.get(f"/api/v1/lists/{name}", headers={"If-None-Match": answer["ETag"]})
        assert known.status_code == 304
    assert b"add set inet tocsin ports-shared4" in answer.content
    assert inside.get("/api/v1/lists/ports.nothing").status_code == 404


def test_on_the_pages(street: Street) -> None:
    """Made in one form; what is said in it stands on its page and on nobody else's."""
    ferry, medway = street.member("ferry"), street.member("medway")
    rita, mark = somebody("rita", ferry), somebody("mark", medway)
    assert rita.person is not None
    assert mark.person is not None
    client, other = Client(), Client()
    client.force_login(rita.person)
    other.force_login(mark.person)
    assert "in no smaller circle" in client.get("/communities").content.decode()
    wrong = client.post("/communities/make", {"name": "", "ceiling": "amber"})
    assert wrong.status_code == 422
    sent = client.post("/communities/make", {"name": "Ports", "ceiling": "amber"})
    page = sent.headers["Location"]
    assert other.get(page).status_code == 404
    assert client.post(f"{page}/in", {"member": medway.member_id}).status_code == 302
    ports = Community.objects.get()
    for member in (ferry, medway):
        services.assert_said(member, [Said("address", ATTACKER, "r", community=ports.pk)])
    for reader in (client, other):
        shown = reader.get(page).content.decode()
        assert ATTACKER in shown
        assert "hides nobody" in shown
        assert "stream/v1/channels/ports-green" in shown
    (row,) = circles.shared_in(rita, ports.community_id)
    assert row.value == ATTACKER
    own = client.get(f"/indicators/{street.indicator().indicator_id}").content.decode()
    assert "You may block this: it is shared in Ports, and with nobody else." in own
    assert ATTACKER in client.get("/network/spreading").content.decode()
    sentence = explaining.explain(rita, ATTACKER).sentence
    assert sentence == "It is shared in Ports alone: the machines of its members refuse it."
    assert other.post(f"{page}/out", {"member": medway.member_id}).status_code == 302
    assert other.get(page).status_code == 404
    assert client.post(f"{page}/close").status_code == 302
    assert channels.readable(rita) == channels.readable(mark)
