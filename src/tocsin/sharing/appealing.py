"""Appeals against what is listed: made without an account, decided by a trusted person, and never left open.

An appeal that nobody answers in time is upheld by the clock: silence keeps nobody blocked.
"""

import datetime as dt
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet

from tocsin.access.models import Member
from tocsin.access.policy import Actor, require
from tocsin.access.services import subject_of
from tocsin.journal.acts import Act, act
from tocsin.kernel.hashing import sha256
from tocsin.kernel.ids import new_id
from tocsin.kernel.problems import BadInput, Conflict, NotFound
from tocsin.kernel.time import now, rfc3339
from tocsin.reference import calendars, pack
from tocsin.sharing import rules
from tocsin.sharing.judging import judge_all
from tocsin.sharing.models import Appeal, Approval, Indicator
from tocsin.sharing.services import TURN, checked_reason
from tocsin.store import locks

MADE, ANSWERED = "sharing:appeal:made", "sharing:appeal:answered"
LONGEST = 2_000
WORDS_KEPT = dt.timedelta(days=30)
LAPSED_WORDS = "An appeal was not answered in time."
MOOT_WORDS = "It had left the lists before anybody had to decide."


class NotListed(NotFound):
    """It stands on no list of this exchange."""

    slug = "not-listed"
    hint = "if something refuses it, another list does; ask whoever runs that network"


@dataclass(frozen=True)
class AppealView:
    """An appeal as whoever made it, or decides it, reads it."""

    appeal_id: str
    kind: str
    value: str
    indicator_id: str
    words: str
    made_at: dt.datetime
    due_at: dt.datetime
    ended_at: dt.datetime | None
    outcome: str
    outcome_words: str
    reason: str
    is_members: bool
    is_overdue: bool
    is_listed: bool


def canonical(text: str) -> tuple[rules.Kind, str]:
    """What somebody typed, as a list spells it: an address or a name, out of an address of a page too.

    Raises BadInput.
    """
    value = text.strip().lower()
    value = value.partition("://")[2] or value
    bare = value.partition("/")[0].strip("[]")
    if address := rules.address_of(bare):
        return "address", address
    name = rules.name_of(bare.partition(":")[0])
    if name is None:
        raise BadInput("this is neither an address nor a name", hint="such as 192.0.2.1 or shop.example")
    return "name", name


def listed(text: str) -> Indicator:
    """The indicator that stands on a list now. Raises BadInput, NotListed."""
    kind, value = canonical(text)
    found = Indicator.objects.filter(kind=kind, value=value, state=Indicator.State.SHARED).first()
    if found is None:
        raise NotListed()
    return found


def appeal(text: str, words: str, member: Member | None = None, at: dt.datetime | None = None) -> str:
    """Appeal against what is listed; gives the token by which its answer is read.

    Raises BadInput, NotListed, and Conflict where an appeal against it is open already.
    """
    words, at = words.strip(), at or now()
    if not words or len(words) > LONGEST:
        raise BadInput(f"say in 1 to {LONGEST:,} characters why it is wrong")
    token = secrets.token_urlsafe(24)
    with act() as recorded:
        locks.in_turn(TURN)
        indicator = listed(text)
        if Appeal.objects.filter(indicator=indicator, ended_at=None).exists():
            raise Conflict("an appeal against it is open already", hint="it is answered within days")
        made = Appeal.objects.create(
            appeal_id=new_id("appeal"),
            digest=sha256(token.encode()),
            indicator=indicator,
            member=member,
            words=words,
            made_at=at,
            due_at=due_at(at),
        )
        content = {"indicator": indicator.indicator_id, "due_at": rfc3339(made.due_at)}
        recorded.record(MADE, made.appeal_id, content)
    return token


def due_at(at: dt.datetime) -> dt.datetime:
    """Until when an appeal is answered, by the home nation's calendar."""
    days = rules.DEFAULTS.appeal_working_days
    return calendars.due(at, days, "working_days", pack(settings.COUNTRY_PACK).info.home_nation)


def of_token(token: str) -> AppealView:
    """The appeal of a link. Raises NotFound."""
    found = Appeal.objects.filter(digest=sha256(token.encode())).select_related("indicator").first()
    if found is None:
        raise NotFound()
    return view_of(found)


