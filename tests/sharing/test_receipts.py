"""Who has taken a withdrawal: counts for everybody, names for who looks after the exchange, one telling."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.core import mail
from tests.exchange import a_key, a_member
from tests.sharing.street import ATTACKER, Street

from tocsin.access import gathering, keys
from tocsin.access import services as access
from tocsin.access.models import Alert, ApiKey, Member
from tocsin.access.policy import Actor
from tocsin.jobs import worker
from tocsin.journal.models import Entry
from tocsin.kernel.problems import NotAllowed, NotFound
from tocsin.kernel.time import now
from tocsin.notices import mailing
from tocsin.notices.models import Item
from tocsin.sharing import (
    channels,
    explaining,
    queries,
    readers,
    readings,
    receipts,
    services,
    sightings,
    watching,
)
from tocsin.sharing.models import Indicator, ListHead, Reading, Removal, Sighting
from tocsin.sharing.words import Said
from tocsin.store import fence

pytestmark = [pytest.mark.django_db, pytest.mark.database]

MINUTE = dt.timedelta(minutes=1)
LIST = "addresses.nft"


@pytest.fixture
def street(db: None) -> Iterator[Street]:
    """Two members share one address, which a trusted person then withdraws."""
    found = Street()
    for member in ("ferry", "harbour"):
        found.report(member, at=now())
    yield found


def withdrawn(street: Street) -> dt.datetime:
    """The address leaves every list; gives when."""
    services.withdraw(street.indicator(), street.trusted(), "it was ours")
    return street.indicator().removals.get(list_key="address").at


def machine(name: str, label: str = "resolver") -> ApiKey:
    """A machine's key of the member of that name, which joins when first named."""
    member = Member.objects.filter(name=name).first() or a_member(name)
    return keys.make_key(member, label, ("lists:read",))[0]


def reads(key: ApiKey, number: int, at: dt.datetime, what: str = LIST) -> None:
    """The machine has read up to that number."""
    readings.note([readings.Read(key, "list", what, number, number)], at)


def reader_since(name: str, number: int = 1, label: str = "resolver") -> ApiKey:
    """A machine that has read for an hour, and last a minute ago."""
    key = machine(name, label)
    reads(key, number, now() - 60 * MINUTE)
    reads(key, number, now() - MINUTE)
    return key


def receipt_of(actor: Actor, indicator: Indicator, at: dt.datetime) -> receipts.Receipt | None:
    """Who has taken what left everybody's lists."""
    found = receipts.receipts_of(actor, indicator, at)
    return found[0] if found else None


def looking(name: str = "oona", role: str = "operator") -> Actor:
    """Somebody who looks after the exchange."""
    person = access.add_person(f"{name}@example.org", name.title(), "secret")
    access.give_role(person, role)
    return Actor.of_person(person)


def stranger() -> Actor:
    """A member that reads nothing."""
    return a_key(Member.objects.filter(name="reader").first() or a_member("reader"), ("lists:read",))


def test_a_withdrawal_is_taken_by_so_many_of_so_many(street: Street) -> None:
    """In counts alone: whoever has not taken it is named to nobody but who looks after the exchange."""
    machines = [reader_since(f"isp{number}") for number in range(12)]
    at = withdrawn(street)
    for key in machines[:11]:
        reads(key, 2, at + MINUTE)
    later = at + 3 * MINUTE
    last = receipts.minute(Reading.objects.get(key=machines[11]).read_at, later)
    told = receipt_of(stranger(), street.indicator(), later)
    assert told is not None
    assert told.words == (
        f"withdrawn at {receipts.minute(at, later)}, taken by 11 of 12 networks; "
        f"one has not read since {last}"
    )
    assert (told.own, told.waiting) == ("", ())
    for role in ("operator", "coordinator"):
        seen = receipt_of(looking(role, role), street.indicator(), later)
        assert seen is not None
        assert [(one.name, one.labels) for one in seen.waiting] == [("isp11", ("resolver",))]


