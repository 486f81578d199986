"""Which machines have the lists, how far behind they are, and what withdrawals they still owe."""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from tocsin.access.models import ApiKey, Membership, Role
from tocsin.access.policy import Actor, require
from tocsin.journal.acts import act
from tocsin.kernel.problems import NotFound
from tocsin.kernel.time import now
from tocsin.sharing import rules
from tocsin.sharing.lists import LISTS
from tocsin.sharing.models import ListHead, Reading, Removal
from tocsin.sharing.publishing import head_key
from tocsin.store import fence

Place = str | int  # the key of a list's number, or a channel's primary key
IN_STEP, BEHIND, SILENT, NEVER = "in step", "behind", "silent", "never"
ORDER = (SILENT, BEHIND, NEVER, IN_STEP)
FORGOTTEN = "sharing:reader:forgotten"
SCOPE = "lists:read"
MOST = 2_000
OVERSEERS = (Role.Name.OPERATOR, Role.Name.COORDINATOR)

MEND = {
    IN_STEP: "",
    BEHIND: "It asks, and has not taken the newest: see what its last run says there; "
    "a list whose signature is not right is never taken.",
    SILENT: "It has stopped asking: is the machine on, does its timer run, is its key still current? "
    "If it is gone for good, forget it here.",
    NEVER: "This key may read the lists and never did: set it up, or revoke it.",
}


@dataclass(frozen=True)
class ReaderView:
    """One key, and how far it has read one list or channel.

    `owes_since` is when the first withdrawal happened that it has not taken. Where it never read anything
    (`never`), there is no number and no instant.
    """

    reading: int
    member: str
    label: str
    way: str
    what: str
    number: int
    current: int
    state: str
    began_at: dt.datetime | None = None
    taken_at: dt.datetime | None = None
    read_at: dt.datetime | None = None
    owes_since: dt.datetime | None = None
    is_late: bool = False

    @property
    def behind(self) -> int:
        """By how many numbers."""
        return max(self.current - self.number, 0)

    @property
    def mend(self) -> str:
        """What to do about it; empty where nothing is to be done."""
        return MEND[self.state]


@dataclass(frozen=True)
class ReadersView:
    """Everybody's readers for who looks after the exchange, one's own for a member; the worst first."""

    sentence: str
    rows: tuple[ReaderView, ...]
    is_all: bool


class Owed:
    """The withdrawals that some of these readers have not taken, by the list or channel that they left."""

    def __init__(self, found: Iterable[Reading], at: dt.datetime) -> None:
        since = at - dt.timedelta(days=rules.DEFAULTS.readers.counted_days)
        floors: dict[Place, int] = {}
        for one in found:
            place = place_of(one)
            floors[place] = min(floors.get(place, one.number), one.number)
        self._left = {
            place: list(_of(place).filter(number__gt=floor, at__gt=since).values_list("number", "at"))
            for place, floor in floors.items()
        }

    def since(self, reading: Reading) -> dt.datetime | None:
        """When the first withdrawal happened that this reader has not taken; None where it has all."""
        left = self._left[place_of(reading)]
        found = bisect_right(left, reading.number, key=itemgetter(0))
        return left[found][1] if found < len(left) else None


def readers(actor: Actor, at: dt.datetime | None = None) -> ReadersView:
    """Which machines have the lists? Raises NotSignedIn, NotAllowed."""
    require(actor, "reader.read")
    at = at or now()
    is_all = sees_all(actor)
    with fence.lifted():  # an operator is in no fence's table; whose rows these are, the next line says
        found = list(visible_to(actor).order_by("member__name", "key__label", "what")[:MOST])
        owed, heads = Owed(found, at), heads_of(found)
    rows = [view_of(one, owed, heads, at) for one in found]
    rows += never_read(actor, {one.key_id for one in found}, at)
    rows.sort(key=lambda row: (not row.is_late, ORDER.index(row.state)))
    return ReadersView(sentence(rows, is_all=is_all), tuple(rows), is_all)


def forget(actor: Actor, reading: int) -> str:
    """A machine of the actor's member is gone for good: nobody waits for it; gives what it read.

    If it reads again, it begins anew. Raises NotSignedIn, NotAllowed, NotFound.
    """
    require(actor, "reader.forget")
    mine = Reading.objects.filter(member__in=[member.pk for member in actor.members])
    with act() as recorded:
        found = mine.select_related("key", "member").filter(pk=reading).first()
        if found is None:
            raise NotFound()
        content = {"member": found.member.member_id, "key": found.key.prefix, "what": found.what}
        recorded.record(FORGOTTEN, found.member.member_id, content)
        found.delete()
    return f"{found.key.label}, {found.what}"


def visible_to(actor: Actor) -> QuerySet[Reading]:
    """The readings of one's own members; all, for who looks after the exchange. Of current keys alone."""
    found = current_readings(now())
    return found if sees_all(actor) else found.filter(member__in=[member.pk for member in actor.members])


def sees_all(actor: Actor) -> bool:
    """Does the actor look after everybody's machines?"""
    return actor.key is None and bool(actor.role_names & set(OVERSEERS))