def open_appeals(actor: Actor) -> list[AppealView]:
    """What waits for a trusted person, the soonest due first. Raises NotSignedIn, NotAllowed."""
    require(actor, "appeal.decide")
    return [view_of(one) for one in _related().filter(ended_at=None).order_by("due_at", "pk")]


def answered_appeals(actor: Actor, limit: int = 50) -> list[AppealView]:
    """What was answered last. Raises NotSignedIn, NotAllowed."""
    require(actor, "appeal.decide")
    return [view_of(one) for one in _related().exclude(ended_at=None).order_by("-ended_at", "-pk")[:limit]]


def decide(
    appeal_id: str, actor: Actor, is_upheld: bool, reason: str, at: dt.datetime | None = None
) -> AppealView:
    """A trusted person's answer: upheld takes it off every list at once.

    Raises NotSignedIn, NotAllowed, BadInput without a reason, NotFound, Conflict where it was answered.
    """
    require(actor, "appeal.decide")
    if actor.person is None:
        raise BadInput("a person decides this, not a key")
    reason, at = checked_reason(reason), at or now()
    with act() as recorded:
        locks.in_turn(TURN)
        found = _related().filter(appeal_id=appeal_id).first()
        if found is None:
            raise NotFound()
        if found.ended_at is not None:
            raise Conflict("it was answered already")
        found.decided_by = actor.person
        outcome = Appeal.Outcome.UPHELD if is_upheld else Appeal.Outcome.REJECTED
        _end(recorded, found, outcome, reason, at, by=subject_of(actor.person))
        if is_upheld:
            words = f"an appeal was upheld: {reason}"
            Approval.objects.create(
                indicator=found.indicator, person=actor.person, is_yes=False, reason=words, at=at
            )
            judge_all(recorded, [found.indicator_id], at)
    return view_of(_related().get(pk=found.pk))


def sweep_appeals(at: dt.datetime | None = None) -> int:
    """Uphold what nobody answered in time, close what left the lists by itself, erase old words.

    Idempotent; gives how many appeals ended.
    """
    at = at or now()
    Appeal.objects.filter(ended_at__lte=at - WORDS_KEPT).exclude(words="").update(words="")
    waiting = Appeal.objects.filter(ended_at=None)
    if not waiting.exists():
        return 0
    ended = 0
    with act() as recorded:
        locks.in_turn(TURN)
        for one in _related().filter(ended_at=None).order_by("due_at", "pk"):
            if one.indicator.state != Indicator.State.SHARED:
                _end(recorded, one, Appeal.Outcome.MOOT, MOOT_WORDS, at)
            elif one.due_at <= at:
                _end(recorded, one, Appeal.Outcome.LAPSED, LAPSED_WORDS, at)
                Approval.objects.create(
                    indicator=one.indicator, person=None, is_yes=False, reason=LAPSED_WORDS, at=at
                )
                judge_all(recorded, [one.indicator_id], at)
            else:
                continue
            ended += 1
    return ended


def view_of(one: Appeal) -> AppealView:
    """What is shown of an appeal."""
    return AppealView(
        appeal_id=one.appeal_id,
        kind=one.indicator.kind,
        value=one.indicator.value,
        indicator_id=one.indicator.indicator_id,
        words=one.words,
        made_at=one.made_at,
        due_at=one.due_at,
        ended_at=one.ended_at,
        outcome=one.outcome,
        outcome_words=Appeal.Outcome(one.outcome).label if one.outcome else "",
        reason=one.reason,
        is_members=one.member_id is not None,
        is_overdue=one.ended_at is None and one.due_at <= now(),
        is_listed=one.indicator.state == Indicator.State.SHARED,
    )


def _related() -> QuerySet[Appeal]:
    return Appeal.objects.select_related("indicator")


def _end(
    recorded: Act, one: Appeal, outcome: Appeal.Outcome, reason: str, at: dt.datetime, by: str = ""
) -> None:
    one.outcome, one.reason, one.ended_at = outcome, reason, at
    one.save(update_fields=["outcome", "reason", "ended_at", "decided_by"])
    content = {"indicator": one.indicator.indicator_id, "outcome": str(outcome), "reason": reason}
    recorded.record(ANSWERED, one.appeal_id, content | ({"by": by} if by else {"by": "the clock"}))