def test_ones_own_machines_are_told_exactly(street: Street) -> None:
    """A member has taken it when all of its machines have."""
    reader_since("isp", label="south")
    north = reader_since("isp", label="north")
    own = a_key(Member.objects.get(name="isp"), ("lists:read",))
    at = withdrawn(street)
    reads(north, 2, at + MINUTE)
    told = receipt_of(own, street.indicator(), at + 2 * MINUTE)
    assert told is not None
    assert told.own == "not yet taken by your key south"
    reads(ApiKey.objects.get(label="south"), 2, at + 2 * MINUTE)
    told = receipt_of(own, street.indicator(), at + 2 * MINUTE)
    assert told is not None
    assert told.own == "taken by every machine of yours that reads the lists"


@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_networks_are_not_counted_out(street: Street, count: int) -> None:
    """Each of two would know of the other."""
    machines = [reader_since(f"isp{number}") for number in range(count)]
    at = withdrawn(street)
    told = receipt_of(stranger(), street.indicator(), at)
    assert told is not None
    assert told.words.endswith("not yet taken by every network that reads the lists")
    for key in machines:
        reads(key, 2, at + MINUTE)
    told = receipt_of(stranger(), street.indicator(), at + MINUTE)
    assert told is not None
    assert told.words.endswith(", taken by every network that reads the lists")


def test_who_is_waited_for(street: Street) -> None:
    """Not who looked once, began afterwards, was silent for weeks, reads another list, or lost its key."""
    once = machine("once")
    reads(once, 1, now() - MINUTE)
    gone = machine("gone")
    reads(gone, 1, now() - dt.timedelta(days=40))
    reads(gone, 1, now() - dt.timedelta(days=31))
    names = machine("names")
    reads(names, 1, now() - 60 * MINUTE, "names.rpz")
    reads(names, 1, now() - MINUTE, "names.rpz")
    keys.revoke_key(reader_since("revoked").prefix)
    at = withdrawn(street)
    late = machine("late")
    reads(late, 1, at + MINUTE)
    reads(late, 1, at + 20 * MINUTE)
    told = receipt_of(stranger(), street.indicator(), at + 20 * MINUTE)
    assert told is not None
    assert told.words.endswith("no network was reading the lists")
    watching.watch_readers(at + 20 * MINUTE)
    assert list(Entry.objects.filter(event=watching.LATE).values_list("subject", flat=True)) == [
        late.member.member_id if late.member else ""
    ]


def test_a_community_that_one_is_not_in_lends_no_number(street: Street) -> None:
    """Who reads its channel is counted for its members alone."""
    tara = looking("tara", "trusted")
    ferry = a_key(street.member("ferry"), ("lists:read",))
    person = access.add_person("fay@example.org", "Fay", "secret")
    access.give_role(person, "reporter", member=street.member("ferry"))
    community = gathering.make(Actor.of_person(person), "Ports", "", "amber")
    value = "80.94.92.44"
    gathering.let_in(Actor.of_person(person), community.community_id, street.member("harbour").member_id)
    for member in ("ferry", "harbour"):
        services.assert_said(
            street.member(member), [Said("address", value, "r", tlp="amber", community=community.pk)]
        )
        services.assert_said(street.member(member), [Said("address", "80.94.92.45", f"{member}")])
    found = street.indicator(value)
    services.withdraw(found, tara, "it was ours")
    found.refresh_from_db()
    assert {one.channel and one.channel.community for one in found.removals.all()} == {None, community}
    assert all(one.list_key for one in found.removals.filter(channel=None))
    assert receipts.left_by(stranger(), found) == []
    assert receipts.left_by(ferry, found) == [community]
    left = receipts.removals_of(found, community)
    assert {(one.channel and one.channel.community, one.list_key) for one in left.values()} == {
        (community, ""),
        (None, f"{community.community_id}/address"),
    }
    assert receipts.removals_of(found, None) == {}


