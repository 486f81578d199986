"""Small things that many tests of the exchange need: a member, a key, a report."""

import itertools
from typing import Any

import msgspec

from tocsin.access import keys, services
from tocsin.access.models import Member
from tocsin.access.policy import Actor
from tocsin.wire import report as wire

_number = itertools.count(1)


def a_member(name: str | None = None) -> Member:
    """A provider of London."""
    return services.add_member(name or f"Provider {next(_number)}", force_id="mps")


def a_key(member: Member | None = None, scopes: tuple[str, ...] = ("reports:write", "reports:read")) -> Actor:
    """The actor behind a new key."""
    return keys.actor_of_key(key_text(member, scopes))


def key_text(
    member: Member | None = None, scopes: tuple[str, ...] = ("reports:write", "reports:read")
) -> str:
    """A new key as its owner holds it."""
    return keys.make_key(member or a_member(), "test", scopes)[1]


def a_report(**changes: Any) -> wire.Report:
    """A password-guessing attack, with an id of its own unless one is given."""
    number = next(_number)
    fields: dict[str, Any] = {
        "attack_id": f"attack_{number:032x}",
        "kind": "intrusion-attempts/login-attempts",
        "origins": (f"198.51.100.{number % 256}",),
        "targets": ("mx1.example",),
        "service": "ssh",
        "first_seen_at": "2026-11-20T01:02:03Z",
        "last_seen_at": "2026-11-20T02:03:04.5Z",
        "count": 7,
        "severity": "medium",
        "evidence": (wire.Evidence("auth", 7, "a" * 64),),
    }
    return wire.Report(**{**fields, **changes})


def spelled(report: wire.Report) -> bytes:
    """The report as it travels."""
    return msgspec.json.encode(report)
