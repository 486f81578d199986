"""Machine keys: `tocsin_<prefix>_<secret>`, of whose 256 bits only the hash is kept.

A unit's key acts as a service of the unit: what it does is recorded as `key LABEL` and counts as automatic,
unless the request names the person of the unit who decided (`on_behalf_of`). The exchange's own key works in
the name of a coordinator, and never without one.
"""

import base64
import binascii
import datetime as dt
import hmac
import re
import secrets
from collections.abc import Collection

from tocsin.access import granting, limits
from tocsin.access.models import ApiKey, Member, Role, Unit
from tocsin.access.policy import POLICY, Actor, may, require
from tocsin.access.services import place_of
from tocsin.journal.acts import act
from tocsin.kernel.hashing import sha256
from tocsin.kernel.problems import BadInput, NotAllowed, NotFound, NotSignedIn
from tocsin.kernel.time import now
from tocsin.store import locks

SCOPES = frozenset(rule.scope for rule in POLICY.values() if rule.scope is not None)
UNIT_SCOPES = frozenset(scope for scope in SCOPES if scope.startswith("cases:"))
EXCHANGES_OWN = frozenset(scope for scope in SCOPES if scope.startswith("exchange:"))
MEMBER_SCOPES = SCOPES - UNIT_SCOPES - EXCHANGES_OWN
EXCHANGE_SCOPES = EXCHANGES_OWN | {"cases:read", "cases:write"}
READ_FIRST = {
    **dict.fromkeys(("cases:write", "cases:seal", "cases:rooms", "exchange:read"), ("cases:read",)),
    "communities:write": ("lists:read",),
    "exchange:write": ("exchange:read", "cases:read"),
}
DECIDE = (Role.Name.OFFICER.value, Role.Name.SUPERVISOR.value)
PREFIX_BYTES, SECRET_BYTES = 6, 32
LONGEST_EMAIL = 254
USE_NOTED_AFTER = dt.timedelta(minutes=1)

Place = Member | Unit | None  # whose a key is: a member's, a unit's, or the exchange's own

_shape = re.compile(r"tocsin_([0-9a-f]{12})_([0-9a-f]{64})")
_nobodys_digest = sha256(b"compared with where there is no key, so that no answer is quicker")