def test_why_tells_who_has_taken_it(street: Street) -> None:
    """The same words in `tocsin why`, REST and on the page."""
    for number in range(5):
        reader_since(f"isp{number}")
    withdrawn(street)
    found = explaining.explain(stranger(), ATTACKER)
    (told,) = found.receipts
    assert ", taken by 0 of 5 networks; 5 have not, and last asked between " in told.words


def test_who_is_late_is_told_once_until_it_is_in_step(street: Street, settings: object) -> None:
    """One mail and one line on the pages; nothing in time, nothing again, and anew after being in step."""
    settings.MAIL_IS_ON = True  # type: ignore[attr-defined]
    key = reader_since("isp")
    person = access.add_person("ivy@example.org", "Ivy", "secret")
    access.give_role(person, "reporter", member=Member.objects.get(name="isp"))
    at = withdrawn(street)

    def watch(later: dt.datetime) -> int:
        changed = watching.watch_readers(later)
        worker.drain()
        return changed

    assert watch(at + 4 * MINUTE) == 0
    assert watch(at + 6 * MINUTE) == 1
    assert watch(at + 9 * MINUTE) == 0
    assert Alert.objects.get(person=person).words.startswith(
        "The key resolver has not taken from addresses.nft"
    )
    (item,) = Item.objects.all()
    assert (item.person, item.kind, item.about) == (person, "readers", "network/resolvers")
    mailing.send_due(item.due_at)
    assert "/network/resolvers" in mail.outbox[0].body
    assert "has not taken from addresses.nft what was withdrawn" in mail.outbox[0].body
    reads(key, 2, at + 10 * MINUTE)
    assert watch(at + 10 * MINUTE) == 1
    events = Entry.objects.filter(event__startswith="sharing:reader:").order_by("seq")
    assert [one.event for one in events] == [watching.LATE, watching.BACK]
    assert Item.objects.count() == 1
    for member in ("ferry", "harbour"):
        street.report(member, "80.94.92.19", now())
    services.withdraw(street.indicator("80.94.92.19"), looking("tara", "trusted"), "again")
    assert watch(now() + 20 * MINUTE) == 1
    assert Item.objects.count() == 2


def test_the_page_of_ones_own_readers(street: Street) -> None:
    """In step, behind, silent, never: each with what to do, the worst first."""
    step, behind, silent = (reader_since("isp", label=label) for label in ("step", "behind", "silent"))
    machine("isp", "unused")
    other = reader_since("other")
    at = withdrawn(street)
    own = Actor(key=step)
    later = at + 12 * MINUTE
    for key, number in ((step, 2), (behind, 1), (other, 1)):
        reads(key, number, at + 11 * MINUTE)
    view = readers.readers(own, later)
    assert not view.is_all
    assert [(row.label, row.state, row.behind, row.is_late) for row in view.rows] == [
        ("silent", readers.SILENT, 1, True),
        ("behind", readers.BEHIND, 1, True),
        ("unused", readers.NEVER, 0, False),
        ("step", readers.IN_STEP, 0, False),
    ]
    assert view.sentence == "2 of 3 readers of yours have not taken a withdrawal in time."
    assert all(row.mend for row in view.rows[:3])
    assert silent.label in {row.label for row in view.rows}


def test_a_change_that_is_young_puts_nobody_behind(street: Street) -> None:
    """Between two polls nobody is out of step."""
    key = reader_since("isp")
    ListHead.objects.filter(pk="address").update(number=7, changed_at=now() - MINUTE)
    (row,) = readers.readers(Actor(key=key)).rows
    assert (row.state, row.behind) == (readers.IN_STEP, 6)
    ListHead.objects.filter(pk="address").update(changed_at=now() - 6 * MINUTE)
    (row,) = readers.readers(Actor(key=key)).rows
    assert row.state == readers.BEHIND


@pytest.mark.parametrize("role", ["operator", "coordinator"])
def test_who_looks_after_the_exchange_sees_everybodys(street: Street, role: str) -> None:
    """With the member's name, whatever the fence."""
    for name in ("isp", "other"):
        reader_since(name)
    view = readers.readers(looking(role=role))
    assert view.is_all
    assert [row.member for row in view.rows] == ["isp", "other"]
    assert view.sentence == "All 2 readers are in step."


