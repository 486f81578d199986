"""Watching the readers: who has not taken a withdrawal in time is told once, until it is in step again.

At the deadline the journal is told how many networks have taken each withdrawal.
"""

import datetime as dt
from itertools import groupby

from tocsin.access.models import Community
from tocsin.journal.acts import Act, act
from tocsin.kernel.time import now, rfc3339
from tocsin.notices.telling import tell_member
from tocsin.sharing import receipts, rules
from tocsin.sharing.models import Reading, Removal
from tocsin.sharing.readers import Owed, Place, counted_readings
from tocsin.sharing.receipts import minute

LATE, BACK = "sharing:reader:late", "sharing:reader:back"
SETTLED = "sharing:withdrawal:taken"
PAGE = "network/resolvers"
AT_ONCE = 1_000  # withdrawals of one act


def watch_readers(at: dt.datetime | None = None) -> int:
    """Tell the members of readers that are late, note those that are back; gives how many of both.

    Running it twice tells nobody twice.
    """
    at = at or now()
    found = list(counted_readings(at).order_by("pk"))
    owed, late, back = Owed(found, at), [], []
    for reading in found:
        since = owed.since(reading)
        if reading.told_at is None and since is not None:
            if since <= at - rules.DEFAULTS.readers.within(reading.way):
                late.append((reading, since))
        elif reading.told_at is not None and since is None:
            back.append(reading)
    if not late and not back:
        return 0
    with act() as recorded:
        for reading, since in late:
            _tell(recorded, reading, since, at)
        for reading in back:
            if Reading.objects.filter(pk=reading.pk, told_at__isnull=False).update(told_at=None):
                recorded.record(BACK, reading.member.member_id, _told(reading))
    return len(late) + len(back)


def settle(at: dt.datetime | None = None) -> int:
    """Tell the journal of withdrawals whose deadline has passed who has taken them; gives how many.

    Those that left a list with the same number are one reading, and so judged together.
    """
    at = at or now()
    within = rules.DEFAULTS.readers.within("list")
    due = Removal.objects.filter(channel=None, settled_at=None, at__lte=at - within)
    found = list(due.select_related("indicator").order_by("list_key", "number", "pk")[:AT_ONCE])
    if not found:
        return 0
    with act() as recorded:
        for (key, _), several in groupby(found, key=lambda one: (one.list_key, one.number)):
            circle, _, kind = key.rpartition("/")
            left, community = list(several), Community.objects.filter(community_id=circle).first()
            read = receipts.networks(community, kind, _together(left, community), at)
            said = receipts.at_the_deadline(read, within)
            content = {"why": said, **({"community": circle} if circle else {})}
            for one in left if said else ():
                recorded.record(SETTLED, one.indicator.indicator_id, content)
        Removal.objects.filter(pk__in=[one.pk for one in found]).update(settled_at=at)
    return len(found)


def _together(left: list[Removal], community: Community | None) -> dict[Place, Removal]:
    """The last of these in the list, and in the audience's channels, from the same withdrawal."""
    channels = Removal.objects.filter(
        channel__community=community,
        channel__isnull=False,
        indicator__in=[one.indicator_id for one in left],
        at__range=(min(one.at for one in left), max(one.at for one in left)),
    )
    by_place: dict[Place, Removal] = {left[-1].list_key: left[-1]}
    for one in channels.order_by("number"):
        if one.channel_id is not None:
            by_place[one.channel_id] = one
    return by_place


def _tell(recorded: Act, reading: Reading, since: dt.datetime, at: dt.datetime) -> None:
    """Once: on every page of the member's reporters, and by mail as they wish."""
    if not Reading.objects.filter(pk=reading.pk, told_at=None).update(told_at=at):
        return
    stamp = recorded.record(LATE, reading.member.member_id, _told(reading) | {"since": rfc3339(since)})
    said = (
        f"The key {reading.key.label} has not taken from {reading.what} what was withdrawn at "
        f"{minute(since, at)}; it stands at number {reading.number:,}."
    )
    tell_member(recorded, stamp, reading.member, "readers", PAGE, said)


def _told(reading: Reading) -> dict[str, object]:
    return {
        "member": reading.member.member_id,
        "key": reading.key.prefix,
        "label": reading.key.label,
        "what": reading.what,
        "number": reading.number,
    }
