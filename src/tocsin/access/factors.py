"""Second factors: passkeys (WebAuthn), six-digit codes (TOTP, RFC 6238) and recovery codes, kept by allauth.

Which roles need one is a setting (`SECOND_FACTOR_ROLES`). A passkey is two factors in one, because it always
asks for the person's finger, face or number; a password needs a code beside it.
"""

import base64
import hmac
from dataclasses import dataclass
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.webauthn.internal import auth as webauthn
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ValidationError

from tocsin.access import services
from tocsin.access.models import Person
from tocsin.journal.acts import act
from tocsin.kernel.hashing import sha256
from tocsin.kernel.problems import BadInput, NotFound

MOST_PASSKEYS = 10
CODES = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)


class WrongCode(BadInput):
    """That code or passkey is not right, or was used already."""

    hint = "wait for the next code and try again; a recovery code works, too"


@dataclass(frozen=True)
class Passkey:
    """A passkey as its owner tells it apart."""

    pk: int
    name: str
    created_at: Any
    last_used_at: Any


@dataclass(frozen=True)
class Held:
    """What a person has to prove who they are, beside a password."""

    passkeys: tuple[Passkey, ...]
    has_codes: bool
    recovery_left: int

    @property
    def is_any(self) -> bool:
        """Is there a second factor?"""
        return bool(self.passkeys) or self.has_codes