def make_key(
    place: Place,
    label: str,
    scopes: Collection[str],
    *,
    expires_at: dt.datetime | None = None,
    actor: Actor | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its text, which cannot be had again; `actor` is None on the machine.

    Raises BadInput for a scope that the policy table does not know there; NotSignedIn, NotAllowed.
    """
    if actor is not None:
        check_manager(actor, place)
    member = place if isinstance(place, Member) else None
    unit = place if isinstance(place, Unit) else None
    unknown = set(scopes) - scopes_at(place)
    if unknown or not scopes:
        known = ", ".join(sorted(scopes_at(place)))
        raise BadInput(
            f"no such scope: {', '.join(sorted(unknown)) or 'none given'}", hint=f"choose of {known}"
        )
    prefix, secret = secrets.token_hex(PREFIX_BYTES), secrets.token_hex(SECRET_BYTES)
    with act() as recorded:
        # Whoever acts on something reads it first.
        scopes = {*scopes, *(read for one in scopes for read in READ_FIRST.get(one, ()))}
        key = ApiKey.objects.create(
            member=member,
            unit=unit,
            label=label,
            prefix=prefix,
            digest=sha256(secret.encode()),
            scopes=sorted(scopes),
            expires_at=expires_at,
        )
        recorded.record(
            "access:key:made",
            place_of(member, unit),
            {"prefix": prefix, "label": label, "scopes": sorted(scopes)},
        )
    return key, f"tocsin_{prefix}_{secret}"


def actor_of_key(text: str, address: str = "") -> Actor:
    """Who sends this key, from which address.

    Raises NotSignedIn, in the same words and after the same comparison, whether the key is malformed,
    unknown, revoked, expired or of a suspended member. Raises TooManyAttempts for an address that keeps
    sending keys that are none, TooManyRequests for a key that asks without end.
    """
    shape = _shape.fullmatch(text)
    prefix, secret = shape.groups() if shape else ("", text)
    key = ApiKey.objects.select_related("member", "unit").filter(prefix=prefix).first()
    kept = bytes(key.digest) if key is not None else _nobodys_digest
    fits = hmac.compare_digest(sha256(secret.encode(errors="replace")), kept)
    at = now()
    if key is None or not fits or not is_current(key, at):
        if address:
            # A current key is never held up for what others at its address send.
            limits.take("unknown-key", address, limits.UNKNOWN_KEY)
        raise NotSignedIn()
    limits.take_request(key.prefix)
    _note_use(key, at)
    return Actor(key=key)


def actor_of_header(authorization: str, address: str = "") -> Actor:
    """Who sends this Authorization header: Bearer, or Basic with any user name and the key as password.

    Basic is what TAXII clients can send (TAXII 2.1 section 1.6.9). Raises as `actor_of_key`.
    """
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return actor_of_key(given.strip(), address)
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(given, validate=True).decode()
        except (binascii.Error, ValueError):
            raise NotSignedIn() from None
        return actor_of_key(pair.partition(":")[2], address)
    raise NotSignedIn()


def scopes_at(place: Place) -> frozenset[str]:
    """The scopes that a key of a member, of a unit, or of the exchange may have."""
    if place is None:
        return EXCHANGE_SCOPES
    return MEMBER_SCOPES if isinstance(place, Member) else UNIT_SCOPES


def on_behalf_of(actor: Actor, email: str) -> Actor:
    """The key's actor, passing on what a person of its unit, or a coordinator, decided. Raises NotAllowed.

    Nobody learns by this who has an account: whoever decides nothing there is refused alike.
    """
    key = actor.key
    if key is None or key.member is not None:
        raise NotAllowed("a member's key passes on nobody's decision")
    decide = DECIDE if key.unit is not None else (Role.Name.COORDINATOR.value,)
    held = Role.objects.filter(
        person__email=email.strip().lower()[: LONGEST_EMAIL + 1],
        person__is_active=True,
        unit=key.unit,
        name__in=decide,
    )
    roles = tuple(held.select_related("person", "unit"))
    if not roles:
        where = "the key's unit" if key.unit is not None else "the exchange"
        who = "an officer or supervisor of it" if key.unit is not None else "a coordinator"
        raise NotAllowed(f"nobody with that address decides at {where}", hint=f"name {who}")
    return Actor(person=roles[0].person, key=key, roles=roles)


def is_current(key: ApiKey, at: dt.datetime) -> bool:
    """May the key still be used?"""
    expired = key.expires_at is not None and key.expires_at <= at
    suspended = key.member is not None and key.member.suspended_at is not None
    return not expired and key.revoked_at is None and not suspended


def revoke_key(prefix: str, *, actor: Actor | None = None) -> ApiKey:
    """End a key at once. Revoking twice changes nothing. Raises NotFound, and alike for another's key."""
    with act() as recorded:
        key = ApiKey.objects.select_for_update().filter(prefix=prefix).first()
        if key is None or (actor is not None and not manages(actor, key.place)):
            raise NotFound(f"no key begins with tocsin_{prefix}_")
        if key.revoked_at is None:
            key.revoked_at = now()
            key.save(update_fields=["revoked_at"])
            recorded.record("access:key:revoked", place_of(key.member, key.unit), {"prefix": prefix})
    return key


def manages(actor: Actor, place: Place) -> bool:
    """Are the keys of this member, this unit, or the exchange the actor's to make and end?"""
    if not may(actor, "key.manage"):
        return False
    if place is None or granting.is_operator(actor):
        return granting.is_operator(actor)
    mine = granting.members_of(actor) if isinstance(place, Member) else granting.units_of(actor)
    return place.pk in {one.pk for one in mine}


def check_manager(actor: Actor, place: Place) -> None:
    """Raises NotSignedIn or NotAllowed where its keys are not the actor's to make and end."""
    require(actor, "key.manage")
    if not manages(actor, place):
        whose = (
            "the exchange" if place is None else "that member" if isinstance(place, Member) else "that unit"
        )
        raise NotAllowed(f"{whose}'s keys are not yours to make")


def _note_use(key: ApiKey, at: dt.datetime) -> None:
    """Remember when a key was last used, at most once a minute: no request waits for a write for it."""
    before = at - USE_NOTED_AFTER
    if key.last_used_at is None or key.last_used_at <= before:
        with locks.writer():
            ApiKey.objects.filter(pk=key.pk, last_used_at=key.last_used_at).update(last_used_at=at)
        key.last_used_at = at
