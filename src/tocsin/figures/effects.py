"""What a member's reports led to: how much of what they point at is shared, and what that stopped."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet, Sum

from tocsin.access.policy import Actor, require
from tocsin.blocking import rules as blocking
from tocsin.blocking.models import Tally
from tocsin.cases.counted import counted
from tocsin.kernel.time import now
from tocsin.sharing import queries as sharing
from tocsin.sharing.models import Assertion, Indicator


@dataclass(frozen=True)
class LedTo:
    """`shared` addresses and names are on the lists now, `once` were on them; `words` say what was stopped.

    `words` begin with "stopped" and are empty where nothing was stopped yet; few networks are not counted in
    them, and their connections only roughly.
    """

    shared: int
    once: int
    words: str

    @property
    def sentence(self) -> str:
        """All of it in one sentence; empty where nothing that the member reported was ever shared."""
        if not self.shared and not self.once:
            return ""
        if not self.shared:
            return f"Nothing that you reported is shared at present.{self._stopped(' What was shared')}"
        things = "1 address or name" if self.shared == 1 else f"{self.shared:,} addresses and names"
        verb = "is" if self.shared == 1 else "are"
        tail = self._stopped(" So far they") or " No member has told of a stopped connection yet."
        return f"{things} that you reported {verb} shared with every member.{tail}"

    def _stopped(self, start: str) -> str:
        return f"{start} {self.words}." if self.words else ""


@dataclass(frozen=True)
class Warned:
    """An address or name that reports point at, as the actor may see it; `words` say whether it is shared."""

    indicator_id: str
    value: str
    words: str


STATES = {
    Indicator.State.HELD: "held, not shared",
    Indicator.State.SHARED: "shared with every member",
    Indicator.State.WITHDRAWN: "withdrawn",
    Indicator.State.EXPIRED: "was shared, has expired",
}
SHOWN = 20
COUNTED_FOR = 60  # seconds, where a member said something of very many


def warnings_of(actor: Actor, indicators: Collection[int]) -> tuple[Warned, ...]:
    """The first twenty of these, as far as the actor may see them."""
    found = sharing.visible_to(actor).filter(pk__in=indicators).order_by("value")
    return tuple(
        Warned(row.indicator_id, row.value, STATES[Indicator.State(row.state)])
        for row in (found[:SHOWN] if indicators else ())
    )


def led_to(actor: Actor) -> LedTo:
    """What the reports of the actor's members led to. Raises NotSignedIn, NotAllowed."""
    require(actor, "report.list")
    members = sorted(member.pk for member in actor.members)
    name = f"led-to-{'-'.join(map(str, members))}"
    (found, _), _ = counted(name, lambda: _led_to(members), lambda pair: pair[1], now(), COUNTED_FOR)
    return found


def _led_to(members: Sequence[int]) -> tuple[LedTo, int]:
    """What the reports of these members led to, and of how many indicators that speaks."""
    asserted = Assertion.objects.filter(member__in=members, withdrawn_at__isnull=True)
    indicators = Indicator.objects.filter(pk__in=asserted.values("indicator"))
    states = dict(indicators.order_by().values_list("state").annotate(Count("pk")))
    led = LedTo(
        shared=states.get(Indicator.State.SHARED, 0),
        once=states.get(Indicator.State.EXPIRED, 0) + states.get(Indicator.State.WITHDRAWN, 0),
        words=_words(indicators, members),
    )
    return led, sum(states.values())


def stopped_by(actor: Actor, indicator_id: str) -> str:
    """What one indicator stopped, in the words of `LedTo`: the actor's own networks and the others' apart."""
    require(actor, "indicator.read")
    found = sharing.visible_to(actor).filter(indicator_id=indicator_id)
    return _words(found, [member.pk for member in actor.members])


def _words(indicators: QuerySet[Indicator], own: Collection[int]) -> str:
    sums = Tally.objects.filter(indicator__in=indicators).values_list("member_id").annotate(Sum("hits"))
    by_member = dict(sums.order_by())
    mine = sum(by_member.pop(member, 0) for member in own)
    return blocking.words(mine, sum(by_member.values()), len(by_member))
