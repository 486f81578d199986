"""A store such as a large exchange has after some years: few large cases, many small, most of them closed."""

import datetime as dt
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from bench.pages.beside import furnish
from bench.pages.rows import chosen, restart_ids, write

KINDS = {
    "intrusion-attempts/brute-force": 70.0,
    "information-gathering/scanner": 10.0,
    "malicious-code/malware-distribution": 5.0,
    "fraud/phishing": 10.0,
    "availability/ddos": 5.0,
}
SEVERITIES = {"info": 10.0, "low": 50.0, "medium": 30.0, "high": 9.0, "critical": 1.0}
YEARS = dt.timedelta(days=730)
LARGEST = 0.1  # of all reports are in one case
OPEN = 0.2  # of all cases
OWNED = 0.6  # of the open ones
HELD = 200  # cases of which logs are held
PASSWORD = "a long password of the bench"


@dataclass
class Store:
    """What was written, as far as the pages need to know it."""

    reports: int
    cases: int
    seed: int = 11
    members: list[int] = field(default_factory=list)
    units: list[int] = field(default_factory=list)
    kent: int = 0
    people: dict[str, Any] = field(default_factory=dict)

    def build(self) -> None:
        """Write everything; some minutes for a million reports."""
        self.dice = random.Random(self.seed)
        self.now = dt.datetime.now(dt.UTC)
        self._people()
        self.sizes = self._sizes()
        self._cases()
        self._reports()
        self._entries()
        self._holdings()
        self._statistics()
        furnish(self)
        self._statistics()

    def stand(self, home: Path) -> None:
        """What stands in this home already, or everything anew: what was built is marked there."""
        from tocsin.access.models import Member, Person

        mark = home / "built"
        if not mark.exists():
            self.build()
            mark.touch()
            return
        self.members = list(Member.objects.order_by("pk").values_list("pk", flat=True))
        self.people = {person.name.lower(): person for person in Person.objects.all()}
        self.sizes = self._sizes()
        self.now = dt.datetime.now(dt.UTC)

    def _people(self) -> None:
        """130 members, every unit, and in Kent, which has joined, an officer and a supervisor."""
        from tocsin.access import services
        from tocsin.cases.units import load_units, units_by_id

        load_units()
        rows = units_by_id()
        forces = sorted(unit.unit_id for unit in rows.values() if unit.kind == "force")[:43]
        self.units = [rows[unit_id].pk for unit_id in forces]
        self.kent = rows["kent"].pk
        services.join_unit("kent")
        for number in range(130):
            force = forces[number % len(forces)]
            self.members.append(services.add_member(f"Provider {number:03}", force_id=force).pk)
        from tocsin.access.models import Member

        largest = Member.objects.get(pk=self.members[0])
        for name, role, place in (
            ("rita", "reporter", {"member": largest}),
            ("olive", "officer", {"unit": rows["kent"]}),
            ("saul", "supervisor", {"unit": rows["kent"]}),
            ("cora", "coordinator", {}),
        ):
            person = services.add_person(f"{name}@bench.example", name.title(), PASSWORD)
            services.give_role(person, role, **place)
            self.people[name] = person

    def _sizes(self) -> list[int]:
        """How many reports each case has: one of a tenth of all, then fewer and fewer, at least one."""
        left = self.reports - self.cases
        sizes = [1] * self.cases
        sizes[0] += int(LARGEST * left)
        left -= sizes[0] - 1
        for number in itertools.cycle(range(1, self.cases)):
            if left <= 0:
                break
            more = min(left, 1 + int(self.reports / 200 / (number + 1)))
            sizes[number] += more
            left -= more
        return sizes

    def opened_at(self, case: int) -> dt.datetime:
        """The largest is young; the others are spread over two years."""
        if case == 0:
            return self.now - dt.timedelta(days=20)
        return self.now - YEARS * random.Random(case).random()

    def is_open(self, case: int) -> bool:
        """A fifth of the cases, the largest among them."""
        return case == 0 or random.Random(-case).random() < OPEN

    def owner(self, case: int) -> str:
        """The name of who has it; every closed case had somebody."""
        if self.is_open(case) and (case == 0 or random.Random(case * 7 + 1).random() > OWNED):
            return ""
        return "Olive" if self.unit(case) == self.kent else f"Officer {case % 90}"

    def unit(self, case: int) -> int:
        """Kent has one case in twelve, the largest among them; the others are spread."""
        return self.kent if case % 12 == 0 else self.units[case % len(self.units)]

    def kind(self, case: int) -> str:
        """By the weights."""
        return chosen(KINDS, random.Random(case * 3 + 2), 1)[0]

    def severity(self, case: int) -> str:
        """By the weights; `info` is a group below the threshold, under no clock."""
        return chosen(SEVERITIES, random.Random(case * 5 + 3), 1)[0] if case else "high"

    def origin(self, case: int) -> str:
        """An address of its own for each case."""
        return (
            f"2001:db8:{case >> 16:x}:{case & 0xFFFF:x}::1"
            if case % 3
            else f"203.{case >> 16}.{case >> 8 & 255}.{case & 255}"
        )

    def _cases(self) -> None:
        from tocsin.cases.models import Case, CaseOrigin, Clock, Decision, Outcome

        columns = (
            "id",
            "case_id",
            "title",
            "kind",
            "severity",
            "status",
            "opened_at",
            "closed_at",
            "investigating_unit",
            "support_unit",
            "owner",
            "owner_name",
            "owned_at",
            "outcome_code",
            "report_count",
            "member_count",
        )
        write(
            Case,
            columns,
            map(self._case, range(self.cases)),
            route_rule="victim-force",
            route_reason="the provider has its seat there",
            route_told="it has its seat there",
        )
        write(CaseOrigin, ("case", "origin"), ((n + 1, self.origin(n)) for n in range(self.cases)))
        write(
            Clock,
            (
                "clock_id",
                "case",
                "started_at",
                "due_at",
                "next_step_at",
                "ended_at",
                "ended_by",
                "breached_at",
                "step",
            ),
            itertools.chain.from_iterable(map(self._clocks, range(self.cases))),
        )
        answered = [n for n in range(self.cases) if not self.is_open(n)]
        words = "No suspect was identified; it is opened again when something new comes in."
        write(
            Decision,
            ("case", "person_name", "unit", "at"),
            (
                (n + 1, self.owner(n), self.unit(n), self.opened_at(n) + dt.timedelta(days=2))
                for n in answered
            ),
            status="X-OUT",
            reason=words,
        )
        write(
            Outcome,
            ("case", "person_name", "unit", "given_at"),
            (
                (n + 1, self.owner(n), self.unit(n), self.opened_at(n) + dt.timedelta(days=2))
                for n in answered
            ),
            outcome_code="18",
            words=words,
            status_before="X-ACC",
        )

    def _case(self, n: int) -> tuple[Any, ...]:
        opened, owner = self.opened_at(n), self.owner(n)
        closed = None if self.is_open(n) else opened + dt.timedelta(days=2)
        status = "X-OUT" if closed else "X-INV" if owner else "X-DIS"
        mine = self.people["olive"].pk if owner == "Olive" else None
        return (
            n + 1,
            f"case_{n:012}",
            f"Attack against ssh from {self.origin(n)}",
            self.kind(n),
            self.severity(n),
            status,
            opened,
            closed,
            self.unit(n),
            self.unit(n),
            mine,
            owner,
            opened if owner else None,
            "18" if closed else "",
            self.sizes[n],
            min(self.sizes[n], 1 + n % 9),
        )

    def _clocks(self, n: int) -> Iterator[tuple[Any, ...]]:
        opened = self.opened_at(n)
        if self.severity(n) == "info":
            return
        for clock_id, days in (("P03", 5), ("P04", 28)):
            due = opened + dt.timedelta(days=days)
            if not self.is_open(n):
                ended = opened + dt.timedelta(days=2)
                yield clock_id, n + 1, opened, due, None, ended, "person", due if due < ended else None, 0
            elif self.owner(n) or clock_id == "P04":
                late = due < self.now
                yield (
                    clock_id,
                    n + 1,
                    opened,
                    due,
                    None if late else due,
                    None,
                    "",
                    due if late else None,
                    3 if late else 0,
                )

    def _reports(self) -> None:
        from tocsin.cases.models import Clock, Link, Share
        from tocsin.intake.models import Report

        reported = (
            "id",
            "report_id",
            "member",
            "attack_id",
            "kind",
            "origin",
            "target",
            "severity",
            "first_seen_at",
            "last_seen_at",
            "received_at",
            "updated_at",
            "status",
            "content",
            "salt",
            "entry_seq",
        )
        shares: Counter[tuple[int, int]] = Counter()
        firsts: dict[tuple[int, int], int] = {}
        write(Report, reported, self._report_rows(shares, firsts), service="ssh", lane="ordinary", count=420)
        linked = "shares the origin"
        write(
            Link,
            ("case", "report", "linked_at"),
            ((n + 1, pk, self.opened_at(n)) for n, pk in self.numbered()),
            reason=linked,
            strength=90,
        )
        columns = ("clock_id", "case", "report", "started_at", "due_at", "ended_at", "ended_by")
        columns += ("next_step_at", "breached_at", "step")
        write(
            Clock,
            columns,
            itertools.chain.from_iterable(itertools.starmap(self._own_clocks, self.numbered())),
        )
        write(
            Share,
            ("case", "member", "reports", "first_report"),
            ((case + 1, member, count, firsts[case, member]) for (case, member), count in shares.items()),
        )

    def _own_clocks(self, n: int, pk: int) -> Iterator[tuple[Any, ...]]:
        """Every report is acknowledged; where nobody has its case, an owner is owed to it."""
        opened = self.opened_at(n)
        yield "P01", n + 1, pk, opened, opened, opened, "automatic", None, None, 0
        if self.severity(n) == "info":
            return
        due = opened + dt.timedelta(days=1)
        if not self.is_open(n) or self.owner(n):
            yield "P02", n + 1, pk, opened, due, opened, "automatic", None, None, 0
        elif due < self.now:
            yield "P02", n + 1, pk, opened, due, None, "", None, due, 3
        else:
            yield "P02", n + 1, pk, opened, due, None, "", due, None, 0

    def numbered(self) -> Iterator[tuple[int, int]]:
        """(case, report's key), in order."""
        keys = itertools.count(1)
        for n, size in enumerate(self.sizes):
            for _ in range(size):
                yield n, next(keys)

    def member(self, case: int, pk: int) -> int:
        """A case has at most nine members, the first of them often the largest provider."""
        return self.members[0] if pk % 5 == 0 else self.members[(case + pk % (1 + case % 9)) % 130]

    def _report_rows(
        self, shares: Counter[tuple[int, int]], firsts: dict[tuple[int, int], int]
    ) -> Iterator[tuple[Any, ...]]:
        from tocsin.wire import report as wire

        encode = msgspec.json.Encoder().encode
        for n, pk in self.numbered():
            member, opened = self.member(n, pk), self.opened_at(n)
            shares[n, member] += 1
            firsts.setdefault((n, member), pk)
            attack_id = f"attack_{pk:032x}"
            told = wire.Report(
                attack_id,
                self.kind(n) if n < 5_000 else "intrusion-attempts/brute-force",
                (self.origin(n),),
                ("mx1.example",),
                "ssh",
                "2026-11-01T00:00:00Z",
                "2026-11-01T02:00:00Z",
                420,
                "low",
            )
            status = "X-OUT" if not self.is_open(n) else "X-INV" if self.owner(n) else "X-DIS"
            yield (
                pk,
                f"report_{pk:012}",
                member,
                attack_id,
                told.kind,
                self.origin(n),
                "mx1.example",
                self.severity(n),
                opened,
                opened,
                opened,
                opened,
                status,
                encode(told),
                bytes(32),
                pk,
            )

    def _entries(self) -> None:
        """A history for every case: opened, accepted, answered."""
        from tocsin.journal.models import Content, Entry

        rows = list(self._events())
        first = 1 + self.reports
        instant = self.now - YEARS
        write(
            Entry,
            ("seq", "at", "event", "subject"),
            (
                (first + n, instant + dt.timedelta(milliseconds=n), event, subject)
                for n, (event, subject, _) in enumerate(rows)
            ),
            commitment=bytes(32),
            leaf=bytes(32),
        )
        write(
            Content,
            ("entry", "content"),
            ((first + n, content) for n, (_, _, content) in enumerate(rows)),
            salt=bytes(32),
        )

    def _events(self) -> Iterator[tuple[str, str, bytes]]:
        encode = msgspec.json.Encoder().encode
        opened = encode(
            {"unit": "Kent Police", "reason": "its seat is there", "told": "its seat is there", "title": "x"}
        )
        accepted = encode({"by": "Olive", "by_unit": "Kent Police", "unit": "Kent Police"})
        answered = encode(
            {
                "by": "Olive",
                "by_unit": "Kent Police",
                "title": "closed",
                "words": "Nobody.",
                "outcome_code": "18",
            }
        )
        for n in range(self.cases):
            subject = f"case_{n:012}"
            yield "cases:case:opened", subject, opened
            if self.owner(n):
                yield "cases:case:accepted", subject, accepted
            if not self.is_open(n):
                yield "cases:case:answered", subject, answered

    def _holdings(self) -> None:
        """Logs of every member, behind the reports of the first cases and of Kent's."""
        from tocsin.intake.models import ReportHolding
        from tocsin.inventory.models import Holding

        ends = self.now + dt.timedelta(days=9)
        write(
            Holding,
            ("id", "member", "source_id"),
            ((n + 1, pk, "auth.log") for n, pk in enumerate(self.members)),
            log_type="portal-login",
            period_from=self.now - YEARS,
            period_to=self.now,
            delete_at=ends,
            updated_at=self.now,
        )
        place = {pk: n + 1 for n, pk in enumerate(self.members)}
        rows = ((pk, place[self.member(n, pk)]) for n, pk in self.numbered() if n < HELD or n % 12 == 0)
        write(ReportHolding, ("report", "holding"), rows)

    def _statistics(self) -> None:
        """Counters behind the keys, and the engine's own statistics."""
        from django.db import connection

        from tocsin.cases.models import Case
        from tocsin.intake.models import Report
        from tocsin.inventory.models import Holding

        restart_ids([Case, Report, Holding])
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
