"""What members write: kept byte for byte in a channel of their own, and taken as their word where simple."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from django.conf import settings
from django.db.models import Max

from tocsin.access.policy import Actor, require
from tocsin.journal.acts import act
from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.problems import NotAllowed, NotFound
from tocsin.kernel.time import now
from tocsin.sharing import channels, rules, services, sighted
from tocsin.sharing.feed import Wanted, entries
from tocsin.sharing.models import Channel, Outgoing, Status
from tocsin.sharing.publishing import INDICATOR, NewObject, append, stix_id_of, versions_in
from tocsin.sharing.words import Said
from tocsin.wire import stix, stix_in
from tocsin.wire.taxii import OneStatus, StatusResource
from tocsin.wire.taxii import stamp as taxii_stamp

TAKEN, DELETED = "sharing:contribution:taken", "sharing:contribution:deleted"
KEPT = dt.timedelta(hours=48)  # TAXII 2.1 section 4.3 asks for 24 at least
REASON = "its author withdrew it"
AT_ONCE = 2_000  # words of one act


@dataclass(frozen=True, slots=True)
class Judged:
    """One object of a request: readable, or why not."""

    status: OneStatus
    incoming: stix_in.Incoming | None = None


def take(
    actor: Actor, channel: Channel, raws: Sequence[bytes | msgspec.Raw], at: dt.datetime | None = None
) -> bytes:
    """Write objects into the actor's own channel; gives the status resource's bytes.

    Each object is judged by itself; one that is there already in that version is a success that changes
    nothing. Raises NotSignedIn, NotAllowed.
    """
    require(actor, "channel.write")
    if not channels.writable(actor, channel):
        raise NotAllowed("this collection is not written by you")
    at, member = at or now(), actor.members[0]
    judged = [judge(raw) for raw in raws]
    heard = sighted.hear(actor, channel, [one.incoming for one in judged], at)
    for place, reason in heard.refused.items():
        told_of = judged[place].status
        judged[place] = Judged(OneStatus(told_of.id, told_of.version, reason))
    good = [one.incoming for one in judged if one.incoming is not None]
    made = Status(status_id=uuid.uuid4(), member=member, channel=channel, requested_at=at)
    made.body = told = resource(made.status_id, at, judged)
    known = known_versions(channel, good)
    with act() as recorded:
        made.save()
        fresh = {(one.stix_id, one.modified): one for one in good}
        for version in known:
            fresh.pop(version, None)
        if fresh:
            objects = [
                NewObject(one.stix_type, one.stix_id, one.modified, one.body) for one in fresh.values()
            ]
            digest = sha256_hex(b"".join(one.body for one in objects))
            content = {"member": member.member_id, "objects": len(objects), "sha256": digest}
            stamp = recorded.record(TAKEN, str(made.status_id), content)
            append(recorded, channel, objects, stamp)
            recorded.when_placed(lambda _: _note_place(made, len(objects)))
            heard.keep(actor, fresh, at)
    return told


def judge(raw: bytes | msgspec.Raw) -> Judged:
    """One object, and what its writer is told of it."""
    try:
        found = stix_in.read(raw)
    except stix_in.NotStix as problem:
        return Judged(OneStatus(_identified(bytes(raw)), message=str(problem)))
    named = f"{found.stix_type}--{found.stix_id}"
    return Judged(OneStatus(named, found.stamp), found)


def resource(status_id: uuid.UUID, at: dt.datetime, judged: Sequence[Judged]) -> bytes:
    """The status resource (TAXII 2.1 section 4.3.1): complete at once, nothing is ever pending."""
    successes = tuple(one.status for one in judged if one.incoming is not None)
    failures = tuple(one.status for one in judged if one.incoming is None)
    return msgspec.json.encode(
        StatusResource(
            id=str(status_id),
            status="complete",
            request_timestamp=taxii_stamp(at),
            total_count=len(judged),
            success_count=len(successes),
            successes=successes,
            failure_count=len(failures),
            failures=failures,
            pending_count=0,
        )
    )


def known_versions(
    channel: Channel, incoming: Sequence[stix_in.Incoming]
) -> set[tuple[uuid.UUID, dt.datetime]]:
    """Which of these versions the channel has already."""
    numbers = {one.stix_id for one in incoming}
    return {(number, modified) for _, number, modified, _ in versions_in(channel, numbers)}


def status_of(actor: Actor, status_id: str) -> bytes:
    """The status resource of an earlier request of the actor's members. Raises NotFound."""
    try:
        number = uuid.UUID(status_id)
    except ValueError:
        raise NotFound() from None
    members = [member.pk for member in actor.members]
    found = Status.objects.filter(status_id=number, member__in=members).first()
    if found is None:
        raise NotFound()
    return bytes(found.body)


