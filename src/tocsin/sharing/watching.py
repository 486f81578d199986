"""Watching the readers: who has not taken a withdrawal in time is told once, until it is in step again."""

import datetime as dt

from tocsin.access import alerts
from tocsin.access.models import Person, Role
from tocsin.journal.acts import Act, act
from tocsin.kernel.time import now, rfc3339
from tocsin.sharing import rules
from tocsin.sharing.models import Reading
from tocsin.sharing.readers import Owed, counted_readings
from tocsin.sharing.receipts import minute

LATE, BACK = "sharing:reader:late", "sharing:reader:back"


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


def _tell(recorded: Act, reading: Reading, since: dt.datetime, at: dt.datetime) -> None:
    """One mail (by `notices`, from the entry), and a line on every page of the member's own people."""
    if not Reading.objects.filter(pk=reading.pk, told_at=None).update(told_at=at):
        return
    recorded.record(LATE, reading.member.member_id, _told(reading) | {"since": rfc3339(since)})
    people = Person.objects.filter(
        roles__member=reading.member, roles__name=Role.Name.REPORTER, is_active=True
    )
    alerts.tell(
        people.distinct(),
        f"Key {reading.key.label[:80]} has not taken from {reading.what} what was withdrawn at "
        f"{minute(since, at)}. Network, then Resolvers, says how to mend it.",
    )


def _told(reading: Reading) -> dict[str, object]:
    return {
        "member": reading.member.member_id,
        "key": reading.key.prefix,
        "label": reading.key.label,
        "what": reading.what,
        "number": reading.number,
    }
