"""One process of `test_at_once`: a town in a database of its own, whose people all act at the same time."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402 (apps first)
from tests.cases.town import NOON, Town, build_town  # noqa: E402
from tests.template import migrate  # noqa: E402

from tocsin.access import answered, keys  # noqa: E402
from tocsin.cases import clocks  # noqa: E402
from tocsin.cases.models import Case, Link  # noqa: E402
from tocsin.cases.services import Responder, accept_case, assess_case, link_reports  # noqa: E402
from tocsin.journal.models import Entry  # noqa: E402


def together(*jobs: Callable[[], object]) -> list[str]:
    """Run the jobs at once, each on a connection of its own; gives the names of what they raised."""
    start, raised = threading.Barrier(len(jobs)), []

    def run(job: Callable[[], object]) -> None:
        try:
            start.wait()
            job()
        except Exception as error:
            raised.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def linking(town: Town) -> list[str]:
    """Three members' batches about the same ten origins, each batch twice."""
    batches = [
        [town.report(name, origins=(f"203.0.113.{n}",), link=False).pk for n in range(1, 11)]
        for name in ("ferry", "medway", "colne")
    ]
    return together(*[lambda batch=batch: link_reports(batch, NOON) for batch in (*batches, *batches)])


def taking(town: Town) -> list[str]:
    """Two officers press at once."""
    case = town.case_of(town.report(origins=("198.51.100.200",)))
    by = [Responder.of(town.actor(name), case) for name in ("olive", "saul")]
    return together(*[lambda who=who: accept_case(case, who, NOON) for who in by])


def sweeping(town: Town) -> list[str]:
    """Three workers sweep the same clocks."""
    return together(*[lambda: clocks.sweep(NOON.replace(day=20))] * 3)


def sending(town: Town) -> dict[str, Any]:
    """One request of a unit's machine comes eight times at once, under one Idempotency-Key."""
    case = town.case_of(town.report(origins=("198.51.100.201",), severity="medium"))
    by = Responder.of(town.actor("olive"), case)
    accept_case(case, by, NOON)
    key, _ = keys.make_key(town.unit("kent"), "desk", ["cases:write"])
    answers: list[tuple[str, bool]] = []

    def do() -> answered.Answer:
        assess_case(case, by, "X-INV", "There are lines of enquiry", NOON)
        return answered.Answer(200, "", b"done")

    def send() -> None:
        answer, was_known = answered.once(key, "one", b"a" * 32, do)
        answers.append((answer.body.decode(), was_known))

    raised = together(*[send] * 8)
    return {"raised": raised, "answers": sorted(answers), "decided": case.decisions.count()}


def main() -> dict[str, Any]:
    """What happened, for the test to judge."""
    migrate()
    town = build_town()
    found: dict[str, Any] = {"linking": linking(town)}
    found["cases"] = sorted(Case.objects.values_list("report_count", "member_count"))
    found["links"] = Link.objects.filter(detached_at__isnull=True).count()
    found["taking"] = taking(town)
    found["sweeping"] = sweeping(town)
    found["events"] = Counter(Entry.objects.values_list("event", flat=True))
    found["sending"] = sending(town)
    return found


if __name__ == "__main__":
    print(json.dumps(main()))