def test_a_machine_that_is_gone_is_forgotten_by_its_member_alone(street: Street) -> None:
    """It is waited for no longer; another's is not there to be forgotten."""
    key = reader_since("isp")
    person = access.add_person("ivy@example.org", "Ivy", "secret")
    access.give_role(person, "reporter", member=Member.objects.get(name="isp"))
    rival = access.add_person("ron@example.org", "Ron", "secret")
    access.give_role(rival, "reporter", member=a_member("rival"))
    pk = Reading.objects.get(key=key).pk
    with pytest.raises(NotFound):
        readers.forget(Actor.of_person(rival), pk)
    with pytest.raises(NotAllowed):
        readers.forget(Actor(key=key), pk)
    assert readers.forget(Actor.of_person(person), pk) == "resolver, addresses.nft"
    assert not Reading.objects.exists()
    assert Entry.objects.filter(event=readers.FORGOTTEN).count() == 1


def test_no_reader_at_all_is_said(db: None) -> None:
    """The empty state."""
    assert readers.readers(stranger()).sentence == "No machine of yours reads the lists yet."
    assert readers.readers(looking()).sentence == "No machine reads the lists yet."


@pytest.mark.postgresql
def test_behind_the_fence_nobody_reads_anothers_rows(street: Street) -> None:
    """Whatever a page forgets: readings and sightings of one's own member; for a coordinator all readings."""
    own, other = reader_since("isp"), reader_since("other")
    for key in (own, other):
        sightings.see(a_key(key.member, ("indicators:write", "lists:read")), [sightings.Met(ATTACKER)], now())
    try:
        fence.put_up(Actor(key=own).asker)
        assert [one.member_id for one in Reading.objects.all()] == [own.member_id]
        assert [one.member_id for one in Sighting.objects.all()] == [own.member_id]
        fence.put_up(looking("cora", "coordinator").asker)
        assert Reading.objects.count() == 2
        assert Sighting.objects.count() == 0
    finally:
        fence.take_down()


def test_at_the_deadline_the_journal_is_told_who_has_taken_it(street: Street) -> None:
    """Once, in an indicator's own life; five networks are counted out, and who they are stands nowhere."""
    machines = [reader_since(f"isp{number}") for number in range(6)]
    at = withdrawn(street)
    for key in machines[:5]:
        reads(key, 2, at + MINUTE)
    assert watching.settle(at + 4 * MINUTE) == 0
    assert watching.settle(at + 5 * MINUTE) == 1
    assert watching.settle(at + 6 * MINUTE) == 0
    (told,) = [one for one in queries.life_of(street.indicator(), {}) if one.event == watching.SETTLED]
    assert (told.words, told.why) == ("Taken off by members' machines", "5 of 6 networks within 5 minutes")


@pytest.mark.parametrize(
    ("reading", "taken", "words"),
    [
        (0, 0, ""),
        (2, 1, "not yet every network within 5 minutes"),
        (2, 2, "every network that reads the lists within 5 minutes"),
        (5, 5, "5 of 5 networks within 5 minutes"),
    ],
)
def test_few_are_not_counted_out_in_the_journal_either(
    street: Street, reading: int, taken: int, words: str
) -> None:
    """And where nobody reads there is nothing to tell."""
    machines = [reader_since(f"isp{number}") for number in range(reading)]
    at = withdrawn(street)
    for key in machines[:taken]:
        reads(key, 2, at + MINUTE)
    assert watching.settle(at + 5 * MINUTE) == 1
    said = [one.why for one in queries.life_of(street.indicator(), {}) if one.event == watching.SETTLED]
    assert said == ([words] if words else [])


