"""One process of the contention test: updates and status changes of the same reports from two threads."""

import threading
from collections.abc import Callable

from tocsin.doors.admin.setup import prepare

prepare()

import msgspec  # noqa: E402 (apps first)
from tests.exchange import a_key, a_report, spelled  # noqa: E402

from tocsin.intake import services  # noqa: E402
from tocsin.intake.models import Report  # noqa: E402
from tocsin.journal.acts import act  # noqa: E402
from tocsin.journal.queries import audit  # noqa: E402
from tocsin.kernel.time import now  # noqa: E402

ROUNDS = 40


def main() -> None:
    """Both threads must end, and the journal must hold."""
    actor, reports = a_key(), [a_report(count=1) for _ in range(20)]
    services.submit(actor, [spelled(report) for report in reports])
    pks = list(Report.objects.order_by("-pk").values_list("pk", flat=True))

    def update() -> None:
        for count in range(2, ROUNDS):
            batch = [spelled(msgspec.structs.replace(report, count=count)) for report in reports]
            assert set(services.submit(actor, batch).states) == {"updated"}

    def move() -> None:
        for number in range(ROUNDS):
            with act() as recorded:
                for pk in pks[:: 1 if number % 2 else -1]:
                    services.set_status([pk], f"X-{number}", now())
                recorded.record("test:report:moved", "all", {})

    failures: list[Exception] = []

    def kept(body: Callable[[], None]) -> None:
        try:
            body()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=kept, args=[body]) for body in (update, move)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    assert not audit()


if __name__ == "__main__":
    main()
