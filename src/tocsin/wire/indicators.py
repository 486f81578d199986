"""What the exchange tells of an indicator, and what a member objects (JSON over the REST interface)."""

from hashlib import sha256

import msgspec

LOOKUP = 16  # hex digits of a value's digest that are compared


class Told(msgspec.Struct, frozen=True):
    """One line of an explanation."""

    what: str
    words: str


class Happened(msgspec.Struct, frozen=True):
    """One event of an indicator's life; `at` is RFC 3339."""

    at: str
    words: str
    why: str = ""


class Explained(msgspec.Struct, frozen=True):
    """Why an address or name is blocked, or is not. What does not apply is empty; instants are RFC 3339.

    `taken` says how many networks have taken a withdrawal, `taken_by_us` what the own machines have; `seen`
    who met it, roughly; `attack_kind` is the class of attack (RSIT `class/type`) for which it is listed.
    """

    kind: str
    value: str
    sentence: str
    indicator_id: str = ""
    state: str = ""
    reason: str = ""
    tlp: str = ""
    since: str = ""
    valid_until: str = ""
    certainty: str = ""
    parts: tuple[Told, ...] = ()
    reported_by_us: bool = False
    waits: bool = False
    obstacle: str = ""
    appeal: str = ""
    stopped: str = ""
    taken: str = ""
    taken_by_us: str = ""
    seen: str = ""
    events: tuple[Happened, ...] = ()
    attack_kind: str = ""


class SmallSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a member's words wait for a batch from now on."""

    is_small_source: bool


class WaitingWord(msgspec.Struct, frozen=True):
    """A word of one's own that waits, new or said again, and when it leaves at the latest (RFC 3339)."""

    value: str
    since: str
    leaves_by: str
    is_renewal: bool


class OpenedSource(msgspec.Struct, frozen=True):
    """That two people were told whose a word was: about what, on which day, and why."""

    value: str
    opened_on: str
    reason: str


class HiddenSource(msgspec.Struct, frozen=True):
    """How one's own member is hidden. `count` is how many words wait; the first fifty are named."""

    is_small_source: bool
    count: int
    waiting: tuple[WaitingWord, ...]
    opened: tuple[OpenedSource, ...]


class Objection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member's objection to an address or name that is shared."""

    value: str
    reason: str


class Objected(msgspec.Struct, frozen=True):
    """What came of it: own words taken back, whether it is still listed, and until when that is judged."""

    taken_back: int
    is_listed: bool
    due_at: str = ""


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member met this address or name, at this instant (RFC 3339; empty: now)."""

    value: str
    seen_at: str = ""


class SeenBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a member met of what is shared, in one request."""

    sightings: tuple[Seen, ...]


class SeenAnswer(msgspec.Struct, frozen=True):
    """What became of it: new, told already within the hour, and of what is on no list."""

    taken: int
    known: int = 0
    unknown: int = 0


class Near(msgspec.Struct, frozen=True):
    """What an exchange knows under a prefix of digests: the rest of each digest, and the state behind it.

    There are always some hundred more than are known, made up at random: an answer's length says little.
    """

    prefix: str
    states: dict[str, str]


def lookup_of(value: str) -> str:
    """By what a value is looked up without being told: the first 64 bits of its SHA-256, in hex digits."""
    return sha256(value.encode()).hexdigest()[:LOOKUP]
