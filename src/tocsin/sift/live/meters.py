"""What a person or a program may want to see of a running watch."""

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from tocsin.sift.live.refusals import Refusals
from tocsin.sift.values import Attack

FILE = "watch.json"


class Named(Protocol):
    """A source, by its name; a door has more to say."""

    name: str


@dataclass
class Meters:
    """The state of a watch: `lines`, `observed` and `rejected` over all its runs, the rest of this one.

    `to` is the exchange's address, `fault` what is wrong with it, `outlet_fault` with SIEM or ticket system,
    `disk_fault` with this machine, `source_faults` with each source. `gaps` counts how often lines were gone
    before they were read, `dropped` the datagrams there was no room for, `turned_away` the senders and mails
    that a source refused or put off, by its name and the reason, `blocks` the blocks that resolvers told.
    """

    to: str = ""
    started: float = field(default_factory=time.monotonic)
    bytes_read: int = 0
    lines: int = 0
    observed: int = 0
    rejected: int = 0
    backlog: int = 0
    open_attacks: int = 0
    pending: int = 0
    sent: int = 0
    refused: int = 0
    fault: str = ""
    untold: int = 0
    outlet_fault: str = ""
    disk_fault: str = ""
    source_faults: dict[str, str] = field(default_factory=dict)
    source_count: int = 0
    gaps: int = 0
    dropped: int = 0
    blocks: int = 0
    turned_away: dict[tuple[str, str], int] = field(default_factory=dict)
    committed_at: float = 0.0
    newest: list[Attack] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """Everything that is wrong now, in words."""
        told = [f"the disk: {self.disk_fault}"] if self.disk_fault else []
        told += (
            [self.fault if "exchange" in self.fault else f"the exchange: {self.fault}"] if self.fault else []
        )
        told += [self.outlet_fault] if self.outlet_fault else []
        return told + [f"{fault}: {name}" for name, fault in sorted(self.source_faults.items())]

    def look(self, sources: Iterable[Named]) -> list[str]:
        """Take in what doors dropped, counted and refused so far; gives the reasons that are new in words."""
        self.dropped = self.blocks = 0
        new = []
        for source in sources:
            self.dropped += getattr(source, "dropped", 0)
            self.blocks += getattr(source, "blocks", 0)
            refused: Refusals | None = getattr(source, "refused", None)
            for reason, count in refused.counts().items() if refused else ():
                if refused and (source.name, reason) not in self.turned_away:
                    new.append(f"{source.name}: {refused.words(reason)}")
                self.turned_away[source.name, reason] = count
        return new

    def keep(self, folder: Path) -> None:
        """Leave a sign of life in a spool's folder, for `tocsin doctor`; a full disk stops nobody."""
        sign = Sign(
            at=int(time.time()),
            to=self.to,
            lines=self.lines,
            backlog=self.backlog,
            pending=self.pending,
            committed_at=int(self.committed_at),
            faults=self.faults,
        )
        part = folder / f"{FILE}.part"
        with contextlib.suppress(OSError):
            part.write_bytes(msgspec.json.encode(sign))
            part.replace(folder / FILE)


class Sign(msgspec.Struct, frozen=True):
    """How a watch stood at an instant (seconds since 1970); `to` is its exchange, empty where it has none."""

    at: int
    to: str
    lines: int
    backlog: int
    pending: int
    committed_at: int
    faults: list[str]


def sign_in(folder: Path) -> Sign | None:
    """The last sign of life of the watch whose spool lies there; None where there never was one."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Sign)
    except (OSError, msgspec.DecodeError):
        return None
