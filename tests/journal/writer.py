"""One process of the concurrency test: `write SEED ACTS` appends, `follow TOTAL` reads behind the writers."""

import random
import sys
import time

from tocsin.doors.admin.setup import prepare

prepare()

from tocsin.journal.acts import act  # noqa: E402 (apps first)
from tocsin.journal.models import Entry  # noqa: E402
from tocsin.journal.queries import audit  # noqa: E402


def write(seed: int, acts: int) -> None:
    """Acts of one to five entries, every fifth of them rolled back, with a pause before the end."""
    dice = random.Random(seed)
    for number in range(acts):
        try:
            with act() as recorded:
                for _ in range(dice.randint(1, 5)):
                    recorded.record("test:thing:done", f"{seed}", {"n": number})
                time.sleep(dice.random() * 0.004)
                if number % 5 == 4:
                    raise LookupError
        except LookupError:
            pass


def follow(total: int) -> None:
    """Say that the exchange is ready, follow by position and by instant, then audit what was written."""
    print("ready", flush=True)
    by_seq: list[int] = []
    by_instant: list[int] = []
    last_at, ends = None, time.monotonic() + 60
    while time.monotonic() < ends and (len(by_seq) < total or len(by_instant) < total):
        start = by_seq[-1] + 1 if by_seq else 0
        by_seq += Entry.objects.filter(seq__gte=start).order_by("seq").values_list("seq", flat=True)
        entries = Entry.objects.order_by("at").values_list("seq", "at")
        for seq, at in entries if last_at is None else entries.filter(at__gt=last_at):
            by_instant.append(seq)
            last_at = at
    assert by_seq == list(range(len(by_seq))), "a gap, or an entry that came late"
    assert by_instant == by_seq, "an instant that came late"
    assert not audit()
    print(len(by_seq))


if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    {"write": write, "follow": follow}[what](*map(int, numbers))
