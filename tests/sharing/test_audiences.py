"""Who hears of what: everybody by TLP, communities by themselves, one voice for all who pass on a feed."""

import datetime as dt

import msgspec
import pytest
from tests.exchange import a_key, a_member
from tests.sharing.street import ATTACKER, DAY, NOON, Street

from tocsin.access.models import Community, Member, Membership
from tocsin.kernel.problems import BadInput, NotFound
from tocsin.sharing import channels, queries, rules, services
from tocsin.sharing.models import Assertion, Channel, Outgoing, Standing
from tocsin.sharing.words import Said

pytestmark = [pytest.mark.django_db, pytest.mark.database]
OTHER = "80.94.92.18"
READS = ("lists:read",)


def said(value: str = ATTACKER, reference: str = "indicator--1", **changes: object) -> Said:
    """A word about an address."""
    return Said("address", value, reference, **changes)  # type: ignore[arg-type]


def a_community(*members: Member, slug: str = "ports", ceiling: str = "amber") -> Community:
    """A community of these members."""
    made = Community.objects.create(
        community_id=f"community-{slug}", slug=slug, name=slug.title(), tlp_ceiling=ceiling, made_at=NOON
    )
    for member in members:
        Membership.objects.create(community=made, member=member, since=NOON)
    return made


def bodies(channel: Channel) -> list[Outgoing]:
    """What a channel has of indicators, in order."""
    return list(Outgoing.objects.filter(channel=channel, stix_type="indicator").order_by("number"))


def test_a_word_counts_once_however_often_it_is_said(street: Street) -> None:
    """Two members share what neither could alone; the same words again change nothing."""
    ferry, medway = street.member("ferry"), street.member("medway")
    assert services.assert_said(ferry, [said(), said(reference="indicator--2")], NOON) == 2
    assert list(queries.shared("address", NOON)) == []
    assert services.assert_said(medway, [said()], NOON) == 1
    assert list(queries.shared("address", NOON)) == [ATTACKER]
    before = Outgoing.objects.count()
    assert services.assert_said(medway, [said()], NOON + DAY) == 0
    assert Outgoing.objects.count() == before


def test_what_is_taken_back_stands_no_longer(street: Street) -> None:
    """A member takes its word back, and says it again."""
    for member in ("ferry", "medway"):
        services.assert_said(street.member(member), [said()], NOON)
    assert services.withdraw_said(street.member("ferry"), ["indicator--1"], "was a test", NOON) == 1
    assert services.withdraw_said(street.member("ferry"), ["indicator--1"], "was a test", NOON) == 0
    assert list(queries.shared("address", NOON)) == []
    assert services.assert_said(street.member("ferry"), [said()], NOON) == 0
    assert list(queries.shared("address", NOON)) == [ATTACKER]


def test_all_who_pass_on_one_feed_are_one_voice(street: Street) -> None:
    """Ten members who repeat a list know no more than the list."""
    for number in range(10):
        services.assert_said(street.member(f"isp{number}"), [said(upstream="some-list")], NOON)
    assert street.indicator().state == "held"
    street.report("harbour")
    assert street.indicator().state == "shared"


def test_who_is_both_a_source_and_a_repeater_is_one_voice() -> None:
    """Voices are joined through members and through feeds, however long the chain."""
    word = rules.Word
    assert rules.voices([word(1, NOON, upstream="a"), word(2, NOON, upstream="a"), word(2, NOON)]) == 1
    chain = [word(1, NOON, upstream="a"), word(1, NOON, upstream="b"), word(2, NOON, upstream="b")]
    assert rules.voices(chain) == 1
    assert rules.voices([word(1, NOON, upstream="a"), word(2, NOON, upstream="b"), word(3, NOON)]) == 3
    assert rules.voices([]) == 0


def test_a_stricter_word_lifts_nothing_that_others_can_see(street: Street) -> None:
    """GREEN and AMBER share at AMBER, a second GREEN word at GREEN; both feeds hear the end."""
    services.assert_said(street.member("ferry"), [said()], NOON)
    services.assert_said(street.member("medway"), [said(tlp="amber")], NOON)
    amber, green = channels.shared_channel(None, "amber"), channels.shared_channel(None, "green")
    assert (street.indicator().state, street.indicator().tlp) == ("shared", "amber")
    assert (len(bodies(amber)), len(bodies(green))) == (1, 0)
    services.assert_said(street.member("harbour"), [said()], NOON)
    assert (street.indicator().state, street.indicator().tlp) == ("shared", "green")
    assert (len(bodies(amber)), len(bodies(green))) == (2, 1)
    services.withdraw(street.indicator(), street.trusted(), "a mistake", NOON)
    assert [entry.revoked for entry in bodies(amber)] == [False, False, True]
    assert [entry.revoked for entry in bodies(green)] == [False, True]


def test_red_words_are_in_no_feed(street: Street) -> None:
    """They are for persons; the exchange keeps them and tells no machine."""
    for member in ("ferry", "medway", "harbour"):
        services.assert_said(street.member(member), [said(tlp="red")], NOON)
    assert street.indicator().state == "held"


def test_what_is_said_to_a_community_stays_there(street: Street) -> None:
    """Two words to a community share it there alone; the others read neither feed, list nor indicator."""
    ferry, medway, stranger = (street.member(name) for name in ("ferry", "medway", "stranger"))
    ports = a_community(ferry, medway)
    for member in (ferry, medway):
        services.assert_said(member, [said(community=ports.pk)], NOON)
    assert street.indicator().state == "held"
    assert Standing.objects.get().state == "shared"
    assert list(queries.shared("address", NOON)) == []
    assert [one.value for one in queries.shared_until("address", NOON, ports)] == [ATTACKER]
    assert queries.list_version("address", ports).number == 1
    inside, outside = a_key(ferry, READS), a_key(stranger, READS)
    feed = channels.shared_channel(ports, "green")
    assert channels.channel_of(inside, feed.alias) == feed
    with pytest.raises(NotFound):
        channels.channel_of(outside, str(feed.channel_id))
    assert queries.visible_to(inside).exists()
    assert not queries.visible_to(outside).exists()
    with pytest.raises(BadInput, match="does not belong"):
        services.assert_said(stranger, [said(community=ports.pk)], NOON)
    assert len(bodies(feed)) == 1


