"""The life of a webhook, by its owner's people: made, tested, rotated, resumed, replayed, removed."""

import base64
import datetime as dt
import secrets

import msgspec

from tocsin.access.models import Member, Unit
from tocsin.access.policy import Actor, require
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput, Conflict, NotFound
from tocsin.kernel.time import now, rfc3339
from tocsin.notices.calling import check_url
from tocsin.notices.models import Delivery, Endpoint

MOST = 5  # endpoints of one owner
OLD_SECRET_FOR = dt.timedelta(hours=24)


def new_secret() -> str:
    """192 random bits, as Standard Webhooks spells them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def owners(actor: Actor) -> list[Member | Unit]:
    """The members and units whose webhooks this person looks after."""
    require(actor, "webhook.manage")
    found: dict[str, Member | Unit] = {}
    for role in actor.roles:
        owner = (
            role.member if role.name == "administrator" else role.unit if role.name == "supervisor" else None
        )
        if owner is not None:
            found[owner_id(owner)] = owner
    return list(found.values())


def owner_id(owner: Member | Unit) -> str:
    """How a form names an owner."""
    return owner.member_id if isinstance(owner, Member) else owner.unit_id


def make(actor: Actor, owner_name: str, url: str, *, hears_indicators: bool = False) -> Endpoint:
    """A new endpoint with a secret of its own; a member's may hear of indicators, too.

    Raises NotAllowed, NotFound, BadInput, Conflict.
    """
    owner = next((one for one in owners(actor) if owner_id(one) == owner_name), None)
    if owner is None or actor.person is None:
        raise NotFound("that is nobody whose webhooks you look after")
    check_url(url)
    if hears_indicators and not isinstance(owner, Member):
        raise BadInput("indicators are told to members' machines")
    at = now()
    mine = {"member": owner} if isinstance(owner, Member) else {"unit": owner}
    with act() as recorded:
        if Endpoint.objects.filter(**mine).count() >= MOST:
            raise Conflict(f"there are {MOST} webhooks already", hint="remove one that is not needed")
        made = Endpoint.objects.create(
            **mine,
            url=url,
            secret=new_secret(),
            hears_indicators=hears_indicators,
            made_by=actor.person,
            made_at=at,
            next_at=at,
        )
        recorded.record("notices:endpoint:made", made.hook_id, {"owner": owner_id(owner)})
    return made


def fetch(actor: Actor, hook_id: str) -> Endpoint:
    """One of one's own. Raises NotFound for anybody else's."""
    members = [one.pk for one in owners(actor) if isinstance(one, Member)]
    units = [one.pk for one in owners(actor) if isinstance(one, Unit)]
    mine = Endpoint.objects.filter(hook_id=hook_id)
    found = mine.filter(member__in=members).first() or mine.filter(unit__in=units).first()
    if found is None:
        raise NotFound("there is no such webhook, or it is not yours")
    return found


def rotate(actor: Actor, hook_id: str) -> Endpoint:
    """A new secret; the old one signs too for a day, so that nothing is refused meanwhile."""
    at = now()
    with act() as recorded:
        found = fetch(actor, hook_id)
        found.old_secret, found.old_until = found.secret, at + OLD_SECRET_FOR
        found.secret = new_secret()
        found.save(update_fields=["secret", "old_secret", "old_until"])
        recorded.record("notices:endpoint:rotated", hook_id, {"at": rfc3339(at)})
    return found


def resume(actor: Actor, hook_id: str) -> None:
    """Try a dead or failing endpoint again, now, from what waits first."""
    with act():
        found = fetch(actor, hook_id)
        Endpoint.objects.filter(pk=found.pk).update(
            dead_at=None, failing_since=None, attempts=0, next_at=now()
        )


def replay(actor: Actor, hook_id: str, position: int) -> int:
    """Send everything from a journal position on once more; gives how many deliveries that is."""
    if position < 0:
        raise BadInput("a position is a number from 0")
    with act():
        found = fetch(actor, hook_id)
        again = found.deliveries.filter(entry_seq__gte=position, state=Delivery.State.DELIVERED)
        count = again.update(state=Delivery.State.WAITING, attempts=0, status=None, error="", ended_at=None)
    resume(actor, hook_id)
    return count


def send_test(actor: Actor, hook_id: str) -> None:
    """A message that means nothing, so that the other end can be tried."""
    at = now()
    with act():
        found = fetch(actor, hook_id)
        lowest = found.deliveries.filter(entry_seq__lt=0).order_by("entry_seq").first()
        position = lowest.entry_seq - 1 if lowest else -1
        body = msgspec.json.encode({"type": "test", "timestamp": rfc3339(at), "data": {}}).decode()
        Delivery.objects.create(endpoint=found, entry_seq=position, event="test", body=body, made_at=at)
    resume(actor, hook_id)


def remove(actor: Actor, hook_id: str) -> None:
    """No more to this address; what waited for it is dropped."""
    with act() as recorded:
        found = fetch(actor, hook_id)
        found.delete()
        recorded.record("notices:endpoint:removed", hook_id, {"at": rfc3339(now())})
