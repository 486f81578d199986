"""The world with Tocsin: a real exchange under a simulated clock, its officers working from its own queue.

Nothing is modelled but people's minutes: reports are taken in, linked and routed, clocks swept and cases
decided by the services that pages and API call.
"""

import bisect
import datetime as dt
import heapq
import itertools
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import time_machine

from bench.habits.acts import Sitting
from bench.habits.desks import Session
from bench.habits.effort import Exchange
from bench.habits.sums import Fate
from tocsin.wire.report import Report

BATCH = 500
SWEEP_EVERY = dt.timedelta(hours=6)
Arrivals = dict[dt.datetime, dict[str, list[Report]]]


@dataclass
class Town:
    """The exchange while it runs.

    `unwilling` units never look at it, `passing` ones pass on what is not grave.
    """

    effort: Exchange
    unwilling: frozenset[str] = frozenset()
    passing: frozenset[str] = frozenset()
    minutes: float = 0.0
    actors: dict[str, Any] = field(default_factory=dict)
    letters: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    missing: dict[int, float] = field(default_factory=dict)  # minutes that investigations still need
    kept: set[str] = field(default_factory=set)  # cases that could not be passed on
    owed: dict[str, float] = field(default_factory=dict)  # minutes that somebody worked too long

    def join(
        self, members: Sequence[dict[str, Any]], joined: frozenset[str], officers: Sequence[Any]
    ) -> None:
        """Members get a key; the coordinator and officers of units that have joined an account."""
        from tocsin.access import keys, services
        from tocsin.access.policy import Actor

        for unit_id in sorted(joined):
            services.join_unit(unit_id)
        for member in members:
            row = services.add_member(member["name"], force_id=member["force"])
            self.actors[member["key"]] = keys.actor_of_key(keys.make_key(row, "edge", ["reports:write"])[1])
        for officer in officers:
            if officer.unit_id and officer.unit_id not in joined:
                continue
            person = services.add_person(officer.email, officer.name, "a long password of the model")
            unit = services.fetch_unit(officer.unit_id) if officer.unit_id else None
            services.give_role(person, "officer" if unit else "coordinator", unit=unit)
            self.actors[officer.email] = Actor.of_person(person)

    def run(self, arrivals: Arrivals, shifts: Sequence[Session], ends_at: dt.datetime) -> None:
        """Let time pass until `ends_at`: reports come, clocks fall due, people work."""
        from tocsin.cases import clocks

        number = itertools.count()
        begins_at = min([*arrivals, *(shift.starts_at for shift in shifts)])
        hours = (begins_at + SWEEP_EVERY * n for n in itertools.count())
        agenda: list[tuple[dt.datetime, int, Any]] = [
            *((at, next(number), found) for at, found in arrivals.items()),
            *((shift.starts_at, next(number), shift) for shift in shifts),
            *((at, next(number), None) for at in itertools.takewhile(lambda at: at < ends_at, hours)),
        ]
        heapq.heapify(agenda)
        day, began = begins_at.date(), time.perf_counter()
        with time_machine.travel(begins_at, tick=False) as clock:
            while agenda and agenda[0][0] <= ends_at:
                at, _, what = heapq.heappop(agenda)
                if at.date() != day:
                    day = at.date()
                    print(f"{day}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
                clock.move_to(at)
                if what is None:
                    clocks.sweep()
                elif isinstance(what, dict):
                    self.take_in(what)
                elif (later := self.work(what, at)) is not None:
                    heapq.heappush(agenda, (later[0], next(number), later[1]))
            clock.move_to(ends_at)
            clocks.sweep()

    def work(self, what: Session | Sitting, at: dt.datetime) -> tuple[dt.datetime, Sitting] | None:
        """The next act of somebody who sits down or sits there; gives when the one after it comes."""
        if isinstance(what, Session):
            if what.officer.unit_id in self.unwilling:
                return None
            what = Sitting(self, what, what.minutes - self.owed.pop(what.officer.email, 0.0))
        next_at = what.step(at)
        return None if next_at is None else (next_at, what)

    def take_in(self, found: dict[str, list[Report]]) -> None:
        """Reports of one morning, by member: taken in, linked, campaigns joined, as the worker would."""
        from tocsin.cases.gathering import gather_campaigns
        from tocsin.cases.linking import link_reports
        from tocsin.intake import services as intake
        from tocsin.intake.models import Report as Row

        for member, reports in sorted(found.items()):
            for start in range(0, len(reports), BATCH):
                bodies = [msgspec.json.encode(report) for report in reports[start : start + BATCH]]
                answer = intake.submit(self.actors[member], bodies)
                if answer.refusals:
                    raise RuntimeError(answer.refusals[0].detail)
                ids = [receipt.report_id for receipt in answer.receipts]
                link_reports(Row.objects.filter(report_id__in=ids).values_list("pk", flat=True))
        gather_campaigns()


def fates(keys: Mapping[str, str]) -> list[Fate]:
    """What became of every report, read from the exchange's own tables; `keys` are the members' by name."""
    from tocsin.cases.models import Link
    from tocsin.figures.followup import answers_since

    answers = answers_since(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    rows = Link.objects.filter(detached_at__isnull=True).values_list(
        "case_id", "case__closed_at", "report__member__name", "report__received_at"
    )
    found = []
    for case, closed_at, member, received_at in rows.iterator(5_000):
        given = answers.get(case, [])
        place = bisect.bisect_left(given, received_at)
        answered_at = given[place] if place < len(given) else None
        is_automatic = answered_at is None and bool(given)
        found.append(Fate(keys[member], received_at, answered_at, closed_at, is_automatic))
    return found