def current_readings(at: dt.datetime) -> QuerySet[Reading]:
    """Those of keys that may still be used, of what their members may still read."""
    theirs = Membership.objects.filter(
        member=OuterRef("member"), community=OuterRef("community"), until=None, community__closed_at=None
    )
    found = Reading.objects.filter(_is_current(at, "key__")).filter(Q(community=None) | Q(Exists(theirs)))
    return found.select_related("key", "member", "channel", "community")


def counted_readings(at: dt.datetime) -> QuerySet[Reading]:
    """Those of machines that read again and again: neither looked once, nor gone for weeks."""
    known = rules.DEFAULTS.readers
    settled = F("began_at") + dt.timedelta(minutes=known.counted_after_minutes)
    since = at - dt.timedelta(days=known.counted_days)
    return current_readings(at).filter(read_at__gte=settled).filter(read_at__gt=since)


def place_of(reading: Reading) -> Place:
    """Which list or channel it reads, as `Owed` names it."""
    return reading.channel_id or head_key(reading.community, list_kind(reading))


def list_kind(reading: Reading) -> str:
    """The kind of the list that it reads, by its file name; empty for one that is served no more."""
    slug = f"{reading.community.slug}." if reading.community is not None else ""
    name = reading.what.removeprefix(slug)
    return LISTS[name].kind if name in LISTS else ""


def heads_of(found: Iterable[Reading]) -> dict[str, tuple[int, dt.datetime]]:
    """Number and date of the lists that these read, by the keys of their numbers."""
    heads = ListHead.objects.filter(pk__in={place_of(one) for one in found if one.channel_id is None})
    return {key: (number, at) for key, number, at in heads.values_list("kind", "number", "changed_at")}


def view_of(
    reading: Reading, owed: Owed, heads: dict[str, tuple[int, dt.datetime]], at: dt.datetime
) -> ReaderView:
    """One reader as it stands."""
    number, changed_at = heads.get(str(place_of(reading)), (0, at))
    if reading.channel is not None:
        number, changed_at = reading.channel.number, reading.channel.last_at or at
    owes_since = owed.since(reading)
    is_late = owes_since is not None and owes_since <= at - rules.DEFAULTS.readers.within(reading.way)
    return ReaderView(
        reading=reading.pk,
        member=reading.member.name,
        label=reading.key.label,
        way=reading.get_way_display(),
        what=reading.what,
        number=reading.number,
        current=max(number, reading.number),
        state=state_of(reading, number, changed_at, at, is_late=is_late),
        began_at=reading.began_at,
        taken_at=reading.taken_at,
        read_at=reading.read_at,
        owes_since=owes_since,
        is_late=is_late,
    )


def state_of(
    reading: Reading, number: int, changed_at: dt.datetime, at: dt.datetime, *, is_late: bool
) -> str:
    """Silent, behind or in step; a change that is younger than the deadline puts nobody behind."""
    known = rules.DEFAULTS.readers
    if at - reading.read_at > known.silent(reading.way):
        return SILENT
    is_old = reading.number < number and at - changed_at > known.within(reading.way)
    return BEHIND if is_late or is_old else IN_STEP


def never_read(actor: Actor, known: set[int], at: dt.datetime) -> list[ReaderView]:
    """Keys of the actor's members that may read the lists, and never did."""
    keys = ApiKey.objects.filter(_is_current(at), member__in=[member.pk for member in actor.members])
    return [
        ReaderView(0, key.member.name if key.member else "", key.label, "", "", 0, 0, NEVER)
        for key in keys.select_related("member").order_by("label", "pk")
        if SCOPE in key.scopes and key.pk not in known
    ]


def sentence(rows: Iterable[ReaderView], *, is_all: bool) -> str:
    """Are they in step? In one line."""
    reading = [row for row in rows if row.state != NEVER]
    whose = "" if is_all else " of yours"
    if not reading:
        return f"No machine{whose} reads the lists yet."
    late = sum(row.is_late for row in reading)
    off = sum(row.state != IN_STEP for row in reading)
    if late:
        did = "has not taken a withdrawal in time"
        return f"{_some(late, len(reading))}{whose} {did if late == 1 else did.replace('has', 'have')}."
    if off:
        return f"{_some(off, len(reading))}{whose} {'is' if off == 1 else 'are'} out of step."
    if len(reading) == 1:
        return f"The one reader{whose} is in step."
    return f"All {len(reading):,} readers{whose} are in step."


def _some(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} reader{'s' if whole != 1 else ''}"


def _of(place: Place) -> QuerySet[Removal]:
    is_list = isinstance(place, str)
    where = {"list_key": place, "channel": None} if is_list else {"channel": place}
    return Removal.objects.filter(**where).order_by("number", "pk")


def _is_current(at: dt.datetime, prefix: str = "") -> Q:
    named = {
        f"{prefix}revoked_at__isnull": True,
        f"{prefix}member__suspended_at__isnull": True,
    }
    unexpired = Q(**{f"{prefix}expires_at__isnull": True}) | Q(**{f"{prefix}expires_at__gt": at})
    return Q(**named) & unexpired
