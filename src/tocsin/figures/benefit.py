"""What a member gives to the others and gets from them: its own business, told to it alone."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Sum

from tocsin.access.policy import Actor
from tocsin.blocking.models import Tally
from tocsin.cases.counted import counted
from tocsin.figures.effects import led_to
from tocsin.kernel.time import now
from tocsin.sharing import records
from tocsin.sharing.confidence import Record
from tocsin.sharing.models import Assertion

COUNTED_FOR = 300  # seconds, where there is much to count
WINDOW = dt.timedelta(days=30)


@dataclass(frozen=True)
class Benefit:
    """How the own words of the last months ended, and whom warnings protected.

    `others` says what they stopped elsewhere (few networks only roughly); `from_others` and `from_own` are
    connections that the own machines stopped in 30 days, by warnings of others alone and by own ones.
    """

    record: Record
    words: int
    others: str
    from_others: int
    from_own: int

    @property
    def sentence(self) -> str:
        """All of it in two sentences."""
        gave = f"You gave {self.words:,} words" + (f"; they {self.others}" if self.others else "")
        got = f"warnings of others stopped {self.from_others:,} connections at your network in 30 days"
        return f"{gave}. In return, {got}."


def benefit(actor: Actor, at: dt.datetime | None = None) -> Benefit | None:
    """What the actor's members give and get; None for who acts for none. Raises NotSignedIn, NotAllowed."""
    members = sorted(member.pk for member in actor.members)
    if not members:
        return None
    at = at or now()
    name = f"benefit-{'-'.join(map(str, members))}"
    found, _ = counted(name, lambda: _counted(members, at), lambda one: one[1] + one[4], at, COUNTED_FOR)
    record, words, own, others, _ = found
    return Benefit(record, words, led_to(actor).words, others, own)


def _counted(members: Sequence[int], at: dt.datetime) -> tuple[Record, int, int, int, int]:
    """The record, the words, connections by own and by others' warnings, and how many rows that read."""
    ended = list(records.records_of(at, members).values())
    record = Record(
        sum(one.right for one in ended),
        sum(one.wrong for one in ended),
        sum(one.listed for one in ended),
        sum(one.alone for one in ended),
    )
    said = Assertion.objects.filter(member__in=members, withdrawn_at=None)
    stopped = Tally.objects.filter(member__in=members, hour__gt=at - WINDOW)
    mine = Exists(said.filter(indicator=OuterRef("indicator")))
    own = stopped.filter(mine).aggregate(sum=Sum("hits"))["sum"] or 0
    others = stopped.exclude(mine).aggregate(sum=Sum("hits"))["sum"] or 0
    return record, said.count(), own, others, stopped.count()
