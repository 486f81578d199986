"""An exercise: a member reads all that it can, and guesses whose words stand behind what is shared.

Twelve providers of the simulated nation report what strikes them, each by habits of its own: as it happens,
each hour, at night, in office hours. The exchange takes the reports in, judges and shares in the nation's
time. One member looks through its doors right after each change, and knows its own reports. What it makes of
that is in `guessing`.
"""

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import time_machine
from django.db.models import Min
from django.test import Client, override_settings
from tests.exchange import key_text

from tocsin.access import keys, services
from tocsin.access.models import Member
from tocsin.access.policy import Actor
from tocsin.intake import services as intake
from tocsin.intake.models import Report
from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.time import parse_rfc3339
from tocsin.nation import people, places
from tocsin.nation.campaigns import Planner, Strike, strikes
from tocsin.nation.shape import Shape
from tocsin.sharing import batching
from tocsin.sharing.models import Assertion
from tocsin.sharing.services import assert_reports
from tocsin.wire import report as wire

FIRST = dt.datetime(2026, 10, 5, tzinfo=dt.UTC)
PRETENDED = ("198.18.0.0/15", "203.0.113.0/24", "2001:db8::/32")
SCOPES = ("lists:read", "indicators:write", "reports:read", "reports:write")
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
HABITS = ("watch", "watch", "nightly", "hourly", "watch", "office", "nightly", "twice", "watch", "office",
          "hourly", "nightly")  # fmt: skip


@dataclass(frozen=True)
class Told:
    """One report: who sends it, when, and what it says."""

    at: dt.datetime
    member: int
    report: wire.Report


@dataclass
class Seen:
    """What the observer saw when an address or name was first shared: features by name."""

    value: str
    at: dt.datetime
    features: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """What was seen, and the truth: everybody who had said it, and whose word came at that instant."""

    seen: Seen
    sources: frozenset[int]
    last: frozenset[int]

    @property
    def pseudonyms(self) -> frozenset[tuple[int, int]]:
        """What a member would read, did it read pseudonyms: one a source and week, which says no more."""
        return frozenset((self.seen.at.isocalendar().week, member) for member in self.sources)


def habit_delay(habit: str, number: int, happened: dt.datetime, dice: random.Random) -> dt.datetime:
    """When a member of that habit tells what happened then."""
    if habit == "watch":
        return happened + dt.timedelta(minutes=dice.lognormvariate(1.5, 0.8))
    if habit == "hourly":
        minute = (number * 17) % 60
        due = happened.replace(minute=minute, second=5, microsecond=0)
        return due if due > happened else due + HOUR
    if habit in ("nightly", "twice"):
        hours = [(number * 5) % 24] if habit == "nightly" else [6, 18]
        dues = [happened.replace(hour=hour, minute=10 + number, second=0, microsecond=0) for hour in hours]
        return min(due if due > happened else due + DAY for due in dues)
    at = happened + dt.timedelta(minutes=dice.uniform(10, 120))
    while at.weekday() >= 5 or not 8 + number % 3 <= at.hour < 16 + number % 3:
        at += dt.timedelta(minutes=dice.uniform(20, 60))
    return at


def told_in(shape: Shape) -> tuple[list[places.Provider], list[Told]]:
    """The providers, and every report of the nation in the order in which they arrive."""
    members = places.make(shape, people.forces(people.units(shape)))
    dice, found = shape.dice("reporting"), []
    first: set[tuple[int, str, str]] = set()
    for campaign in Planner(shape, members).plan():
        if campaign.pattern in ("spam", "distributed", "scanner"):
            continue
        for strike in strikes(campaign, shape, members):
            about = strike.site or strike.origin
            if (strike.provider, about, strike.kind) in first:
                continue
            first.add((strike.provider, about, strike.kind))
            happened = dt.datetime.fromtimestamp(shape.start(strike.day) + strike.end, dt.UTC)
            habit = HABITS[strike.provider % len(HABITS)]
            at = habit_delay(habit, strike.provider, happened, dice)
            found.append(Told(at, strike.provider, report_of(strike, happened)))
    return members, sorted(found, key=lambda one: one.at)


