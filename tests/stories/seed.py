"""Make an exchange for the stories and print what they need to know, as JSON: `python tests/stories/seed.py`.

Three providers, an officer of a force that has joined, a coordinator; a force that has not joined. All of it
goes through the verbs of the nouns; only two cases are set back by days, so that their clocks have run out.
"""

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tocsin.doors.admin.setup import prepare

PASSWORD = "bell-and-bronze-2026"
# Origin, target, service, attempts, severity, days that the log is still held.
Attack = tuple[str, str, str, int, str, int]
QUIET = range(120, 126)
SHARED = "192.0.2.44"  # three members report it
WITHDRAWN = "192.0.2.99"  # two say so, and a trusted person withdraws it
PEOPLE = {
    "rosa": "Rosa Lind",
    "ada": "DC Ada Moss",
    "sam": "DI Sam Voss",
    "iris": "Iris Holt",
    "olga": "Olga Brand",
    "tara": "Tara Quill",
    "omar": "Omar Lund",
    "amy": "Amy Reed",
    "seth": "Seth Reed",
}


def tell() -> dict[str, Any]:
    """What happened before the stories begin."""

    from tocsin.access import keys, services
    from tocsin.access.models import Member
    from tocsin.cases import services as cases
    from tocsin.cases.models import Case, Clock
    from tocsin.intake.models import Report
    from tocsin.jobs import worker
    from tocsin.kernel.time import now
    from tocsin.sharing.models import Indicator

    people = {
        name: services.add_person(f"{name}@example.org", said, PASSWORD) for name, said in PEOPLE.items()
    }
    northgate = services.add_member("Northgate Broadband", force_id="kent")
    southwark = services.add_member("Southwark Fibre", force_id="metropolitan")
    rival = services.add_member("Harbour Net", force_id="west-yorkshire")
    services.give_role(people["rosa"], "reporter", member=northgate)
    services.give_role(people["rosa"], "reporter", member=southwark)
    services.give_role(people["ada"], "officer", unit=services.join_unit("metropolitan"))
    services.give_role(people["iris"], "coordinator")
    services.give_role(people["omar"], "operator")
    services.give_role(people["amy"], "administrator", member=northgate)
    services.give_role(people["sam"], "supervisor", unit=services.fetch_unit("metropolitan"))
    wapping = services.add_member("Wapping Net", force_id="metropolitan")
    services.give_role(people["seth"], "reporter", member=wapping)
    services.give_role(people["tara"], "trusted")
    services.give_role(people["olga"], "officer", unit=services.fetch_unit("nca-nccu"))

    def key(member: Member) -> Any:
        return keys.actor_of_key(keys.make_key(member, "edge", ("reports:write", "reports:read"))[1])

    at = now()
    batches = [
        # What was reported five days ago at a force that has not joined, and nobody answered.
        (
            northgate,
            [
                ("203.0.113.7", "mx1.northgate.example", "ssh", 1286, "high", 4),
                ("203.0.113.7", "mx2.northgate.example", "ssh", 214, "medium", 4),
            ],
        ),
        # What waits in London: one overdue, two of today.
        (southwark, [("198.51.100.23", "vpn.southwark.example", "ssh", 642, "high", 2)]),
        (southwark, [("192.0.2.44", "web3.southwark.example", "ssh", 97, "medium", 20)]),
        (rival, [("192.0.2.44", "login.harbour.example", "ssh", 31, "medium", 9)]),
        (northgate, [("192.0.2.44", "gate.northgate.example", "ssh", 55, "medium", 6)]),
        # Two of one small provider, to be asked about.
        (wapping, [("198.51.100.61", "vpn.wapping.example", "ssh", 40, "medium", 30)]),
        (wapping, [("198.51.100.62", "mail.wapping.example", "smtp", 61, "medium", 30)]),
        (southwark, [("198.51.100.200", "shop.southwark.example", "http", 12, "low", 30)]),
        # One attacker at two machines, and what stayed below the threshold.
        (
            southwark,
            [
                ("203.0.113.90", "web1.southwark.example", "ssh", 410, "medium", 12),
                ("203.0.113.90", "web2.southwark.example", "ssh", 388, "medium", 12),
            ],
        ),
        (
            southwark,
            [(f"203.0.113.{host}", "web1.southwark.example", "ssh", 3, "info", 12) for host in QUIET],
        ),
    ]
    for member, reports in batches:
        submit(key(member), reports, at)
    worker.drain()
    cases.link_reports(list(Report.objects.values_list("pk", flat=True)))  # changes nothing where jobs did it
    for origin, days in (("203.0.113.7", 5), ("198.51.100.23", 3)):
        back = dt.timedelta(days=days)
        for case in Case.objects.filter(links__report__origin=origin).distinct():
            case.opened_at -= back
            case.save()
            for report in Report.objects.filter(links__case=case):
                report.received_at -= back
                report.save()
            for clock in Clock.objects.filter(case=case, ended_at__isnull=True).exclude(clock_id="P07"):
                clock.started_at, clock.due_at = clock.started_at - back, clock.due_at - back
                clock.next_step_at = clock.due_at
                clock.save()
    from tocsin.cases import clocks

    clocks.sweep(now())
    worker.drain()

    keys.make_key(northgate, "resolver-1", ("lists:read", "tallies:write"))
    tell_what_was_stopped(at)
    tell_who_reads(people["tara"])

    def case_of(origin: str) -> str:
        return str(Case.objects.filter(links__report__origin=origin).distinct().get().case_id)

    return {
        "password": PASSWORD,
        "kent_case": case_of("203.0.113.7"),
        "late_case": case_of("198.51.100.23"),
        "national_case": case_of("192.0.2.44"),
        "quiet_case": case_of("198.51.100.200"),
        "asked_cases": [case_of("198.51.100.61"), case_of("198.51.100.62")],
        "linked_case": case_of("203.0.113.90"),
        "kent_report": Report.objects.filter(origin="203.0.113.7").first().report_id,  # type: ignore[union-attr]
        "rivals_report": Report.objects.get(member=rival).report_id,
        "shared_indicator": Indicator.objects.get(value=SHARED).indicator_id,
        "withdrawn_indicator": Indicator.objects.get(value=WITHDRAWN).indicator_id,
        "held_indicator": Indicator.objects.get(value="198.51.100.200").indicator_id,
    }


