"""A hostile member among honest ones: nothing it says is blocked, and what the others say is not held up.

`make soak` runs it with a hundred thousand junk indicators, otherwise with two thousand.
"""

import os
import time

import pytest
from tests.exchange import a_member
from tests.sharing.street import ATTACKER, DAY, NOON, Street

from tocsin.access.models import Member
from tocsin.sharing import queries, records, rules, services
from tocsin.sharing.models import Indicator, SourceRecord
from tocsin.sharing.words import Said

pytestmark = [pytest.mark.django_db, pytest.mark.database]

JUNK = 100_000 if os.environ.get("TOCSIN_SOAK") == "1" else 2_000
POPULAR = ("google.com", "www.wikipedia.org", "microsoft.com", "github.com", "bbc.co.uk", "gov.uk")
RESOLVERS = ("8.8.8.8", "1.1.1.1", "9.9.9.9")
RIVALS = "81.2.69.0/24"
HONEST = 12


def name(value: str) -> Said:
    """A word about a name."""
    return Said("name", value, value)


def address(value: str) -> Said:
    """A word about an address."""
    return Said("address", value, value)


def test_a_hostile_member_blocks_nothing_and_holds_nobody_up() -> None:
    """Popular names, resolvers, a rival's range and junk: held, each for its reason; its weight is gone."""
    street = Street()
    honest = [street.member(f"isp{number}") for number in range(HONEST)]
    Member.objects.filter(pk=honest[0].pk).update(networks=[RIVALS])
    hostile = a_member("hostile")

    def share(value: str) -> float:
        """Two honest members say so; gives the seconds until it stands on the list."""
        began = time.perf_counter()
        for member in honest[1:3]:
            services.assert_said(member, [address(value)], NOON)
        assert value in list(queries.shared("address", NOON))
        return time.perf_counter() - began

    before = sorted(share(f"80.94.90.{last}") for last in range(1, 8))[3]
    words = [name(value) for value in POPULAR]
    words += [address(value) for value in (*RESOLVERS, *(f"81.2.69.{last}" for last in range(1, 40)))]
    words += [name(f"junk-{number}.example-{number % 97}.top") for number in range(JUNK)]
    for start in range(0, len(words), 2_000):
        services.assert_said(hostile, words[start : start + 2_000], NOON)
    after = sorted(share(f"80.94.91.{last}") for last in range(1, 8))[3]
    assert after < 5 * before + 0.5, (before, after)

    said = Indicator.objects.filter(assertions__member=hostile)
    assert said.count() == len(words)
    assert set(said.values_list("state", flat=True)) == {"held"}
    listed = said.filter(value__in=[*POPULAR, *RESOLVERS])
    assert set(listed.values_list("basis", flat=True)) == {"listed"}
    assert said.filter(basis="alone").count() == JUNK
    assert list(queries.shared("name", NOON)) == []

    services.weigh_anew(NOON + 31 * DAY)
    assert SourceRecord.objects.get(member=hostile).weight == 0
    # An accomplice alone does not help: a voice without weight is none.
    services.assert_said(hostile, [address(ATTACKER)], NOON + 31 * DAY)
    services.assert_said(honest[4], [address(ATTACKER)], NOON + 31 * DAY)
    assert street.indicator().basis == "unsure"
    services.assert_said(honest[5], [address(ATTACKER)], NOON + 31 * DAY)
    assert street.indicator().state == "shared"


def test_two_who_collude_lose_it_with_the_first_refusals(street: Street) -> None:
    """They confirm each other until a person refuses a few; from then on their words carry nothing."""
    liars = [street.member("liar"), street.member("accomplice")]
    values = [f"80.94.93.{last}" for last in range(1, 21)]
    for member in liars:
        services.assert_said(member, [address(value) for value in values], NOON)
    assert len(list(queries.shared("address", NOON))) == 20  # two voices are two voices, until somebody looks
    trusted = street.trusted()
    for value in values[:12]:
        services.withdraw(street.indicator(value), trusted, "not so", NOON)
    services.weigh_anew(NOON)
    weights = records.weights()
    assert all(weights[member.pk] < rules.USUAL for member in liars)
    assert list(queries.shared("address", NOON)) == []
