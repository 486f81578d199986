"""Tallies as the edge tool sends them: hits an hour for each listed value and how many clients, never one."""

from typing import Literal

import msgspec


class Tally(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Connections stopped in one hour; `hour` is its start (RFC 3339, UTC), `hits` cumulative for it.

    `value` is the address or name as it stands on the list. `clients` are the different ones behind the hits,
    5 or more; null where it is not known, or fewer.
    """

    kind: Literal["address", "name"]
    value: str
    hour: str
    hits: int
    clients: int | None = None


class TallyBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one log of one resolver or firewall counted; `source_id` names it without its path."""

    source_id: str
    tallies: list[Tally]


class TallyAnswer(msgspec.Struct, frozen=True):
    """How many tallies were taken, and how many named a value that was never shared."""

    taken: int
    unknown: int