def delete(actor: Actor, channel: Channel, wanted: Wanted) -> int:
    """Take versions of an object out of the actor's own channel; gives how many.

    Its words stand no longer once no version of it is left. Raises NotSignedIn, NotAllowed, NotFound.
    """
    require(actor, "channel.write")
    if not channels.writable(actor, channel):
        raise NotAllowed("this collection is not written by you")
    with act() as recorded:
        rows = list(entries(channel, wanted).values_list("pk", "stix_type", "stix_id"))
        if not rows:
            raise NotFound()
        seen = [
            (one.stix_id, bytes(one.body))
            for one in entries(channel, wanted).filter(stix_type=sighted.SIGHTING)
        ]
        named = {f"{kind}--{number}" for _, kind, number in rows}
        Outgoing.objects.filter(pk__in=[pk for pk, _, _ in rows]).delete()
        numbers = {number for _, _, number in rows}
        left = Outgoing.objects.filter(channel=channel, stix_id__in=numbers)
        newest = left.values("stix_id").annotate(newest=Max("modified")).values_list("stix_id", "newest")
        for number, modified in list(newest):
            left.filter(stix_id=number, modified=modified).update(is_latest=True)
        gone = numbers - set(left.values_list("stix_id", flat=True))
        recorded.record(DELETED, str(channel.channel_id), {"objects": sorted(named), "versions": len(rows)})
        references = [f"{kind}--{number}" for _, kind, number in rows if number in gone]
        if references:
            services.withdraw_said(actor.members[0], references, REASON)
        sighted.take_back(
            actor, sighted.written_of([body for number, body in seen if number in gone], channel, actor)
        )
    return len(rows)


def believe(status_id: str) -> int:
    """Take the indicators of one request as their member's words; gives how many words are new.

    Running it twice changes nothing.
    """
    found = Status.objects.filter(status_id=status_id).select_related("member", "channel").first()
    if found is None or not found.first_number:
        return 0
    rows = Outgoing.objects.filter(
        channel=found.channel,
        number__range=(found.first_number, found.last_number),
        stix_type=INDICATOR,
        is_latest=True,
    )
    said: list[Said] = []
    taken_back: list[str] = []
    for body in rows.order_by("number").values_list("body", flat=True).iterator():
        try:
            claimed = stix_in.claim_of(bytes(body))
        except stix_in.NotStix:  # kept as it was sent, and nobody's word
            continue
        if claimed.revoked:
            taken_back.append(claimed.id)
        else:
            said += words_of(claimed, found.requested_at, sha256_hex(bytes(body)))
    fresh = 0
    for start in range(0, len(said), AT_ONCE):
        fresh += services.assert_said(found.member, said[start : start + AT_ONCE])
    if taken_back:
        services.withdraw_said(found.member, taken_back, REASON)
    return fresh


def words_of(claimed: stix_in.Claimed, at: dt.datetime, evidence: str) -> Iterable[Said]:
    """What an indicator says of addresses and names; nothing where it says anything else, or is over.

    What the exchange itself has told comes back as nobody's word: an echo is no second voice. `evidence`
    is the digest of the object, so that a new version of it says the same anew.
    """
    own = str(stix.namespace_of(settings.ORIGIN))
    if claimed.created_by_ref == f"identity--{own}":
        return
    values = stix_in.values_of(claimed.pattern) if claimed.pattern_type == "stix" else None
    until = stix_in.instant_of(claimed.valid_until) if claimed.valid_until else None
    if until is not None and until <= at:
        return
    sure = claimed.confidence
    for kind, text in values or ():
        value = rules.name_of(text) if kind == "name" else rules.address_of(text)
        if value is not None and claimed.id != f"{INDICATOR}--{stix_id_of(kind, value)}":
            yield Said(
                kind,
                value,
                claimed.id,
                upstream=claimed.upstream,
                evidence=evidence,
                tlp=stix_in.tlp_of(claimed.object_marking_refs) or settings.SHARING_TLP,
                confidence=sure if sure is not None and 0 <= sure <= 100 else None,
                valid_until=until,
            )


def sweep_statuses(at: dt.datetime | None = None) -> int:
    """Forget what nobody can ask for any more; gives how many."""
    gone, _ = Status.objects.filter(requested_at__lte=(at or now()) - KEPT).delete()
    return gone


def _note_place(made: Status, count: int) -> None:
    last = Channel.objects.values_list("number", flat=True).get(pk=made.channel_id)
    Status.objects.filter(pk=made.pk).update(first_number=last - count + 1, last_number=last)


def _identified(body: bytes) -> str:
    """The identifier of an object that is otherwise unreadable."""
    try:
        named = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return "unknown"
    found = named.get("id") if isinstance(named, dict) else None
    return found[:300] if isinstance(found, str) else "unknown"
