"""What the REST interface takes and gives about who else reads a case: seals, rooms, one-time links."""

import datetime as dt

import msgspec

from tocsin.cases.rooms import GuestView
from tocsin.cases.sealed_views import SealView
from tocsin.cases.views import OneTimeLinkView, PacketView


class Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The addresses of the people of the case's units who may read it, besides whoever seals it; and why."""

    people: list[str]
    reason: str


class Guest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is let in, what of the case they read, for 1, 3, 7, 14 or 30 days.

    Parts are timeline, links, holdings, indicators, answers and members.
    """

    name: str
    organisation: str
    parts: list[str]
    days: int = 7


class Days(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how many days from now: 1, 3, 7, 14 or 30."""

    days: int


class Room(msgspec.Struct, frozen=True):
    """The guests of a case's room, the newest first, those whose links have ended among them."""

    case_id: str
    guests: list[GuestView]


class Invited(msgspec.Struct, frozen=True):
    """A guest's link. Pass `address` on to them alone: it is given this once and kept nowhere.

    Where the answer is given again for the same Idempotency-Key, `address` is empty.
    """

    guest_id: int
    expires_at: dt.datetime
    address: str


class Links(msgspec.Struct, frozen=True):
    """The one-time links of a case, the newest first; their tokens are kept nowhere."""

    case_id: str
    links: list[OneTimeLinkView]


class NewLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Does the link go into the case's packet, as one document?"""

    with_packet: bool = False


class MadeLink(msgspec.Struct, frozen=True):
    """A one-time link. Send `address` by the unit's published route: it is given this once, kept nowhere.

    Where the answer is given again for the same Idempotency-Key, `address` is empty.
    """

    case_id: str
    expires_at: dt.datetime
    address: str


SHAPES = (SealView, Seal, Guest, Days, Room, Invited, Links, NewLink, MadeLink, PacketView)
