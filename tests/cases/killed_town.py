"""The town of `test_killed`: on each seed it forks somebody who acts at random until killed, then judges.

It reads lines: `act SEED` answers with the pid, `acting`, and `dead` once it was killed; `judge` answers with
what was found.
"""

import itertools
import json
import os
import sys
from collections import Counter
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402 (apps first)
from django.db import connection  # noqa: E402
from tests.cases.test_walks import ACTS, Walker  # noqa: E402
from tests.cases.town import NOON, Town, build_town  # noqa: E402
from tests.exchange import a_key, a_report, spelled  # noqa: E402

from tocsin.access.models import Member, Person  # noqa: E402
from tocsin.access.policy import Actor  # noqa: E402
from tocsin.cases.audit import check_cases  # noqa: E402
from tocsin.cases.linking import link_reports  # noqa: E402
from tocsin.cases.models import Case, Clock, Link, Question  # noqa: E402
from tocsin.intake import services as intake  # noqa: E402
from tocsin.intake.models import Report  # noqa: E402
from tocsin.journal.models import Content  # noqa: E402
from tocsin.kernel.problems import Problem  # noqa: E402
from tocsin.kernel.time import rfc3339  # noqa: E402

KEYS: dict[str, Actor] = {}
_attacks = itertools.count()
LIKELY = ("report",) * 6 + ("accept", "ask", "ask", "reply", "sweep", "sweep", "assess", "update")


def known_town() -> Town:
    """The town as the database has it."""
    members = {member.name.lower(): member for member in Member.objects.all()}
    people = {person.name.lower(): person for person in Person.objects.all()}
    return Town(members, people)


class Townsfolk(Walker):
    """People whose providers report as providers do: by a key, through intake, linked by the worker."""

    def report(self) -> None:
        told = a_report(
            attack_id=f"attack_{next(_attacks):032x}",
            origins=(f"203.0.113.{self.dice.randint(1, 9)}",),
            severity=self.dice.choice(("info", "low", "medium", "critical")),
        )
        intake.submit(KEYS[self.dice.choice(sorted(KEYS))], [spelled(told)])
        link_what_waits()


def link_what_waits() -> None:
    """What the background worker does with reports whose job was cut off."""
    linked = Link.objects.filter(detached_at__isnull=True).values("report")
    link_reports(Report.objects.exclude(pk__in=linked).values_list("pk", flat=True), NOON)


def act(seed: int) -> None:
    """Act until killed; the clock on the wall jumps back and forth by days from one life to the next."""
    global _attacks
    _attacks = itertools.count(10_000 * (seed + 1))  # every attack is another one
    walker = Townsfolk(known_town(), seed)
    walker.at = NOON.replace(second=0) + (seed % 7 + seed) * (NOON.replace(day=11) - NOON)
    link_what_waits()
    print("acting", flush=True)
    while True:
        walker.at += (NOON.replace(hour=13) - NOON) * walker.dice.randint(1, 12)
        try:
            getattr(walker, walker.dice.choice([*ACTS, *LIKELY]))()
        except (Problem, IndexError):
            continue


def judge() -> dict[str, Any]:
    """Everything that would be a broken promise, and how much was done."""
    link_what_waits()
    said: Counter[str] = Counter()
    breaches: set[tuple[str, str]] = set()
    for row in Content.objects.filter(entry__event__startswith="cases:clock:").select_related("entry"):
        content = json.loads(bytes(row.content))
        said[json.dumps([row.entry.event, row.entry.subject, bytes(row.content).decode()])] += 1
        if row.entry.event.endswith("breached"):
            breaches.add((content["clock_id"], content["at"]))
    missed = Clock.objects.filter(breached_at__isnull=False).exclude(clock_id="P07")
    untold = [
        clock.clock_id
        for clock in missed
        if clock.breached_at is not None and (clock.clock_id, rfc3339(clock.breached_at)) not in breaches
    ]
    return {
        "findings": [f"{finding.what}: {finding.why}" for finding in check_cases()],
        "twice": [key for key, count in said.items() if count > 1],
        "untold": untold,
        "reports": Report.objects.count(),
        "cases": Case.objects.count(),
        "questions": Question.objects.count(),
        "breaches": len(breaches),
        "answered": Question.objects.filter(how="answered").count(),
    }


def main() -> None:
    """Serve the lines."""
    call_command("migrate", verbosity=0)
    built = build_town()
    built.person("carl", "reporter", member="colne")
    built.person("lena", "reporter", member="lakes")
    KEYS.update({name: a_key(member) for name, member in built.members.items()})
    print("ready", flush=True)
    for line in sys.stdin:
        if line.startswith("judge"):
            print(json.dumps(judge()), flush=True)
            continue
        connection.close()
        if not (pid := os.fork()):
            act(int(line.split()[1]))
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print("dead" if os.WIFSIGNALED(status) else "failed", flush=True)


if __name__ == "__main__":
    main()