def report_of(strike: Strike, happened: dt.datetime) -> wire.Report:
    """A strike as its member's edge tool reports it."""
    number = f"{strike.provider} {strike.origin} {strike.site} {strike.kind}".encode()
    stamp = happened.strftime("%Y-%m-%dT%H:%M:%SZ")
    return wire.Report(
        attack_id=f"attack_{sha256_hex(number)[:32]}",
        kind=strike.kind,
        origins=(strike.origin,),
        targets=(strike.target,),
        service=strike.service,
        first_seen_at=stamp,
        last_seen_at=stamp,
        count=max(3, strike.acts),
        severity="medium",
        names=(strike.site,) if strike.site else (),
    )


def NOBODY(member: places.Provider, habit: str) -> bool:
    """Nobody's words wait for a batch."""
    return False


def TELLING(member: places.Provider, habit: str) -> bool:
    """Whoever does not report as things happen is known by its hours, and lets its words wait."""
    return habit != "watch"


class Exchange:
    """The members with their keys, the observer's eyes, and what both have seen so far."""

    def __init__(self, members: Sequence[places.Provider], observer: int, small: frozenset[int]) -> None:
        self.members = [services.add_member(one.name, force_id="mps") for one in members]
        self.keys: list[Actor] = [keys.actor_of_key(key_text(one, SCOPES)) for one in self.members]
        self.number = {member.pk: number for number, member in enumerate(self.members)}
        Member.objects.filter(pk__in=[self.members[number].pk for number in small]).update(
            is_small_source=True
        )
        text = key_text(self.members[observer], SCOPES)
        self.client = Client(headers={"Authorization": f"Bearer {text}"})
        self.after: str | None = None
        self.seen: dict[str, Seen] = {}
        self.items: list[Item] = []
        self.size, self.texts = 0, []

    def take(self, told: Sequence[Told], at: dt.datetime) -> None:
        """One upload of one member, judged at once as the worker does."""
        sent = [msgspec.json.encode(one.report) for one in told]
        accepted = intake.submit(self.keys[told[0].member], sent)
        ids = [receipt.report_id for receipt in accepted.receipts]
        assert_reports(Report.objects.filter(report_id__in=ids).values_list("pk", flat=True), at)

    def look(self, at: dt.datetime) -> None:
        """Read every door; what is shared since the last look becomes items with what was seen of them."""
        head = self.client.get("/api/v1/journal/head").json()
        growth, self.size = head["tree_size"] - self.size, head["tree_size"]
        fresh = list(self.fresh_objects())
        group = len(fresh)
        for body, added in fresh:
            value = body["name"].split()[0]
            if value in self.seen or body.get("revoked"):
                continue
            told = self.client.get("/api/v1/indicators", {"value": value})
            why = told.json()
            self.texts.append(told.content)
            first = Seen(value, added)
            since = parse_rfc3339(body["valid_from"])
            first.features = {
                "hour": added.hour,
                "minute": added.minute // 5,
                "weekday": added.weekday(),
                "group": min(group, 12),
                "growth": min(growth // 3, 12),
                "kind": "name" if body["pattern"].startswith("[domain") else "address",
                "version": body["pattern"][1:5],
                "on the hour": added.minute == 0,
                "certainty": why["certainty"],
                "life": (parse_rfc3339(body["valid_until"]) - since) // HOUR,
                "hour and minute": (added.hour, added.minute // 5),
                "hour and group": (added.hour, min(group, 6)),
                "minute and growth": (added.minute, min(growth // 3, 6)),
                "tail": value.rpartition(".")[2] if body["pattern"].startswith("[domain") else "",
            }
            self.seen[value] = first
            self.items.append(self.truth_of(first))

    def fresh_objects(self) -> Iterator[tuple[dict[str, Any], dt.datetime]]:
        """What the TAXII collection has added since the last look, with the dates of its manifest."""
        collection = "/taxii2/api/collections/everybody-green"
        query = {"added_after": self.after} if self.after else {}
        answer = self.client.get(
            f"{collection}/objects/", query, headers={"Accept": "application/taxii+json;version=2.1"}
        )
        if answer.headers.get("X-TAXII-Date-Added-Last") == self.after:
            return
        dates = {
            row["id"]: parse_rfc3339(row["date_added"])
            for row in self.client.get(
                f"{collection}/manifest/", query, headers={"Accept": "application/taxii+json;version=2.1"}
            )
            .json()
            .get("objects", [])
        }
        self.texts.append(answer.content)
        self.after = answer.headers.get("X-TAXII-Date-Added-Last", self.after)
        for body in answer.json().get("objects", []):
            if body["type"] == "indicator":
                yield body, dates[body["id"]]

    def every_door(self) -> Iterator[tuple[str, bytes]]:
        """All else that the observer's key reads at the end: MISP, lists, its own source, objects again."""
        manifest = self.client.get("/misp/feed/manifest.json")
        yield "manifest", manifest.content
        yield "hashes", self.client.get("/misp/feed/hashes.csv").content
        for event in manifest.json():
            yield "event", self.client.get(f"/misp/feed/{event}.json").content
        for name in ("names.rpz", "names.txt", "addresses.nft", "addresses.txt"):
            yield name, self.client.get(f"/api/v1/lists/{name}").content
        yield "source", self.client.get("/api/v1/source").content
        for text in self.texts:
            yield "TAXII and REST", text

    def next_leaving(self, latest: dt.datetime) -> dt.datetime:
        """When the next word of a batch leaves."""
        waiting = Assertion.objects.filter(leaves_at__isnull=False, withdrawn_at=None)
        found: dt.datetime | None = waiting.aggregate(least=Min("leaves_at"))["least"]
        return min(found, latest) if found is not None else latest

    def truth_of(self, seen: Seen) -> Item:
        """Who had said it when it was shared, and whose word was the last."""
        said = Assertion.objects.filter(indicator__value=seen.value, is_heard=True, withdrawn_at=None)
        rows = list(said.values_list("member_id", "asserted_at"))
        newest = max(at for _, at in rows)
        return Item(
            seen,
            frozenset(self.number[member] for member, _ in rows),
            frozenset(self.number[member] for member, at in rows if at == newest),
        )


def play(shape: Shape, observer: int, small: Callable[[places.Provider, str], bool]) -> Exchange:
    """The whole nation in its own time, seen by one member."""
    members, told = told_in(shape)
    chosen = frozenset(one.number for one in members if small(one, HABITS[one.number % len(HABITS)]))
    with (
        override_settings(PRETEND_PUBLIC=PRETENDED),
        time_machine.travel(told[0].at - HOUR, tick=False) as clock,
    ):
        world = Exchange(members, observer, chosen)
        uploads: dict[tuple[dt.datetime, int], list[Told]] = defaultdict(list)
        for one in told:
            uploads[one.at, one.member].append(one)
        clocks = shape.dice("sweeps")
        tick = told[0].at.replace(minute=0, second=0, microsecond=0) + HOUR
        for (at, _), batch in sorted(uploads.items(), key=lambda pair: pair[0]):
            while (due := min(tick, world.next_leaving(tick))) <= at:
                now = due + dt.timedelta(seconds=clocks.uniform(0, 15))  # the worker's sweep
                clock.move_to(now)
                if batching.sweep_batches(now):
                    world.look(now)
                if due == tick:
                    tick += HOUR
            clock.move_to(at)
            world.take(batch, at)
            world.look(at)
    return world
