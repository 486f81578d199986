"""One process of `test_at_once`: writers of every kind in one exchange, readers on every cursor meanwhile."""

import json
import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402 (apps first)
from tests.exchange import a_key, a_member  # noqa: E402
from tests.sharing.street import Street  # noqa: E402
from tests.template import migrate  # noqa: E402

from tocsin.sharing import channels, contributions, feed, services  # noqa: E402
from tocsin.sharing.models import Channel, Outgoing  # noqa: E402
from tocsin.sharing.words import Said  # noqa: E402

ROUNDS, WRITERS = 25, 4
OLD = "2026-01-01T00:00:00.000Z"


def indicator(seed: random.Random) -> bytes:
    """A new object."""
    number = uuid.UUID(int=seed.getrandbits(128), version=4)
    return json.dumps(
        {"type": "indicator", "spec_version": "2.1", "id": f"indicator--{number}", "created": OLD,
         "modified": OLD, "pattern": "[url:value = 'x']", "pattern_type": "stix", "valid_from": OLD}
    ).encode()  # fmt: skip


class Reader(threading.Thread):
    """Follows one channel by one kind of cursor until told that nothing more comes."""

    def __init__(self, channel: Channel, by: str, limit: int) -> None:
        super().__init__()
        self.channel, self.by, self.limit = channel, by, limit
        self.seen: list[tuple[int, bytes]] = []
        self.is_over = threading.Event()

    def run(self) -> None:
        after: Any = 0 if self.by == "number" else None
        try:
            while True:
                was_over = self.is_over.is_set()
                name = "after" if self.by == "number" else "added_after"
                wanted = feed.Wanted(versions=("all",), **{name: after})
                rows, _ = feed.records(self.channel, wanted, self.limit)
                if rows:
                    self.seen += [(row.number, row.stix_id.bytes) for row in rows]
                    after = rows[-1].number if self.by == "number" else rows[-1].date_added
                elif was_over:
                    return
                else:
                    time.sleep(0.002)
        finally:
            connection.close()


def writing(jobs: list[Callable[[], object]]) -> list[str]:
    """Run the jobs at once, each on a connection of its own; gives what they raised."""
    raised: list[str] = []

    def run(job: Callable[[], object]) -> None:
        try:
            job()
        except Exception as error:
            raised.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def main() -> None:
    """Two members' words, one member's TAXII requests from several machines, and withdrawals; then tell."""
    migrate()
    street, writer = Street(), a_key(a_member("writer"), scopes=("lists:read", "indicators:write"))
    own, shared = channels.contributions_of(writer.members[0]), channels.shared_channel(None, "green")
    members = [street.member(name) for name in ("ferry", "medway")]
    trusted = street.trusted()

    def post(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(ROUNDS):
            contributions.take(writer, own, [indicator(dice) for _ in range(dice.randint(1, 9))])

    def say(member: int) -> None:
        for number in range(ROUNDS):
            services.assert_said(members[member], [Said("address", f"80.94.92.{number}", f"r{number}")])

    def withdraw() -> None:
        for number in range(ROUNDS):
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                found = street.find(f"80.94.92.{number}")
                if found is not None and found.state == "shared":
                    services.withdraw(found, trusted, "a test")
                    break
                time.sleep(0.005)

    readers = [Reader(channel, by, limit) for channel in (own, shared)
               for by in ("number", "date") for limit in (3, 1_000)]  # fmt: skip
    for reader in readers:
        reader.start()
    posting: list[Callable[[], object]] = [lambda seed=seed: post(seed) for seed in range(WRITERS)]  # type: ignore[misc]
    raised = writing([*posting, lambda: say(0), lambda: say(1), withdraw])
    for reader in readers:
        reader.is_over.set()
    for reader in readers:
        reader.join()
    told = {}
    for channel in (own, shared):
        rows = list(Outgoing.objects.filter(channel=channel).order_by("number"))
        dates = [row.date_added for row in rows]
        told[channel.kind] = {
            "rows": len(rows),
            "numbered": [row.number for row in rows] == list(range(1, len(rows) + 1)),
            "dated": dates == sorted(set(dates)),
            "readers": [
                reader.seen == [(row.number, row.stix_id.bytes) for row in rows]
                for reader in readers
                if reader.channel == channel
            ],
            "revoked": sum(row.revoked for row in rows),
        }
    print(json.dumps({"raised": raised, **told}))


if __name__ == "__main__":
    main()
