"""Reading openings: what waits, what was decided, and what a member was told. Never a name."""

import datetime as dt
from dataclasses import dataclass

from tocsin.access.policy import Actor, may, require
from tocsin.kernel.problems import NotAllowed
from tocsin.kernel.time import now
from tocsin.sharing import pseudonyms
from tocsin.sharing.models import Opening

SHOWN = 50
OUTCOMES = {
    "": "waits for a second person",
    Opening.Outcome.APPROVED: "approved",
    Opening.Outcome.REFUSED: "refused",
    Opening.Outcome.WITHDRAWN: "taken back",
    Opening.Outcome.LAPSED: "nobody decided in time",
}


@dataclass(frozen=True)
class OpeningView:
    """One request as those read it who may take part; the buttons that apply to the reader."""

    opening_id: str
    indicator_id: str
    value: str
    pseudonym: str
    community: str
    reason: str
    is_harmful: bool
    asked_by: str
    asked_at: dt.datetime
    ends_at: dt.datetime
    is_open: bool
    outcome_words: str
    decided_by: str
    decided_at: dt.datetime | None
    answer: str
    tell_at: dt.datetime | None
    told_at: dt.datetime | None
    may_withdraw: bool
    may_decide: bool
    may_look: bool


@dataclass(frozen=True)
class OpenedSource:
    """What a member is told: two people learned that a word about this was its own, when, and why."""

    indicator_id: str
    value: str
    reason: str
    opened_on: dt.date
    told_at: dt.datetime


def openings(actor: Actor, at: dt.datetime | None = None) -> list[OpeningView]:
    """What waits first, then the last fifty that ended. Raises NotSignedIn, NotAllowed."""
    require(actor, "source.review")
    if not pseudonyms.is_neutral(actor):
        raise NotAllowed("whoever has a role at a member takes no part in opening a source")
    at = at or now()
    related = Opening.objects.select_related("indicator", "community", "asked_by", "decided_by")
    waiting = list(related.filter(outcome="").order_by("ends_at", "pk"))
    ended = related.exclude(outcome="").order_by("-decided_at", "-pk")[:SHOWN]
    return [_view(actor, one, at) for one in (*waiting, *ended)]


def opened_of(actor: Actor) -> list[OpenedSource]:
    """The openings of which the actor's member was told, the newest first. Raises NotSignedIn, NotAllowed."""
    require(actor, "source.read")
    found = Opening.objects.filter(
        member__in=[member.pk for member in actor.members], told_at__isnull=False, decided_at__isnull=False
    )
    return [
        OpenedSource(
            indicator_id=one.indicator.indicator_id,
            value=one.indicator.value,
            reason=one.reason,
            opened_on=one.decided_at.date(),
            told_at=one.told_at,
        )
        for one in found.select_related("indicator").order_by("-told_at", "-pk")[:SHOWN]
        if one.decided_at is not None and one.told_at is not None
    ]


def _view(actor: Actor, one: Opening, at: dt.datetime) -> OpeningView:
    me = actor.person.pk if actor.person is not None else 0
    is_open, is_mine = not one.outcome and one.ends_at > at, one.asked_by_id == me
    looked_at = one.asker_looked_at if is_mine else one.decider_looked_at
    is_one_of_two = me in (one.asked_by_id, one.decided_by_id)
    return OpeningView(
        opening_id=one.opening_id,
        indicator_id=one.indicator.indicator_id,
        value=one.indicator.value,
        pseudonym=one.pseudonym,
        community=one.community.name if one.community is not None else "",
        reason=one.reason,
        is_harmful=one.is_harmful,
        asked_by=one.asked_by.name if one.asked_by is not None else "somebody who has left",
        asked_at=one.asked_at,
        ends_at=one.ends_at,
        is_open=is_open,
        outcome_words=OUTCOMES[one.outcome],
        decided_by=one.decided_by.name if one.decided_by is not None else "",
        decided_at=one.decided_at,
        answer=one.answer,
        tell_at=one.tell_at,
        told_at=one.told_at,
        may_withdraw=is_open and is_mine and may(actor, "source.ask"),
        may_decide=is_open and not is_mine and may(actor, "source.open"),
        may_look=(
            one.outcome == Opening.Outcome.APPROVED
            and is_one_of_two
            and looked_at is None
            and one.ends_at > at
        ),
    )
