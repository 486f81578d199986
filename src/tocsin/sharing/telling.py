"""Members' machines are told what their circles share and withdraw, by the webhooks that ask for it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from tocsin.access.models import Membership
from tocsin.journal import queries as journal
from tocsin.journal.queries import HistoryItem
from tocsin.notices import delivering
from tocsin.notices.models import Delivery, Endpoint
from tocsin.sharing.judging import EVENTS as BY_STATE
from tocsin.sharing.judging import RENEWED
from tocsin.sharing.models import Channel, Outgoing

EVENTS = (*BY_STATE.values(), RENEWED)
KIND = "sharing:indicators"
AT_ONCE = 100  # changes of one message


def tell(first_seq: int, last_seq: int) -> int:
    """Make the messages of the changes between these positions; gives how many. Running it twice is once.

    A message has the position of its last change. An object is told as it is when the message is made.
    """
    endpoints = list(
        Endpoint.objects.filter(hears_indicators=True, member__isnull=False, member__suspended_at=None)
    )
    if not endpoints:
        return 0
    found = [entry for entry in journal.entries(first_seq, last_seq) if entry.event in EVENTS]
    wanted = {entry.seq for entry in found}
    history = [item for item in journal.history({entry.subject for entry in found}) if item.seq in wanted]
    circles = circles_of({endpoint.member_id or 0 for endpoint in endpoints})
    made: list[Delivery] = []
    for start in range(0, len(history), AT_ONCE):
        some = history[start : start + AT_ONCE]
        standing = latest(item.subject for item in some)
        for endpoint in endpoints:
            data = told(some, standing, circles[endpoint.member_id or 0])
            if data:
                last = some[-1]
                made.append(delivering.message(endpoint, KIND, last.seq, last.at, {"indicators": data}))
    delivering.keep(made)
    return len(made)


def circles_of(members: set[int]) -> dict[int, frozenset[str]]:
    """The communities in which each member is now, by the ids that the journal knows them by."""
    rows = Membership.objects.filter(member__in=members, until=None, community__closed_at=None).values_list(
        "member_id", "community__community_id"
    )
    found: defaultdict[int, set[str]] = defaultdict(set)
    for member, community in rows:
        found[member].add(community)
    return {member: frozenset(found[member]) for member in members}


def latest(indicator_ids: Iterable[str]) -> dict[str, list[Outgoing]]:
    """The latest version of each indicator in each shared channel, by the indicator's id."""
    rows = Outgoing.objects.filter(
        indicator__indicator_id__in=set(indicator_ids), is_latest=True, channel__kind=Channel.Kind.SHARED
    ).select_related("indicator", "channel__community")
    found: defaultdict[str, list[Outgoing]] = defaultdict(list)
    for row in rows.order_by("channel", "number"):
        found[row.indicator.indicator_id if row.indicator is not None else ""].append(row)
    return found


def told(
    items: Sequence[HistoryItem], standing: dict[str, list[Outgoing]], circles: frozenset[str]
) -> list[dict[str, Any]]:
    """What a member is told of these changes: those of everybody, and of its own communities."""
    said: dict[tuple[int, int], dict[str, Any]] = {}
    for item in items:
        community = (item.content or {}).get("community", "")
        if community and community not in circles:
            continue
        for row in standing.get(item.subject, ()):
            of = row.channel.community.community_id if row.channel.community is not None else ""
            if of == community:
                said[row.channel_id, row.number] = {
                    "event": item.event,
                    "channel": row.channel.alias,
                    "number": row.number,
                    "object": msgspec.Raw(bytes(row.body)),
                }
    return list(said.values())
