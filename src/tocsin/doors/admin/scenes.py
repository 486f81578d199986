"""The scenes of the demo, in order; each uses the commands, the API and the pages that everybody uses."""

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tocsin.doors.admin.pages import Visitor
from tocsin.doors.admin.story import COORDINATOR, GUEST, MEMBERS, OFFICERS, DemoMember
from tocsin.kernel.problems import Problem

if TYPE_CHECKING:
    from tocsin.doors.admin.demo import Stage

CASE = r"/cases/case_[0-9A-Z]+"


def play(stage: "Stage") -> None:
    """From logs to told reporters."""
    keys: dict[str, str] = {}
    stage.step("members, units and people join", lambda: _join(stage, keys))
    for member in MEMBERS:
        stage.step(f"{member.name} sifts", lambda m=member: _sift(stage, m))  # type: ignore[misc]
    for member in MEMBERS:
        stage.step(f"{member.name} reports", lambda m=member: _report(stage, m, keys[m.key]))  # type: ignore[misc]
    stage.step("reports become cases", lambda: _wait_for_cases(stage, keys))
    stage.step("officers take their cases", lambda: _accept(stage))
    stage.step("a unit that has not joined answers", lambda: _answer_by_link(stage))
    stage.step("officers answer", lambda: _answer(stage))
    stage.step("every reporter is told", lambda: _told(stage, keys))
    stage.step("every receipt is verified offline", lambda: _verify(stage))
    stage.step("the same evidence, reported again", lambda: _again(stage, keys))


def _join(stage: "Stage", keys: dict[str, str]) -> str:
    from tocsin.doors.admin.setup import start_django

    start_django()
    from django.db import connections

    from tocsin.access import keys as api_keys
    from tocsin.access import services as access

    for place in MEMBERS:
        member = access.add_member(place.name, force_id=place.force_id)
        person = access.add_person(place.email, place.reporter, stage.passwords.of(place.email))
        access.give_role(person, "reporter", member=member)
        _, keys[place.key] = api_keys.make_key(member, "abuse desk", ["reports:write", "reports:read"])
    for officer in OFFICERS:
        unit = access.join_unit(officer.unit_id)
        person = access.add_person(officer.email, officer.name, stage.passwords.of(officer.email))
        access.give_role(person, "officer", unit=unit)
    person = access.add_person(COORDINATOR.email, COORDINATOR.name, stage.passwords.of(COORDINATOR.email))
    access.give_role(person, "coordinator")
    connections.close_all()
    return f"{len(MEMBERS)} members, {len(OFFICERS)} units, {len(MEMBERS) + len(OFFICERS) + 1} people"


def _logs(stage: "Stage", member: DemoMember) -> Path:
    from tocsin.doors.admin.demo import copy_evidence

    return copy_evidence(stage, member)


def _sift(stage: "Stage", member: DemoMember) -> str:
    done = stage.edge(member.key, "sift", str(_logs(stage, member)), "--json", *member.options)
    attacks = [json.loads(line) for line in done.stdout.splitlines()]
    lines = re.search(r"([\d,]+) lines", done.stderr)
    stage.facts["attacks"] = stage.facts.get("attacks", 0) + len(attacks)
    return f"{lines[1] if lines else '?'} lines are {len(attacks)} attacks"


def _report(stage: "Stage", member: DemoMember, key: str) -> str:
    arguments = ["--to", stage.address, "--network", member.network, "--kept", "400", "--clock-error", "50"]
    done = stage.edge(
        member.key, "report", str(_logs(stage, member)), *arguments, *member.options, "--json", TOCSIN_KEY=key
    )
    result = json.loads(done.stdout)
    stage.facts["reports"] = stage.facts.get("reports", 0) + result["sent"]
    return f"{result['sent']} reports sent, {result['sent']} receipts kept"


def _states(stage: "Stage", key: str) -> list[dict[str, Any]]:
    answer = httpx.get(
        f"{stage.address}/api/v1/reports", headers={"Authorization": f"Bearer {key}"}, params={"limit": 200}
    )
    answer.raise_for_status()
    return list(answer.json()["reports"])


