"""Opening a source: one person asks who stands behind a pseudonym, a second of another role decides.

Only then is the member named, to those two, once each. The member hears of it: at once, or later where
telling would harm an operation (`hiding.toml`). Nobody with a role at a member takes part, and no key does.
The journal has each act with its reason, and no name.
"""

import datetime as dt

from django.db.models import Q

from tocsin.access import alerts
from tocsin.access.models import Community, Person, Role
from tocsin.access.policy import Actor, require
from tocsin.access.services import subject_of
from tocsin.journal.acts import Act, act
from tocsin.kernel.ids import new_id
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed, NotFound
from tocsin.kernel.time import now, rfc3339
from tocsin.notices.telling import tell_member
from tocsin.sharing import pseudonyms
from tocsin.sharing.hiding import DEFAULTS
from tocsin.sharing.models import Epoch, Opening
from tocsin.sharing.queries import visible_to
from tocsin.sharing.services import checked_reason
from tocsin.store import locks

ASKED, WITHDRAWN = "sharing:source:asked", "sharing:source:withdrawn"
APPROVED, REFUSED, LAPSED = "sharing:source:approved", "sharing:source:refused", "sharing:source:lapsed"
LOOKED, TOLD = "sharing:source:looked", "sharing:source:told"
TURN = "sharing-opening"
DECIDERS = (Role.Name.OPERATOR, Role.Name.TRUSTED)
TOLD_WORDS = "Two people of the exchange were told that a warning about {value} was yours. Why: {reason}"


def ask(
    actor: Actor,
    indicator_id: str,
    pseudonym: str,
    reason: str,
    *,
    is_harmful: bool = False,
    at: dt.datetime | None = None,
) -> Opening:
    """Ask who stands behind one pseudonym of one indicator. Asked again while open, it is the same request.

    Raises NotSignedIn, NotAllowed, BadInput without a reason, NotFound for what is not to be seen there.
    """
    asker = _person(actor, "source.ask")
    reason, at = checked_reason(reason), at or now()
    indicator = visible_to(actor).filter(indicator_id=indicator_id).first()
    if indicator is None:
        raise NotFound()
    source = next((s for s in pseudonyms.sources_of(actor, indicator_id) if s.pseudonym == pseudonym), None)
    if source is None:
        raise NotFound("that indicator has no source of that pseudonym")
    with act() as recorded:
        locks.in_turn(TURN)
        known = Opening.objects.filter(indicator=indicator, pseudonym=pseudonym, outcome="").first()
        if known is not None:
            return known
        starts_on = pseudonyms.start_of(dt.datetime.combine(source.last_said_on, dt.time(), dt.UTC))
        made = Opening.objects.create(
            opening_id=new_id("opening"),
            indicator=indicator,
            community=Community.objects.filter(community_id=source.community_id).first(),
            epoch=Epoch.objects.get(starts_on=starts_on),
            pseudonym=pseudonym,
            reason=reason,
            is_harmful=is_harmful,
            asked_by=asker,
            asked_as=",".join(sorted(actor.role_names)),
            asked_at=at,
            ends_at=at + DEFAULTS.opening.lapse,
        )
        content = {"by": subject_of(asker), "indicator": indicator_id, "reason": reason}
        recorded.record(ASKED, made.opening_id, content | {"pseudonym": pseudonym, "is_harmful": is_harmful})
        deciders = Person.objects.filter(roles__name__in=DECIDERS).exclude(pk=asker.pk).distinct()
        alerts.tell(deciders, "Somebody asks to open a source. The request waits under Sources.")
    return made


def withdraw(actor: Actor, opening_id: str, at: dt.datetime | None = None) -> None:
    """Whoever asked takes it back before anybody decided. Raises NotAllowed for somebody else, Conflict."""
    asker, at = _person(actor, "source.ask"), at or now()
    with act() as recorded:
        found = _undecided(opening_id, at)
        if found.asked_by_id != asker.pk:
            raise NotAllowed("whoever asked takes it back")
        _end(found, Opening.Outcome.WITHDRAWN, at)
        recorded.record(WITHDRAWN, found.opening_id, {"by": subject_of(asker)})


