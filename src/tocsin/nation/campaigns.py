"""Who attacks whom, with what and from where: the hidden truth from which all evidence is written.

A campaign is planned whole, then told as strikes: what one origin does to one target within one UTC day.
"""

import datetime as dt
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from tocsin.nation import words
from tocsin.nation.places import Provider
from tocsin.nation.shape import Shape

Pattern = Literal["brute-force", "distributed", "scanner", "spam", "phishing", "malware"]

DAY = 86_400
GUESSING = "intrusion-attempts/brute-force"
SCANNING = "information-gathering/scanner"
SPAM = "abusive-content/spam"
PHISHING = "fraud/phishing"
MALWARE = "malicious-code/malware-distribution"
UNKNOWN = "unknown"  # what a report says of a target that it does not name


class Campaign(msgspec.Struct, frozen=True):
    """One attacker's doings. `origins` are addresses; `names` the sites of phishing and malware; days count
    from 0; `providers` are those that meet it."""

    campaign: str
    pattern: Pattern
    origins: tuple[str, ...]
    first_day: int
    last_day: int
    providers: tuple[str, ...]
    names: tuple[str, ...] = ()
    brand: str = ""
    acts_a_day: int = 1
    wins: bool = False


@dataclass(frozen=True, slots=True)
class Strike:
    """What one origin does to one target of a provider in one UTC day: `acts` between `start` and `end`
    (seconds of the day). `wins` is a sign-in that succeeds after the guessing."""

    campaign: str
    pattern: Pattern
    provider: int
    kind: str
    origin: str
    target: str
    service: str
    day: int
    start: int
    end: int
    acts: int
    wins: bool = False
    site: str = ""


