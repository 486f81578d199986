"""One process of the concurrency test: `write SEED ACTS` appends, `follow TOTAL` reads behind the writers."""

import random
import sys
import time

import django

django.setup()

from django.db import connection  # noqa: E402 (apps first)

from tocsin.journal.acts import act  # noqa: E402
from tocsin.journal.models import Entry  # noqa: E402


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
    """Follow by position and by instant; print how many entries each reader saw, or what it missed."""
    by_seq: list[int] = []
    by_instant: list[int] = []
    last_at, ends = None, time.monotonic() + 60
    while time.monotonic() < ends and (len(by_seq) < total or len(by_instant) < total):
        start = by_seq[-1] + 1 if by_seq else 0
        by_seq += Entry.objects.filter(seq__gte=start).order_by("seq").values_list("seq", flat=True)
        newer = (
            Entry.objects.order_by("at")
            if last_at is None
            else Entry.objects.filter(at__gt=last_at).order_by("at")
        )
        for seq, at in newer.values_list("seq", "at"):
            by_instant.append(seq)
            last_at = at
    assert by_seq == list(range(len(by_seq))), "a gap, or an entry that came late"
    assert by_instant == by_seq, "an instant that came late"
    print(len(by_seq), connection.vendor)


if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    {"write": write, "follow": follow}[what](*map(int, numbers))