def test_many_withdrawn_at_once_are_settled_together(street: Street) -> None:
    """One number of the list: each indicator's life is told, and the last of a channel decides."""
    values = [f"80.94.93.{number}" for number in range(1, 21)]
    for member in ("ferry", "harbour"):
        street.reports(member, [{"origins": (value,)} for value in values], now())
    key = a_key(a_member("siem"), ("lists:read",)).key
    assert key is not None
    channel = channels.shared_channel(None, "green")
    for before in (120, 1):
        readings.note([readings.read_of(key, "taxii", channel, channel.number)], now() - before * MINUTE)
    Member.objects.filter(name="siem").update(networks=["80.94.93.0/24"])
    services.sweep()
    withdrawn_now = Removal.objects.filter(list_key="address")
    assert withdrawn_now.count() == 20
    assert len({one.number for one in withdrawn_now}) == 1
    channel.refresh_from_db()
    readings.note([readings.read_of(key, "taxii", channel, channel.number - 1)])
    assert watching.settle(now() + 6 * MINUTE) == 20
    lives = [
        [one.why for one in queries.life_of(street.indicator(value), {}) if one.event == watching.SETTLED]
        for value in values
    ]
    assert lives == [["not yet every network within 5 minutes"]] * 20


def test_a_communitys_list_has_receipts_of_its_own(street: Street) -> None:
    """Counted for its members and for what left its lists; whoever leaves it is waited for no more."""
    ferry = street.member("ferry")
    person = access.add_person("fay@example.org", "Fay", "secret")
    access.give_role(person, "reporter", member=ferry)
    fay, value = Actor.of_person(person), "80.94.92.44"
    ports = gathering.make(fay, "Ports", "", "amber")
    isps = [machine(f"isp{number}") for number in range(6)]
    for key in isps:
        assert key.member is not None
        gathering.let_in(fay, ports.community_id, key.member.member_id)
    for key in isps[:2]:
        services.assert_said(key.member, [Said("address", value, "r", community=ports.pk)])  # type: ignore[arg-type]
    head, list_key = ListHead.objects.get(pk=f"{ports.community_id}/address"), "ports.addresses.nft"
    assert head.number == 1

    def reads_ports(key: ApiKey, number: int, at: dt.datetime) -> None:
        readings.note([readings.Read(key, "list", list_key, number, number, community=ports.pk)], at)

    for key in isps:
        for before in (60, 1):
            reads_ports(key, 1, now() - before * MINUTE)
    outsider = reader_since("lakes")
    assert outsider.member is not None
    services.withdraw_said(isps[0].member, ["r"], "it was ours")  # type: ignore[arg-type]
    at = Removal.objects.get(list_key=head.pk).at
    for key in isps[:4]:
        reads_ports(key, 2, at + MINUTE)
    withdrawn(street)  # another address, from everybody's lists, is no business of these readers
    found = street.indicator(value)
    (told,) = receipts.receipts_of(fay, found, at + 2 * MINUTE)
    assert (told.circle, told.where) == ("Ports", "in Ports: ")
    assert ", taken by 4 of 6 networks; 2 have not, and last asked" in told.words
    assert receipts.receipts_of(stranger(), found, at + 2 * MINUTE) == ()
    (everybodys,) = receipts.receipts_of(fay, street.indicator(), at + 2 * MINUTE)
    assert everybodys.words.endswith("not yet taken by every network that reads the lists")
    own_key = a_key(isps[5].member, ("lists:read",))  # type: ignore[arg-type]
    mine = [one for one in readers.readers(own_key, at + 6 * MINUTE).rows if one.what]
    assert [(one.what, one.number, one.current, one.is_late) for one in mine] == [(list_key, 1, 2, True)]
    gathering.let_out(fay, ports.community_id, isps[5].member.member_id)  # type: ignore[union-attr]
    assert watching.watch_readers(at + 6 * MINUTE) == 2  # the one of Ports, and the one of everybody's list
    assert watching.settle(at + 6 * MINUTE) == 2
    own = {ports.community_id: "Ports"}
    (event,) = [one for one in queries.life_of(found, own) if one.event == watching.SETTLED]
    assert (event.words, event.why) == (
        "Taken off by members' machines in Ports",
        "4 of 5 networks within 5 minutes",
    )
    assert not list(queries.life_of(found, {})), "what happened in a community is nobody else's"