@dataclass
class Planner:
    """Plans campaigns one after the other; no two share an origin."""

    shape: Shape
    members: Sequence[Provider]

    def __post_init__(self) -> None:
        self.addresses = self._lairs(self.shape.dice("addresses"))
        self.scanners = iter(f"203.0.113.{host}" for host in range(1, 255))
        self.made = 0

    def plan(self) -> Iterator[Campaign]:
        """All campaigns; how many grows with providers and days."""
        size = self.shape.providers * self.shape.days
        for pattern, plan, count in (
            ("brute-force", self._brute_force, 3 + size // 18),
            ("distributed", self._distributed, 1 + size // 400),
            ("scanner", self._scanner, 3 + size // 250),
            ("spam", self._spam, 1 + size // 60),
            ("phishing", self._phishing, 3 + size // 30),
            ("malware", self._malware, 2 + size // 60),
        ):
            # Everybody meets the same scanners, however much else happens.
            for number in range(count if pattern == "scanner" else count * self.shape.intensity):
                yield plan(self.shape.dice(pattern, number))

    def _brute_force(self, dice: random.Random) -> Campaign:
        """One origin, sometimes a few, guessing at many providers over days."""
        return self._campaign(
            dice,
            "brute-force",
            origins=1 if dice.random() < 0.8 else dice.randint(2, 4),
            share=dice.uniform(0.1, 0.6),
            lasts=dice.randint(1, 7),
            acts_a_day=round(dice.lognormvariate(3.6, 1.0)) + 3,
            wins=dice.random() < 0.15,
        )

    def _distributed(self, dice: random.Random) -> Campaign:
        """Many origins, a few guesses each: below most thresholds by design."""
        return self._campaign(
            dice,
            "distributed",
            origins=dice.randint(20, 60),
            share=dice.uniform(0.3, 0.9),
            lasts=dice.randint(1, 3),
            acts_a_day=dice.randint(1, 3),
        )

    def _scanner(self, dice: random.Random) -> Campaign:
        """Seen by everybody for as long as anybody looks."""
        return self._campaign(
            dice, "scanner", origins=1, share=1.0, lasts=self.shape.days, acts_a_day=dice.randint(2, 14)
        )

    def _spam(self, dice: random.Random) -> Campaign:
        """A wave of mail that recipients complain about."""
        return self._campaign(
            dice, "spam", origins=dice.randint(1, 4), share=dice.uniform(0.1, 0.5), lasts=dice.randint(1, 3),
            acts_a_day=dice.randint(1, 20),
        )  # fmt: skip

    def _phishing(self, dice: random.Random) -> Campaign:
        """Sites that pretend to be a brand's, reported by several providers."""
        brand = dice.choice(words.BRANDS)
        names = tuple(words.site(dice, brand) for _ in range(dice.randint(1, 3)))
        return self._campaign(
            dice, "phishing", origins=1, share=dice.uniform(0.1, 0.5), lasts=dice.randint(1, 5), names=names,
            brand=brand,
        )  # fmt: skip

    def _malware(self, dice: random.Random) -> Campaign:
        """A host that hands out malware."""
        return self._campaign(
            dice, "malware", origins=1, share=dice.uniform(0.1, 0.4), lasts=dice.randint(2, 6),
            names=(words.lair(dice),),
        )  # fmt: skip

    def _campaign(
        self, dice: random.Random, pattern: Pattern, *, origins: int, share: float, lasts: int,
        names: tuple[str, ...] = (), brand: str = "", acts_a_day: int = 1, wins: bool = False,
    ) -> Campaign:  # fmt: skip
        first = dice.randrange(max(1, self.shape.days - lasts + 1))
        met = self._met(dice, share)
        source = self.scanners if pattern == "scanner" else self.addresses
        self.made += 1
        return Campaign(
            campaign=f"{pattern}-{self.made:04}",
            pattern=pattern,
            origins=tuple(next(source) for _ in range(origins)),
            first_day=first,
            last_day=min(first + lasts, self.shape.days) - 1,
            providers=tuple(member.key for member in met),
            names=names,
            brand=brand,
            acts_a_day=acts_a_day,
            wins=wins,
        )

    def _met(self, dice: random.Random, share: float) -> list[Provider]:
        """Which providers meet it: at least two where there are two, the large ones sooner."""
        least = min(2, len(self.members))
        luck = sorted(self.members, key=lambda member: dice.random() / (0.3 + member.weight))
        met = luck[: max(least, round(share * len(self.members)))]
        return sorted(met, key=lambda member: member.number)

    def _lairs(self, dice: random.Random) -> Iterator[str]:
        """Addresses of attackers, none twice, some of them IPv6."""
        lower_half = list(range(1 << 16))
        dice.shuffle(lower_half)
        for place in lower_half:
            if dice.random() < 0.08:
                yield f"2001:db8:bad:{place:x}::{dice.randrange(1, 1 << 16):x}"
            else:
                yield f"198.18.{place >> 8}.{place & 255}"


def strikes(campaign: Campaign, shape: Shape, members: Sequence[Provider]) -> Iterator[Strike]:
    """The campaign, told strike by strike."""
    dice = shape.dice("strikes", campaign.campaign)
    by_key = {member.key: member for member in members}
    tell = _TELLERS[campaign.pattern]
    for day in range(campaign.first_day, campaign.last_day + 1):
        for key in campaign.providers:
            yield from tell(campaign, by_key[key], day, dice)


def _guessing(campaign: Campaign, member: Provider, day: int, dice: random.Random) -> Iterator[Strike]:
    """Every machine of the provider, more often at a larger one."""
    for origin in campaign.origins:
        for host in member.hosts:
            if dice.random() > 0.8:
                continue
            start = dice.randrange(DAY - 7_200)
            acts = max(1, round(campaign.acts_a_day * dice.uniform(0.5, 1.5)))
            yield Strike(
                campaign.campaign, campaign.pattern, member.number, GUESSING, origin, host.name, "ssh", day,
                start, dice.randrange(start + 3_600, DAY), acts,
                wins=campaign.wins and acts >= 10 and dice.random() < 0.02,
            )  # fmt: skip


def _few_guesses(campaign: Campaign, member: Provider, day: int, dice: random.Random) -> Iterator[Strike]:
    host = member.hosts[0]
    for origin in campaign.origins:
        if dice.random() < 0.5:
            start = dice.randrange(DAY - 3_600)
            acts = dice.randint(1, campaign.acts_a_day)
            yield Strike(
                campaign.campaign, campaign.pattern, member.number, GUESSING, origin, host.name, "ssh", day,
                start, start + 3_000, acts,
            )  # fmt: skip


def _looking(campaign: Campaign, member: Provider, day: int, dice: random.Random) -> Iterator[Strike]:
    for host in member.hosts:
        if dice.random() < 0.3:
            acts = max(1, round(campaign.acts_a_day * dice.uniform(0.6, 1.4)))
            yield Strike(
                campaign.campaign, campaign.pattern, member.number, SCANNING, campaign.origins[0], host.name,
                "ssh", day, 0, DAY - 1, acts,
            )  # fmt: skip


def _spamming(campaign: Campaign, member: Provider, day: int, dice: random.Random) -> Iterator[Strike]:
    for origin in campaign.origins:
        if dice.random() < 0.6:
            at = dice.randrange(DAY)
            acts = max(1, round(campaign.acts_a_day * dice.uniform(0.5, 1.5)))
            yield Strike(
                campaign.campaign, campaign.pattern, member.number, SPAM, origin, member.domain, "smtp", day,
                at, at, acts,
            )  # fmt: skip


def _sites(kind: str) -> Callable[[Campaign, Provider, int, random.Random], Iterator[Strike]]:
    def tell(campaign: Campaign, member: Provider, day: int, dice: random.Random) -> Iterator[Strike]:
        if dice.random() < 0.6:
            at = dice.randrange(DAY)
            yield Strike(
                campaign.campaign, campaign.pattern, member.number, kind, campaign.origins[0],
                campaign.brand.lower() or UNKNOWN, "http", day, at, at, 1, site=dice.choice(campaign.names),
            )  # fmt: skip

    return tell


_TELLERS: dict[Pattern, Callable[[Campaign, Provider, int, random.Random], Iterator[Strike]]] = {
    "brute-force": _guessing,
    "distributed": _few_guesses,
    "scanner": _looking,
    "spam": _spamming,
    "phishing": _sites(PHISHING),
    "malware": _sites(MALWARE),
}


def instant(shape: Shape, day: int, second: int) -> str:
    """RFC 3339 in UTC, of a second of a day."""
    at = dt.datetime.fromtimestamp(shape.start(day) + second, dt.UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
