"""Connections that customers would make to bad places, and that bad places would make to them, an hour each.

`traffic/<provider>.csv`: hour (RFC 3339, UTC), kind (`name` or `address`), value, connections. A name is
called by customers; an address calls.
"""

import csv
import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from tocsin.kernel.time import parse_rfc3339, rfc3339
from tocsin.nation.campaigns import Campaign
from tocsin.nation.places import Provider
from tocsin.nation.shape import Shape

NAME_A_DAY = 900  # at the largest provider, of one site; a quarter of it at night
ADDRESS_A_DAY = 4_000
LINGER = 3  # days for which a place is still called after its campaign

HEAD = ("hour", "kind", "value", "connections")
_BY_HOUR = [0.25] * 7 + [0.8, 1, 1.2, 1.3, 1.3, 1.4, 1.3, 1.2, 1.2, 1.3, 1.4, 1.5, 1.6, 1.5, 1.1, 0.7, 0.4]
_DAYS_WEIGHT = sum(_BY_HOUR)


class Flow(NamedTuple):
    """How many connections in the hour that begins at `hour`."""

    hour: dt.datetime
    kind: Literal["name", "address"]
    value: str
    connections: int


def flows(shape: Shape, member: Provider, campaigns: Iterable[Campaign]) -> Iterator[Flow]:
    """A provider's traffic, place by place, then hour by hour; hours without any are left out."""
    for campaign in campaigns:
        if campaign.pattern not in ("phishing", "malware", "brute-force"):
            continue
        dice = shape.dice("traffic", member.key, campaign.campaign)
        places: list[tuple[Literal["name", "address"], str]] = [("name", name) for name in campaign.names]
        places = places or [("address", origin) for origin in campaign.origins]
        for kind, value in places:
            a_day = (
                (NAME_A_DAY if kind == "name" else ADDRESS_A_DAY) * member.weight * dice.lognormvariate(-1, 1)
            )
            for day in range(campaign.first_day, min(campaign.last_day + LINGER, shape.days)):
                start = dt.datetime.fromtimestamp(shape.start(day), dt.UTC)
                for hour, weight in enumerate(_BY_HOUR):
                    luck = dice.random()
                    if count := int(a_day * weight / _DAYS_WEIGHT * (0.5 + luck) + dice.random()):
                        yield Flow(start + dt.timedelta(hours=hour), kind, value, count)


def write(path: Path, found: Iterable[Flow]) -> int:
    """The file of one provider; gives the number of connections."""
    total = 0
    with path.open("w", newline="", encoding="ascii") as out:
        out.write(",".join(HEAD) + "\n")
        for flow in found:
            total += flow.connections
            out.write(f"{rfc3339(flow.hour)},{flow.kind},{flow.value},{flow.connections}\n")
    return total


def read(path: Path) -> Iterator[Flow]:
    """What `write` wrote."""
    with path.open(newline="", encoding="ascii") as lines:
        for row in csv.DictReader(lines):
            kind: Literal["name", "address"] = "name" if row["kind"] == "name" else "address"
            yield Flow(parse_rfc3339(row["hour"]), kind, row["value"], int(row["connections"]))
