"""Machine keys of members: `tocsin_<prefix>_<secret>`, a 256-bit secret of which only the hash is kept."""

import datetime as dt
import hmac
import re
import secrets
from collections.abc import Collection

from tocsin.access import granting, limits
from tocsin.access.models import ApiKey, Member
from tocsin.access.policy import POLICY, Actor, may, require
from tocsin.journal.acts import act
from tocsin.kernel.hashing import sha256
from tocsin.kernel.problems import BadInput, NotAllowed, NotFound, NotSignedIn
from tocsin.kernel.time import now
from tocsin.store import locks

SCOPES = frozenset(rule.scope for rule in POLICY.values() if rule.scope is not None)
PREFIX_BYTES, SECRET_BYTES = 6, 32
USE_NOTED_AFTER = dt.timedelta(minutes=1)

_shape = re.compile(r"tocsin_([0-9a-f]{12})_([0-9a-f]{64})")
_nobodys_digest = sha256(b"compared with where there is no key, so that no answer is quicker")


def make_key(
    member: Member,
    label: str,
    scopes: Collection[str],
    *,
    expires_at: dt.datetime | None = None,
    actor: Actor | None = None,
) -> tuple[ApiKey, str]:
    """A new key of a member and its text, which cannot be had again. `actor` is None on the machine itself.

    Raises BadInput for a scope that the policy table does not know; NotSignedIn, NotAllowed.
    """
    if actor is not None:
        check_manager(actor, member)
    unknown = set(scopes) - SCOPES
    if unknown or not scopes:
        known = ", ".join(sorted(SCOPES))
        raise BadInput(
            f"no such scope: {', '.join(sorted(unknown)) or 'none given'}", hint=f"choose of {known}"
        )
    prefix, secret = secrets.token_hex(PREFIX_BYTES), secrets.token_hex(SECRET_BYTES)
    with act() as recorded:
        key = ApiKey.objects.create(
            member=member,
            label=label,
            prefix=prefix,
            digest=sha256(secret.encode()),
            scopes=sorted(scopes),
            expires_at=expires_at,
        )
        recorded.record(
            "access:key:made",
            member.member_id,
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
    key = ApiKey.objects.select_related("member").filter(prefix=prefix).first()
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


def is_current(key: ApiKey, at: dt.datetime) -> bool:
    """May the key still be used?"""
    expired = key.expires_at is not None and key.expires_at <= at
    return not expired and key.revoked_at is None and key.member.suspended_at is None


def revoke_key(prefix: str, *, actor: Actor | None = None) -> ApiKey:
    """End a key at once. Revoking twice changes nothing. Raises NotFound, and alike for another's key."""
    with act() as recorded:
        key = ApiKey.objects.select_for_update().filter(prefix=prefix).first()
        if key is None or (actor is not None and not manages(actor, key.member)):
            raise NotFound(f"no key begins with tocsin_{prefix}_")
        if key.revoked_at is None:
            key.revoked_at = now()
            key.save(update_fields=["revoked_at"])
            recorded.record("access:key:revoked", key.member.member_id, {"prefix": prefix})
    return key


def manages(actor: Actor, member: Member) -> bool:
    """Are this member's keys the actor's to make and end?"""
    mine = {found.pk for found in granting.members_of(actor)}
    return may(actor, "key.manage") and (granting.is_operator(actor) or member.pk in mine)


def check_manager(actor: Actor, member: Member) -> None:
    """Raises NotSignedIn or NotAllowed where the member's keys are not the actor's to make and end."""
    require(actor, "key.manage")
    if not manages(actor, member):
        raise NotAllowed("that member's keys are not yours to make")


def _note_use(key: ApiKey, at: dt.datetime) -> None:
    """Remember when a key was last used, at most once a minute: no request waits for a write for it."""
    before = at - USE_NOTED_AFTER
    if key.last_used_at is None or key.last_used_at <= before:
        with locks.writer():
            ApiKey.objects.filter(pk=key.pk, last_used_at=key.last_used_at).update(last_used_at=at)
        key.last_used_at = at