def test_everybodys_word_counts_in_a_community_and_not_the_other_way(street: Street) -> None:
    """One word to all and one to the community share there; a third to all shares everywhere."""
    ferry, medway = street.member("ferry"), street.member("medway")
    ports = a_community(ferry, medway)
    services.assert_said(ferry, [said()], NOON)
    services.assert_said(medway, [said(community=ports.pk)], NOON)
    assert (street.indicator().state, Standing.objects.get().state) == ("held", "shared")
    services.assert_said(street.member("harbour"), [said()], NOON)
    assert street.indicator().state == "shared"


def test_a_community_may_ask_for_more_voices(street: Street) -> None:
    """Three where three are needed."""
    members = [street.member(name) for name in ("ferry", "medway", "harbour")]
    ports = a_community(*members)
    Community.objects.update(sources_needed=3)
    for member in members[:2]:
        services.assert_said(member, [said(community=ports.pk)], NOON)
    assert Standing.objects.get().state == "held"
    services.assert_said(members[2], [said(community=ports.pk)], NOON)
    assert Standing.objects.get().state == "shared"


def test_who_has_left_reads_no_more(street: Street) -> None:
    """The day somebody leaves a community, its feed is closed to them."""
    ports = a_community(street.member("ferry"))
    feed, a_reader = channels.shared_channel(ports, "amber"), a_key(street.member("ferry"), READS)
    assert feed in channels.readable(a_reader)
    Membership.objects.update(until=NOON)
    assert feed not in channels.readable(a_reader)


def test_each_channel_counts_for_itself(street: Street) -> None:
    """Without gaps, in strictly increasing dates, whatever happens in the others."""
    ferry, medway = street.member("ferry"), street.member("medway")
    ports = a_community(ferry, medway)
    for hours, value in enumerate([ATTACKER, OTHER, "80.94.92.19"]):
        at = NOON + dt.timedelta(hours=hours)
        for member in (ferry, medway):
            services.assert_said(member, [said(value), said(value, "c", community=ports.pk)], at)
    for channel in Channel.objects.all():
        rows = list(Outgoing.objects.filter(channel=channel).order_by("number"))
        assert [row.number for row in rows] == list(range(1, channel.number + 1))
        dates = [row.date_added for row in rows]
        assert dates == sorted(set(dates))
        assert channel.last_at == dates[-1]


def test_contributions_are_read_by_their_member_alone(street: Street) -> None:
    """A member's own machine with the scope to write has a feed of its own."""
    member = a_member("writer")
    key = a_key(member, scopes=("lists:read", "indicators:write"))
    own = channels.contributions_of(member)
    assert channels.writable(key, own)
    assert own in channels.readable(key)
    assert own not in channels.readable(a_key(street.member("ferry"), READS))
    assert not channels.writable(key, channels.shared_channel(None, "green"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": "080.94.92.17"},
        {"value": "not an address"},
        {"tlp": "white"},
        {"pap": "blue"},
        {"actions": ("shoot",)},
        {"actions": ()},
        {"reference": ""},
        {"reference": "x" * 201},
    ],
)
def test_what_is_malformed_is_refused_whole(street: Street, wrong: dict[str, object]) -> None:
    """Nothing of it is kept."""
    wrongly = said(**wrong)
    with pytest.raises(BadInput):
        services.assert_said(street.member("ferry"), [said(OTHER), wrongly], NOON)
    assert not Assertion.objects.exists()


def test_confidence_is_told_in_bands_to_each_audience(street: Street) -> None:
    """What an AMBER word adds is told in the AMBER feed alone."""
    ferry, medway, harbour = (street.member(name) for name in ("ferry", "medway", "harbour"))
    services.assert_said(ferry, [said()], NOON)
    services.assert_said(harbour, [said(tlp="amber")], NOON)
    services.assert_said(medway, [said()], NOON)
    told = [
        (row.channel.tlp, row.revoked, msgspec.json.decode(bytes(row.body)).get("confidence"))
        for row in Outgoing.objects.filter(indicator__isnull=False).select_related("channel").order_by("pk")
    ]
    # It began in the AMBER feed by two voices; then GREEN words carry it, two there and three for AMBER.
    assert told[0] == ("amber", False, 50)
    assert sorted(told[1:]) == [("amber", False, 85), ("green", False, 50)]


def test_confidence_is_of_the_instant_at_which_the_version_was_written(street: Street) -> None:
    """A renewed version has what is left of old words, a withdrawn one says nothing, a person's is sure."""
    tess = street.trusted()
    for name in ("ferry", "medway"):
        street.report(name, at=NOON)
    street.report("ferry", at=NOON + 5 * DAY)
    services.withdraw(street.indicator(), tess, "a mistake", NOON + 6 * DAY)
    services.approve(street.indicator(), tess, True, "it is right", NOON + 13 * DAY)
    versions = [
        msgspec.json.decode(bytes(row.body)) for row in bodies(channels.shared_channel(None, "green"))
    ]
    assert [one.get("confidence") for one in versions] == [50, 15, None, 85]
    stamps = [one["modified"] for one in versions]
    assert stamps == sorted(set(stamps))
