"""What a community shares: its list and its feeds, for its members alone."""

import datetime as dt
from dataclasses import dataclass

from tocsin.access.communities import community_of
from tocsin.access.policy import Actor
from tocsin.kernel.time import now
from tocsin.sharing.channels import levels_of, shared_channel
from tocsin.sharing.models import Channel, Indicator, Standing
from tocsin.sharing.publishing import hour_of

NEWEST = 50


@dataclass(frozen=True)
class SharedRow:
    """One address or name that stands in a community."""

    indicator_id: str
    value: str
    reason: str
    tlp: str
    changed_at: dt.datetime
    valid_until: dt.datetime | None


def shared_in(actor: Actor, community_id: str) -> tuple[SharedRow, ...]:
    """What stands in one of the actor's communities now, the newest first; fifty at most. Raises NotFound."""
    found = community_of(actor, community_id)
    rows = Standing.objects.filter(community=found, state=Indicator.State.SHARED, valid_until__gt=now())
    return tuple(
        SharedRow(
            indicator_id=row.indicator.indicator_id,
            value=row.indicator.value,
            reason=row.reason,
            tlp=row.tlp,
            changed_at=hour_of(row.changed_at),
            valid_until=row.valid_until,
        )
        for row in rows.select_related("indicator").order_by("-changed_at", "-pk")[:NEWEST]
    )


def feeds_of(actor: Actor, community_id: str) -> list[Channel]:
    """The feeds of one of the actor's communities, the least strict first. Raises NotFound."""
    found = community_of(actor, community_id)
    return [shared_channel(found, level) for level in levels_of(found)]
