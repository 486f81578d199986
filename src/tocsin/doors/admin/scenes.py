"""The scenes of the demo, in order; each uses the commands, the API and the pages that everybody uses."""

import json
import re
import shutil
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tocsin.doors.admin.pages import Visitor
from tocsin.doors.admin.story import (
    COORDINATOR,
    EVIDENCE,
    GUEST,
    MEMBERS,
    OFFICERS,
    SCOPES,
    TRUSTED,
    DemoMember,
)
from tocsin.doors.admin.talks import Talks
from tocsin.doors.admin.warnings import Warnings, wait_until
from tocsin.kernel.problems import Problem

if TYPE_CHECKING:
    from tocsin.doors.admin.demo import Stage

CASE = r"/cases/case_[0-9A-Z]+"
HELD = ("--kept", "400", "--clock-error", "50")  # what the desk confirms about its logs


@dataclass
class Story:
    """What the scenes hand on: keys by member, and the cases that officers have taken."""

    stage: "Stage"
    keys: dict[str, str] = field(default_factory=dict)
    taken: list[tuple[Visitor, str]] = field(default_factory=list)

    def play(self) -> None:
        """From logs to told reporters."""
        step, talks = self.stage.step, Talks(self)
        step("members, units and people join", self._join)
        for member in MEMBERS:
            step(f"{member.name} sifts", partial(self._sift, member))
        for member in MEMBERS:
            step(f"{member.name} reports", partial(self._report, member))
        step("reports become cases", self._wait_for_cases)
        step("officers take their cases", self._accept)
        step("an officer asks, and is answered", talks.ask)
        step("a unit that has not joined answers", self._answer_by_link)
        step("a crime number comes back", talks.note_crime_number)
        step("officers answer", self._answer)
        step("every reporter is told", self._told)
        step("a reporter rates the answer", talks.rate)
        step("every receipt is verified offline", self._verify)
        step("the same evidence, reported again", self._again)
        step("one attacker comes back", self._comes_back)
        Warnings(self).play()
        step("two cases may be one", talks.review)

    def _join(self) -> str:
        from tocsin.doors.admin.setup import start_django

        start_django()
        from django.db import connections

        from tocsin.access import keys as api_keys
        from tocsin.access import services as access

        passwords = self.stage.passwords
        for place in MEMBERS:
            member = access.add_member(place.name, force_id=place.force_id)
            person = access.add_person(place.email, place.reporter, passwords.of(place.email))
            access.give_role(person, "reporter", member=member)
            _, self.keys[place.key] = api_keys.make_key(member, "abuse desk", list(SCOPES))
        for officer in OFFICERS:
            unit = access.join_unit(officer.unit_id)
            person = access.add_person(officer.email, officer.name, passwords.of(officer.email))
            access.give_role(person, "officer", unit=unit)
            if officer is TRUSTED:
                access.give_role(person, "trusted")
        person = access.add_person(COORDINATOR.email, COORDINATOR.name, passwords.of(COORDINATOR.email))
        access.give_role(person, "coordinator")
        connections.close_all()
        return f"{len(MEMBERS)} members, {len(OFFICERS)} units, {len(MEMBERS) + len(OFFICERS) + 1} people"

    def _sift(self, member: DemoMember) -> str:
        done = self.stage.edge(member.key, "sift", str(self._logs(member)), "--json", *member.options)
        attacks = len(done.stdout.splitlines())
        lines = int(json.loads(done.stderr.splitlines()[-1])["read"])
        self._count("lines", lines)
        self._count("attacks", attacks)
        return f"{lines:,} lines are {attacks} attacks"

    def _report(self, member: DemoMember) -> str:
        sent = self._send(member, *HELD)
        self._count("reports", sent)
        return f"{sent} reports sent, {sent} receipts kept"

    def _send(self, member: DemoMember, *options: str) -> int:
        arguments = (
            "--to",
            self.stage.address,
            "--network",
            member.network,
            *options,
            *member.options,
            "--json",
        )
        done = self.stage.edge(
            member.key, "report", str(self._logs(member)), *arguments, TOCSIN_KEY=self.keys[member.key]
        )
        result = json.loads(done.stdout)
        if result["refused"]:
            raise Problem(f"the exchange refused {result['refused']} reports of {member.name}: {done.stderr}")
        return int(result["sent"])

    def _wait_for_cases(self) -> str:
        from tocsin.cases.models import Case, Link

        reports = self.stage.facts["reports"]
        linked = Link.objects.filter(detached_at__isnull=True)
        wait_until(lambda: linked.count() == reports, "the background worker did not link the reports")
        cases = self.stage.facts["cases"] = Case.objects.count()
        return f"{reports} reports of {len(self.keys)} members are {cases} cases"

    def _accept(self) -> str:
        names = []
        for officer in OFFICERS:
            visitor = self.visitor(officer.email)
            for case in visitor.links("/queue", CASE):
                if f"{case}/accept" in visitor.open(case):
                    visitor.press(f"{case}/accept")
                    self.taken.append((visitor, case))
                    names.append(officer.name)
        self._count("accepted", len(self.taken))
        return f"{len(self.taken)} cases have a named owner ({', '.join(dict.fromkeys(names))})"

    def _answer_by_link(self) -> str:
        coordinator = self.visitor(COORDINATOR.email)
        cases = coordinator.links("/coordination", CASE)
        for case in cases:
            found = re.search(r"/link/[\w-]+", coordinator.press(f"{case}/link"))
            if found is None:
                raise Problem(f"no one-time link was made for {case}")
            guest = Visitor(self.stage.address)
            guest.open(found[0])
            guest.press(f"{found[0]}/accept", officer=GUEST)
            _decide(guest, found[0])
        self._count("answered_by_link", len(cases))
        return f"{len(cases)} cases answered by one-time link, without an account ({GUEST})"

    def _answer(self) -> str:
        for visitor, case in self.taken:
            _decide(visitor, case)
        self._count("answered", len(self.taken))
        return f"{len(self.taken)} cases assessed and answered, by code and in words"

    def _told(self) -> str:
        states = [state for key in self.keys.values() for state in self._states(key)]
        silent = [state for state in states if state["state"]["code"] in ("X-ACK", "X-DIS", "X-ACC")]
        self._count("told", len(states) - len(silent))
        self._count("silent", len(silent))
        told = len(states) - len(silent)
        return f"{told} of {len(states)} reports have a person's answer; {len(silent)} met silence"

    def _states(self, key: str) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {key}"}
        answer = httpx.get(f"{self.stage.address}/api/v1/reports", headers=headers, params={"limit": 200})
        answer.raise_for_status()
        return list(answer.json()["reports"])

    def _verify(self) -> str:
        genuine = 0
        for member in MEMBERS:
            receipts = sorted((self.stage.folder / "edge" / member.key / "spool").glob("*/receipts/*.json"))
            done = self.stage.edge(member.key, "verify", "--json", *map(str, receipts))
            genuine += sum(json.loads(line)["genuine"] for line in done.stdout.splitlines())
        self._count("receipts_verified", genuine)
        return f"{genuine} receipts are genuine"

    def _again(self) -> str:
        sent = sum(self._send(member) for member in MEMBERS)
        self._count("sent_again", sent)
        return f"{sent} new reports"

    def _comes_back(self) -> str:
        from tocsin.cases.models import Case

        member = MEMBERS[0]
        shutil.copy(EVIDENCE / "harbour-later" / "auth.log", self._logs(member) / "auth.log")
        self._count("grown", self._send(member, *HELD))
        open_again = Case.objects.filter(closed_at__isnull=True)
        wait_until(open_again.exists, "the case did not open again")
        self._count("reopened", open_again.count())
        return f"the report grows, and its closed case opens again, for you as {OFFICERS[0].name}"

    def _logs(self, member: DemoMember) -> Path:
        place = self.stage.folder / "logs" / member.key
        if not place.exists():
            shutil.copytree(member.evidence, place)
        return place

    def visitor(self, email: str) -> Visitor:
        """Somebody, signed in."""
        return Visitor(self.stage.address).sign_in(email, self.stage.passwords.of(email))

    def _count(self, name: str, number: int) -> None:
        self.stage.facts[name] = self.stage.facts.get(name, 0) + number


def _decide(visitor: Visitor, place: str) -> None:
    reason = "Linked attempts on several providers; the logs are held."
    visitor.press(f"{place}/assess", status="X-INV", reason=reason)
    filled = visitor.open(f"{place}/answer?outcome=18")
    words = visitor.field(filled, "words") or "No suspect identified from what is held."
    choices = re.findall(r'name="help"[^>]*value="([^"]+)"', filled)
    visitor.press(f"{place}/answer", outcome="18", words=words, help=choices[:1])