def decide(
    actor: Actor, opening_id: str, is_approved: bool, reason: str, at: dt.datetime | None = None
) -> Opening:
    """A second person, in a role that whoever asked did not have, approves or refuses, with a reason.

    Raises NotSignedIn, NotAllowed, BadInput without a reason, NotFound, Conflict where it was decided, is
    over, or where nobody can open it any more.
    """
    decider = _person(actor, "source.open")
    reason, at = checked_reason(reason), at or now()
    with act() as recorded:
        found = _undecided(opening_id, at)
        if found.asked_by_id == decider.pk:
            raise NotAllowed("a second person decides, not the one who asked")
        if not set(DECIDERS) & actor.role_names - set(found.asked_as.split(",")):
            raise NotAllowed("somebody in a role that whoever asked does not have decides")
        if is_approved:
            member = pseudonyms.member_of(found.pseudonym, found.epoch.starts_on, found.community)
            if member is None:
                raise Conflict("the key of those days is destroyed: nobody can open it any more")
            found.member, found.tell_at = member, at + DEFAULTS.opening.told_after(found.is_harmful)
            found.ends_at = at + DEFAULTS.opening.lapse
        found.decided_by, found.answer = decider, reason
        _end(found, Opening.Outcome.APPROVED if is_approved else Opening.Outcome.REFUSED, at)
        content = {"by": subject_of(decider), "reason": reason}
        if found.tell_at is not None:
            content["tell_at"] = rfc3339(found.tell_at)
        recorded.record(APPROVED if is_approved else REFUSED, found.opening_id, content)
        if found.asked_by is not None:
            words = "The name waits, to be read once" if is_approved else "It was refused"
            alerts.tell(
                [found.asked_by], f"Your request to open a source was decided. {words}, under Sources."
            )
        if found.tell_at is not None and found.tell_at <= at:
            _tell(recorded, found, at)
    return found


def look(actor: Actor, opening_id: str, at: dt.datetime | None = None) -> str:
    """The member's name, for the two who opened it, once each; the journal keeps that they looked.

    Raises NotSignedIn, NotAllowed, NotFound, Conflict where it is no longer there to be read.
    """
    person, at = _person(actor, "source.review"), at or now()
    with act() as recorded:
        locks.in_turn(TURN)
        two = Q(asked_by=person) | Q(decided_by=person)
        found = Opening.objects.filter(two, opening_id=opening_id).select_related("member").first()
        if found is None:
            raise NotFound()
        if found.outcome != Opening.Outcome.APPROVED or found.member is None:
            raise Conflict("it was not approved")
        if found.ends_at <= at:
            raise Conflict("nobody looked in time: ask anew", hint="a name waits for a week")
        place = "asker_looked_at" if found.asked_by_id == person.pk else "decider_looked_at"
        if getattr(found, place) is not None:
            raise Conflict("you have read it: a name is shown once")
        setattr(found, place, at)
        found.save(update_fields=[place])
        recorded.record(LOOKED, found.opening_id, {"by": subject_of(person)})
    return found.member.name


def sweep_openings(at: dt.datetime | None = None) -> int:
    """Let requests lapse that nobody decided, and tell members whose time has come; gives how many."""
    at = at or now()
    lapsed = Q(outcome="", ends_at__lte=at)
    due = Q(outcome=Opening.Outcome.APPROVED, tell_at__lte=at, told_at=None)
    if not Opening.objects.filter(lapsed | due).exists():
        return 0
    with act() as recorded:
        locks.in_turn(TURN)
        found = list(
            Opening.objects.filter(lapsed | due).select_related("member", "indicator").order_by("pk")
        )
        for one in found:
            if one.outcome:
                _tell(recorded, one, at)
            else:
                _end(one, Opening.Outcome.LAPSED, at)
                recorded.record(LAPSED, one.opening_id, {"by": "the clock"})
    return len(found)


def _person(actor: Actor, action: str) -> Person:
    require(actor, action)
    if actor.person is None:
        raise BadInput("a person does this, not a key")
    if not pseudonyms.is_neutral(actor):
        raise NotAllowed("whoever has a role at a member takes no part in opening a source")
    return actor.person


def _undecided(opening_id: str, at: dt.datetime) -> Opening:
    locks.in_turn(TURN)
    related = Opening.objects.select_related("epoch", "community", "indicator", "asked_by")
    found = related.filter(opening_id=opening_id).first()
    if found is None:
        raise NotFound()
    if found.outcome:
        raise Conflict("it was decided already")
    if found.ends_at <= at:
        raise Conflict("nobody decided in time: it is over", hint="whoever needs it asks anew")
    return found


def _end(found: Opening, outcome: Opening.Outcome, at: dt.datetime) -> None:
    found.outcome, found.decided_at = outcome, at
    found.save(
        update_fields=["outcome", "decided_at", "decided_by", "answer", "member", "tell_at", "ends_at"]
    )


def _tell(recorded: Act, found: Opening, at: dt.datetime) -> None:
    """The member is told, in the exchange's words and with the reason of whoever asked."""
    assert found.member is not None  # noqa: S101  # an approval has set it
    found.told_at = at
    found.save(update_fields=["told_at"])
    stamp = recorded.record(TOLD, found.opening_id, {"at": rfc3339(at)})
    words = TOLD_WORDS.format(value=found.indicator.value, reason=found.reason)[:300]
    tell_member(recorded, stamp, found.member, "opened", found.opening_id, words)