def _cases(stage: "Stage") -> int:
    from tocsin.cases.models import Case, Link

    linked = Link.objects.filter(detached_at__isnull=True).count()
    return Case.objects.count() if linked == stage.facts["reports"] else 0


def _wait_for_cases(stage: "Stage", keys: dict[str, str]) -> str:
    for _ in range(300):
        if cases := _cases(stage):
            stage.facts["cases"] = cases
            return f"{stage.facts['reports']} reports of {len(keys)} members are {cases} cases"
        time.sleep(0.1)
    raise Problem("the background worker did not link the reports within half a minute")


def _visitor(stage: "Stage", email: str) -> Visitor:
    return Visitor(stage.address).sign_in(email, stage.passwords.of(email))


def _accept(stage: "Stage") -> str:
    taken = []
    for officer in OFFICERS:
        visitor = _visitor(stage, officer.email)
        mine = visitor.links("/queue", CASE)
        for case in mine:
            if f"{case}/accept" in visitor.open(case):
                visitor.press(f"{case}/accept")
                taken.append((officer, visitor, case))
    stage.facts["accepted"] = len(taken)
    _TAKEN[id(stage)] = taken
    names = ", ".join(dict.fromkeys(officer.name for officer, _, _ in taken))
    return f"{len(taken)} cases have a named owner ({names})"


_TAKEN: dict[int, list[Any]] = {}


def _answer(stage: "Stage") -> str:
    for _, visitor, case in _TAKEN.pop(id(stage)):
        _decide(visitor, case)
        stage.facts["answered"] = stage.facts.get("answered", 0) + 1
    return f"{stage.facts['answered']} cases assessed and answered, by code and in words"


def _decide(visitor: Visitor, place: str) -> None:
    visitor.press(
        f"{place}/assess", status="X-INV", reason="Linked attempts on several providers; logs are held."
    )
    filled = visitor.open(f"{place}/answer?outcome=18")
    words = visitor.field(filled, "words") or "No suspect identified from what is held."
    choices = re.findall(r'name="help"[^>]*value="([^"]+)"', filled)
    visitor.press(f"{place}/answer", outcome="18", words=words, help=choices[:1])


def _answer_by_link(stage: "Stage") -> str:
    coordinator = _visitor(stage, COORDINATOR.email)
    cases = coordinator.links("/coordination", CASE)
    for case in cases:
        made = coordinator.press(f"{case}/link")
        found = re.search(r"/link/[\w-]+", made)
        if found is None:
            raise Problem(f"no one-time link was made for {case}")
        guest = Visitor(stage.address)
        guest.open(found[0])
        guest.press(f"{found[0]}/accept", officer=GUEST)
        _decide(guest, found[0])
    stage.facts["answered_by_link"] = len(cases)
    return f"{len(cases)} cases answered by one-time link, without an account ({GUEST})"


def _told(stage: "Stage", keys: dict[str, str]) -> str:
    states = [state for key in keys.values() for state in _states(stage, key)]
    waiting = [state["report_id"] for state in states if state["state"]["code"] in ("X-ACK", "X-ACC")]
    stage.facts["told"] = len(states) - len(waiting)
    stage.facts["silent"] = len(waiting)
    return (
        f"{stage.facts['told']} of {len(states)} reports have a person's answer; {len(waiting)} met silence"
    )


def _verify(stage: "Stage") -> str:
    genuine = 0
    for member in MEMBERS:
        receipts = sorted((stage.folder / "edge" / member.key / "spool").glob("*/receipts/*.json"))
        done = stage.edge(member.key, "verify", "--json", *map(str, receipts))
        genuine += sum(json.loads(line)["genuine"] for line in done.stdout.splitlines())
    stage.facts["receipts_verified"] = genuine
    return f"{genuine} receipts are genuine"


def _again(stage: "Stage", keys: dict[str, str]) -> str:
    sent = 0
    for member in MEMBERS:
        done = stage.edge(
            member.key,
            *("report", str(_logs(stage, member)), "--to", stage.address, "--network", member.network),
            *(*member.options, "--json"),
            TOCSIN_KEY=keys[member.key],
        )
        sent += json.loads(done.stdout)["sent"]
    stage.facts["sent_again"] = sent
    return f"{sent} new reports"