class Factors(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """allauth's hooks: secrets are kept encrypted under the exchange's own key; the exchange has its name."""

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _box().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:  # the exchange's key is another one now: the factor is lost, not the account
            raise WrongCode() from None

    def get_totp_issuer(self) -> str:
        return str(settings.ORIGIN)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": context.request.get_host().partition(":")[0], "name": str(settings.ORIGIN)}


def held_by(person: Person) -> Held:
    """The person's second factors."""
    found = list(Authenticator.objects.filter(user=person).order_by("pk"))
    keys = tuple(
        Passkey(a.pk, str(a.data["name"]), a.created_at, a.last_used_at)
        for a in found
        if a.type == Authenticator.Type.WEBAUTHN
    )
    spare = next((a for a in found if a.type == Authenticator.Type.RECOVERY_CODES), None)
    return Held(
        passkeys=keys,
        has_codes=any(a.type == Authenticator.Type.TOTP for a in found),
        recovery_left=len(RecoveryCodes(spare).get_unused_codes()) if spare else 0,
    )


def needs_second(person: Person) -> bool:
    """Does one of the person's roles wait for a second factor?"""
    return person.roles.filter(name__in=settings.SECOND_FACTOR_ROLES).exists()


def begin_codes(person: Person) -> tuple[str, str]:
    """A new secret for an authenticator app, in the session until it is confirmed, and its picture (SVG)."""
    secret = totp.get_totp_secret()
    adapter = Factors()
    picture = adapter.build_totp_svg(adapter.build_totp_url(person, secret))
    return secret, picture[picture.index("<svg") :]


def confirm_codes(person: Person, code: str) -> list[str]:
    """Turn the app's codes on and give the recovery codes. Raises WrongCode, BadInput where they are on."""
    if held_by(person).has_codes:
        raise BadInput("codes are on already")
    secret = totp.get_totp_secret()
    if not totp.validate_totp_code(secret, _digits(code)):
        raise WrongCode()
    with act() as recorded:
        totp.TOTP.activate(person, secret)
        spare = RecoveryCodes.activate(person)
        recorded.record("access:factor:added", services.subject_of(person), {"kind": "codes"})
    totp.clear_totp_secret(context.request)
    return [str(code) for code in spare.get_unused_codes()]


def drop_codes(person: Person) -> None:
    """Turn the app's codes and the recovery codes off. Twice changes nothing."""
    with act() as recorded:
        if Authenticator.objects.filter(user=person, type__in=CODES).delete()[0]:
            recorded.record("access:factor:removed", services.subject_of(person), {"kind": "codes"})


def fresh_recovery_codes(person: Person) -> list[str]:
    """New recovery codes in place of the old. Raises NotFound without codes."""
    if not held_by(person).has_codes:
        raise NotFound()
    with act() as recorded:
        Authenticator.objects.filter(user=person, type=Authenticator.Type.RECOVERY_CODES).delete()
        spare = RecoveryCodes.activate(person)
        recorded.record("access:factor:renewed", services.subject_of(person), {"kind": "recovery codes"})
    return [str(code) for code in spare.get_unused_codes()]


def check_code(person: Person, code: str) -> None:
    """A code of the app, or a recovery code, each good once. Raises WrongCode."""
    code = _digits(code)
    with act():
        for kept in Authenticator.objects.select_for_update().filter(user=person, type__in=CODES):
            is_app = kept.type == Authenticator.Type.TOTP
            if _fits_once(kept, code) if is_app else RecoveryCodes(kept).validate_code(code):
                kept.refresh_from_db()
                kept.record_usage()
                return
    raise WrongCode()


def begin_passkey(person: Person) -> dict[str, Any]:
    """What the browser needs to make a passkey; the challenge waits in the session."""
    if len(held_by(person).passkeys) >= MOST_PASSKEYS:
        raise BadInput(f"{MOST_PASSKEYS} passkeys are enough", hint="remove one that you no longer use")
    return dict(webauthn.begin_registration(person, passwordless=True))


def add_passkey(person: Person, name: str, credential: dict[str, Any]) -> None:
    """Keep the passkey that the browser made. Raises WrongCode."""
    try:
        webauthn.parse_registration_response(credential)
        webauthn.complete_registration(credential)
    except (ValidationError, ValueError, TypeError, KeyError):
        raise WrongCode("the passkey could not be checked", hint="try again") from None
    with act() as recorded:
        webauthn.WebAuthn.add(person, name[:80] or "Passkey", credential)
        recorded.record("access:factor:added", services.subject_of(person), {"kind": "passkey"})


def drop_passkey(person: Person, pk: int) -> None:
    """Remove one passkey. Raises NotFound for another person's."""
    with act() as recorded:
        mine = Authenticator.objects.filter(user=person, type=Authenticator.Type.WEBAUTHN, pk=pk)
        if not mine.delete()[0]:
            raise NotFound()
        recorded.record("access:factor:removed", services.subject_of(person), {"kind": "passkey"})


def begin_signing_in(person: Person | None = None) -> dict[str, Any]:
    """What the browser needs to show a passkey: one of this person's, or whichever it knows."""
    return dict(webauthn.begin_authentication(person))


def person_of_passkey(credential: dict[str, Any], expected: Person | None = None) -> Person:
    """Whose passkey was shown. Raises WrongCode, alike for every reason and where it is not `expected`."""
    try:
        person = expected or webauthn.extract_user_from_response(credential)
        shown = webauthn.complete_authentication(person, credential)
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError):
        raise WrongCode("that passkey is not known here", hint="use another way to sign in") from None
    if not isinstance(person, Person) or not person.is_active:
        raise WrongCode("that passkey is not known here", hint="use another way to sign in")
    with act():
        shown.record_usage()
    return person


def _fits_once(kept: Authenticator, code: str) -> bool:
    """Is it the app's code of about now, and later than the last one taken (RFC 6238 section 5.2)?"""
    secret = Factors().decrypt(kept.data["secret"])
    for counter in totp.yield_hotp_counters_from_time():
        expected = totp.format_hotp_value(totp.hotp_value(secret, counter))
        fits = hmac.compare_digest(expected.encode(), code.encode())
        if fits and counter > kept.data.get("last_counter", 0):
            kept.data["last_counter"] = counter
            kept.save(update_fields=["data"])
            return True
    return False


def _digits(code: str) -> str:
    return "".join(code.split()).replace("-", "")[:16]


def _box() -> Fernet:
    key = sha256(f"tocsin second factors {settings.SECRET_KEY}".encode())
    return Fernet(base64.urlsafe_b64encode(key))
