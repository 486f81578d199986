"""A small exchange to test with."""

import datetime as dt
import itertools
from dataclasses import dataclass, field
from typing import Any

from tocsin.access.models import Member, Person, Role, Unit
from tocsin.access.policy import Actor
from tocsin.cases.linking import link_reports
from tocsin.cases.models import Case
from tocsin.cases.units import load_units
from tocsin.intake.models import Report, ReportHolding
from tocsin.inventory.models import Holding
from tocsin.journal.acts import act
from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.hashing import commitment, new_salt
from tocsin.kernel.ids import attack_id, new_id
from tocsin.kernel.time import rfc3339
from tocsin.wire import report as wire

# A Tuesday at noon without holidays near by.
NOON = dt.datetime(2026, 11, 10, 12, 0, tzinfo=dt.UTC)
BRUTE_FORCE = "intrusion-attempts/brute-force"
_number = itertools.count(1)


@dataclass
class Town:
    """Members and people by name; verbs to report and to look up."""

    members: dict[str, Member] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)

    def actor(self, name: str) -> Actor:
        """The actor behind a person."""
        return Actor.of_person(self.people[name])

    def unit(self, unit_id: str) -> Unit:
        """A unit by its id."""
        return Unit.objects.get(unit_id=unit_id)

    def report(
        self,
        member: str = "ferry",
        *,
        origins: tuple[str, ...] = ("203.0.113.7",),
        target: str = "198.51.100.1",
        kind: str = BRUTE_FORCE,
        service: str = "ssh",
        severity: wire.Severity = "low",
        lane: wire.Lane = "ordinary",
        count: int = 100,
        received_at: dt.datetime = NOON,
        delete_at: dt.datetime | None = None,
        link: bool = True,
        **more: Any,
    ) -> Report:
        """Store a report as intake does, with its journal entry, and link it."""
        seen = received_at - dt.timedelta(hours=2)
        told = wire.Report(
            attack_id=attack_id(kind, origins[0], target, f"{service}{next(_number)}", seen.date()),
            kind=kind,
            origins=origins,
            targets=(target,),
            service=service,
            first_seen_at=rfc3339(seen),
            last_seen_at=rfc3339(seen + dt.timedelta(hours=1)),
            count=count,
            severity=severity,
            lane=lane,
            **more,
        )
        content, salt = canonical_bytes(told), new_salt()
        with act() as recorded:
            report = Report.objects.create(
                report_id=new_id("report"),
                member=self.members[member],
                attack_id=told.attack_id,
                kind=kind,
                origin="" if told.vector else origins[0],
                target=target,
                service=service,
                severity=severity,
                lane=lane,
                count=count,
                first_seen_at=seen,
                last_seen_at=seen + dt.timedelta(hours=1),
                received_at=received_at,
                updated_at=received_at,
                content=content,
                salt=salt,
                entry_seq=0,
            )
            recorded.record_committed("intake:report:received", report.report_id, commitment(salt, content))
        if delete_at is not None:
            self.hold(report, delete_at)
        if link:
            link_reports([report.pk], received_at)
            report.refresh_from_db()
        return report

    def hold(self, report: Report, delete_at: dt.datetime) -> Holding:
        """A log behind a report."""
        holding, _ = Holding.objects.update_or_create(
            member=report.member,
            source_id="auth-log",
            log_type="portal-login",
            defaults={
                "period_from": report.first_seen_at,
                "period_to": report.last_seen_at,
                "delete_at": delete_at,
                "updated_at": report.received_at,
                "clock_error_ms": 20,
                "confirmed": True,
            },
        )
        ReportHolding.objects.get_or_create(report=report, holding=holding)
        return holding

    def case_of(self, report: Report) -> Case:
        """The case that a report is in now."""
        return Case.objects.get(links__report=report, links__detached_at__isnull=True)

    def person(self, name: str, role: str, *, member: str | None = None, unit: str | None = None) -> Person:
        """A person with one role."""
        person = Person.objects.create_user(f"{name}@example.org", "secret", name=name.title())
        Role.objects.create(
            person=person,
            name=role,
            member=self.members[member] if member else None,
            unit=self.unit(unit) if unit else None,
        )
        self.people[name] = person
        return person


def build_town() -> Town:
    """Two providers in Kent, one in Essex (same region), one in Cumbria (another); Kent has joined."""
    load_units()
    town = Town()
    for name, force_id in (
        ("ferry", "kent"),
        ("medway", "kent"),
        ("colne", "essex"),
        ("lakes", "cumbria"),
    ):
        town.members[name] = Member.objects.create(name=name.title(), force_id=force_id)
    Unit.objects.filter(unit_id="kent").update(joined_at=NOON - dt.timedelta(days=30))
    town.person("rita", "reporter", member="ferry")
    town.person("max", "reporter", member="medway")
    town.person("olive", "officer", unit="kent")
    town.person("saul", "supervisor", unit="kent")
    town.person("edna", "officer", unit="essex")
    town.person("cora", "coordinator")
    return town
