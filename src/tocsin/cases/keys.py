"""What glues reports together: the keys that a report is looked up by among open cases.

Mostly its origins, and the sites that fraud or malware is about. A token stands for a customer of one member
and means nothing to another; what is private, reserved or shared by half the world
(`reference/data/hubs.txt`) says nothing at all. Reports of the restricted lane never meet ordinary ones, nor
those below the threshold any others. What is too weak to act upon is a hint (`cases.hints`).
"""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

MAX_KEYS = 16  # of one report; a flood's counted sample of origins is no line of enquiry

# Python counts these as private. They never occur in evidence, only in examples, tests and models.
DOCUMENTATION = tuple(
    ipaddress.ip_network(text)
    for text in ("192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)


@dataclass(frozen=True)
class Key:
    """A spelling to look for, why it glues, and how strongly (0 to 100)."""

    text: str
    reason: str
    strength: int


@lru_cache(maxsize=1)
def hubs() -> frozenset[str]:
    """Addresses and names that never glue."""
    text = resources.files("tocsin.reference").joinpath("data", "hubs.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


@lru_cache(maxsize=1 << 16)
def normal(origin: str) -> str:
    """One spelling for one origin: compressed IPv6, IPv4 out of its mapped form, names in lower case."""
    try:
        address = ipaddress.ip_address(origin)
    except ValueError:
        return origin.lower().rstrip(".")
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


@lru_cache(maxsize=1 << 16)
def glues(origin: str) -> bool:
    """Does meeting this origin twice mean anything? `origin` is normal."""
    if origin.startswith("token:"):
        return True
    try:
        address = ipaddress.ip_address(origin)
    except ValueError:
        inward = origin.endswith((".local", ".internal", ".localdomain", ".invalid"))
        return "." in origin and not inward and origin not in hubs()
    if any(address in network for network in DOCUMENTATION if network.version == address.version):
        return True
    return address.is_global and not address.is_multicast and origin not in hubs()


def keys_of(
    *,
    member_id: str,
    lane: str,
    kind: str,
    severity: str,
    origins: tuple[str, ...],
    target: str,
    first_seen_at: dt.datetime,
    is_flood: bool = False,
    names: tuple[str, ...] = (),
) -> list[Key]:
    """The keys of a report, at least one, the first the one it is best known by.

    The origins of a flood are forged or abused: they glue nothing. `names` are the sites that it is about.
    """
    room = room_of(lane)
    found = [normal(origin) for origin in dict.fromkeys(origins)]
    useful = [origin for origin in found if glues(origin)][:MAX_KEYS] if not is_flood else []
    if severity == "info":
        day = first_seen_at.astimezone(dt.UTC).date().isoformat()
        origin = normal(target) if is_flood else (useful or found or ["-"])[0]
        whose = "" if glues(origin) and not origin.startswith("token:") else f"{member_id}/"
        words = f"below the threshold: grouped with others of {day}, of this kind, from {shown(origin)}"
        return [Key(f"{room}info/{day}/{kind}/{whose}{origin}", words, 70)]
    known = [_origin_key(room, member_id, origin) for origin in useful]
    known += [_name_key(room, name) for name in sites(names)]
    if not known:
        words = (
            "the same kind of attack on the same target at the same provider; its origin cannot be trusted"
        )
        return [Key(f"{room}{member_id}/{kind}/{normal(target)}", words, 60)]
    return known


def room_of(lane: str) -> str:
    """What begins the keys of a lane, so that lanes never meet."""
    return "" if lane == "ordinary" else f"{lane}/"


def sites(names: tuple[str, ...]) -> list[str]:
    """The names that say something, each once, in one spelling."""
    found = dict.fromkeys(normal(name) for name in names)
    return [name for name in found if glues(name) and not name.startswith("token:")][:MAX_KEYS]


def _name_key(room: str, name: str) -> Key:
    return Key(f"{room}site/{name}", f"is about the same site, {name}", 88)


def _origin_key(room: str, member_id: str, origin: str) -> Key:
    if origin.startswith("token:"):
        return Key(f"{room}{member_id}/{origin}", "the same customer of the same provider, by its token", 85)
    return Key(f"{room}{origin}", f"shares the origin {origin}", 90)


def shown(origin: str) -> str:
    """An origin as a person reads it: a token is a customer whose name stays with the provider."""
    return "a customer of the provider" if origin.startswith("token:") else origin


@lru_cache(maxsize=1 << 16)
def network_of(origin: str) -> str | None:
    """The network that an address is counted under, /24 or /48; None for a token or a name."""
    try:
        address = ipaddress.ip_address(normal(origin))
    except ValueError:
        return None
    width = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network(f"{address}/{width}", strict=False))