def tell_what_was_stopped(at: dt.datetime) -> None:
    """Six networks that took the list count what it stopped, over ten weeks; one is the reporter's own."""
    from tocsin.access import keys, services
    from tocsin.access.models import Member
    from tocsin.blocking.services import take_tallies
    from tocsin.kernel.time import rfc3339
    from tocsin.wire.tally import Tally, TallyBatch

    names = ("Fenland Wireless", "Dales Broadband", "Solent Fibre", "Tyne Connect", "Severn Net")
    members = [Member.objects.get(name="Northgate Broadband")]
    members += [services.add_member(name, force_id="kent") for name in names]
    this_hour = at.replace(minute=0, second=0, microsecond=0)
    for number, member in enumerate(members):
        tallies = [
            Tally(
                "address",
                SHARED,
                rfc3339(this_hour - dt.timedelta(days=7 * week)),
                120 * (11 - week) + number,
            )
            for week in range(10)
        ]
        key = keys.make_key(member, "firewall", ("tallies:write",))[1]
        take_tallies(keys.actor_of_key(key), TallyBatch("nftables", tallies))


def tell_who_reads(tara: Any) -> None:
    """Six networks have read for a day; four have taken a withdrawal, and of another one of two machines."""
    from tocsin.access import keys
    from tocsin.access.models import ApiKey, Member
    from tocsin.access.policy import Actor
    from tocsin.kernel.time import now
    from tocsin.sharing import readings, services
    from tocsin.sharing.models import Indicator, ListHead
    from tocsin.sharing.words import Said

    minute, name = dt.timedelta(minutes=1), "addresses.nft"
    for member in Member.objects.filter(name__in=("Northgate Broadband", "Harbour Net")):
        services.assert_said(member, [Said("address", WITHDRAWN, "noted by hand")])
    before = ListHead.objects.get(pk="address").number
    networks = ("Fenland Wireless", "Dales Broadband", "Solent Fibre", "Tyne Connect", "Severn Net")
    machines = [
        keys.make_key(Member.objects.get(name=one), "resolver", ("lists:read",))[0] for one in networks
    ]
    northgate = Member.objects.get(name="Northgate Broadband")
    machines += [ApiKey.objects.get(label="resolver-1")]
    silent = keys.make_key(northgate, "resolver-2", ("lists:read",))[0]
    for key in (*machines, silent):
        readings.note([readings.Read(key, "list", name, before, before)], now() - 1_440 * minute)
    for key, ago in ((machines[4], 3), (silent, 25)):
        readings.note([readings.Read(key, "list", name, before, before)], now() - ago * minute)
    services.withdraw(
        Indicator.objects.get(value=WITHDRAWN), Actor.of_person(tara), "It is our own mail server"
    )
    for key in (*machines[:4], machines[5]):
        readings.note([readings.Read(key, "list", name, before + 1, before + 1)], now())


def submit(actor: Any, reports: list[Attack], at: dt.datetime) -> None:
    """Reports of the last day, each with a log that is held for so many days more."""
    from tests.exchange import a_report, spelled

    from tocsin.intake import services as intake
    from tocsin.kernel.time import rfc3339
    from tocsin.wire import report as wire

    def instant(hours: float) -> str:
        return rfc3339((at + dt.timedelta(hours=hours)).replace(microsecond=0))

    raw = []
    for origin, target, service, count, severity, days in reports:
        held = wire.Holding(
            source_id=f"auth-{target}",
            log_type="portal-login",
            period_from=instant(-200),
            period_to=instant(-1),
            delete_at=instant(days * 24),
            clock_error_ms=20,
            clock_source="ntp",
            confirmed=True,
        )
        told = a_report(
            origins=(origin,), targets=(target,), service=service, count=count, severity=severity,
            first_seen_at=instant(-6), last_seen_at=instant(-2), holdings=(held,),
        )  # fmt: skip
        raw.append(spelled(told))
    accepted = intake.submit(actor, raw)
    assert not accepted.refusals, accepted.refusals


if __name__ == "__main__":
    prepare()
    print(json.dumps(tell()))
