"""The cast and the scenes of `tocsin demo`: three members, three units, one attacker whom all three meet."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

GUESSER, PHISH = "203.0.113.7", "login.fenland-billing.example"
SCOPES = ("reports:write", "reports:read", "lists:read", "tallies:write")
EVIDENCE = Path(__file__).parent / "evidence"


@dataclass(frozen=True)
class DemoMember:
    """A provider of the demo: its customers' network, its seat's force, and where its logs lie."""

    key: str
    name: str
    force_id: str
    reporter: str
    email: str
    network: str
    options: tuple[str, ...] = ()

    @property
    def evidence(self) -> Path:
        """Where its logs lie."""
        return EVIDENCE / self.key


@dataclass(frozen=True)
class DemoOfficer:
    """Somebody at a unit, or the exchange's coordinator where `unit_id` is empty."""

    name: str
    email: str
    unit_id: str = ""


MEMBERS = (
    DemoMember(
        "harbour",
        "Harbour Net",
        "kent",
        "Amara Cole",
        "amara@harbour.example",
        "192.0.2.64/26",
        ("--year", "2026"),
    ),
    DemoMember(
        "fenland",
        "Fenland Broadband",
        "cambridgeshire",
        "Bryn Ellis",
        "bryn@fenland.example",
        "2001:db8:10::/48",
    ),
    DemoMember(
        "moorview",
        "Moorview Hosting",
        "devon-and-cornwall",
        "Chidi Moss",
        "chidi@moorview.example",
        "192.0.2.128/26",
    ),
)
OFFICERS = (
    DemoOfficer("DC Dana Reid", "dana@kent.example", "kent"),
    DemoOfficer("DI Faith Osei", "faith@nccu.example", "nca-nccu"),
)
TRUSTED = OFFICERS[1]  # may share a name on their own word
COORDINATOR = DemoOfficer("Grace Hale", "grace@exchange.example")
CRIME_NUMBER = "NFRC261112345678"  # of the national record, made up
GUEST = "PC Huw Lane 4471"  # of a unit that has not joined; needs no account


@dataclass
class Passwords:
    """One password a person, made anew for every demo."""

    made: dict[str, str] = field(default_factory=dict)

    def of(self, email: str) -> str:
        """The person's password."""
        return self.made.setdefault(email, "bell-" + secrets.token_urlsafe(9))
