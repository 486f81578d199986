"""What sifting gives: attacks, where their evidence is, and a balance that adds up."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tocsin.wire.report import Lane, Severity


class EvidenceLines(msgspec.Struct, frozen=True):
    """The matching lines of one attack in one source.

    `lines` are 1-based line numbers in ascending order (of a decompressed file; a mail or a JSON report is
    evidence by its first line), at most 10,000 of them; `line_count` is their true number; `sha256` is the
    digest of the matching lines' bytes, each ended by one newline, in order.
    """

    path: str
    lines: tuple[int, ...]
    line_count: int
    sha256: str


class Attack(msgspec.Struct, frozen=True, omit_defaults=False):
    """Observations of one kind from one origin against one target and service within one UTC day.

    The field names are the contract of `tocsin sift --json`. Instants are RFC 3339 in UTC. `assumed` says,
    field by field, what the evidence left open and how it was settled. `why` is the rule's one-line reason.
    `own` names the sides (`origin`, `target`) that lie in the provider's own networks (`--network`).
    `names` are the host names that a fraud or malware report is about.
    `score` is what thresholds are judged by.
    `campaign` is shared by all attacks of one origin, empty where there is only one.
    `spoofable` says that anybody could have forged the origin: it is never blocked upon.
    `vector` says how a flood came (`reflection from dns (udp/53)`); its `origins` are a sample of the
    `origin_count` addresses that it seemed to come from, `fingerprint` is what other members can match, and
    `measures` are its sums (flows, packets, bytes) and peaks (`peak_packets_per_second` …).
    `direction` is `on us`, `from us`, `inside` or `passing through`; empty where no network was given.
    """

    attack_id: str
    kind: str
    origins: tuple[str, ...]
    targets: tuple[str, ...]
    service: str
    first_seen_at: str
    last_seen_at: str
    count: int
    severity: Severity
    evidence: tuple[EvidenceLines, ...]
    campaign: str = ""
    lane: Lane = "ordinary"
    why: str = ""
    assumed: dict[str, str] = {}
    own: tuple[str, ...] = ()
    score: int = 0
    names: tuple[str, ...] = ()
    spoofable: bool = False
    vector: str = ""
    fingerprint: str = ""
    origin_count: int = 0
    measures: dict[str, int] = {}
    direction: str = ""


class Observation(msgspec.Struct, frozen=True):
    """One line of raw evidence, normalised (`tocsin sift --observations --json`)."""

    path: str
    line: int
    kind: str
    origin: str
    target: str
    service: str
    seen_at: str
    count: int = 1
    rule: str = ""


class Region(msgspec.Struct, frozen=True):
    """A stretch of evidence that was sifted before, known by its bytes whatever its name or compression.

    `head` is the SHA-256 of the first min(4096, length) bytes, `sha256` that of all `length` bytes.
    A file that begins with known regions, one after the other, is read from behind them.
    """

    head: str
    length: int
    sha256: str


@dataclass
class Balance:
    """read = observed + noise + duplicate + rejected, in lines (a mail or a JSON report counts as one)."""

    observed: int = 0
    noise: int = 0
    duplicate: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def read(self) -> int:
        """All lines that were read."""
        return self.observed + self.noise + self.duplicate + self.rejected


@dataclass(frozen=True)
class Input:
    """What became of one input: read = observed + noise + duplicate + rejected."""

    path: str
    observed: int
    noise: int
    duplicate: int
    rejected: int

    @property
    def read(self) -> int:
        """All its lines."""
        return self.observed + self.noise + self.duplicate + self.rejected


@dataclass(frozen=True)
class Source:
    """One log as the edge tool knows it: what a holding is measured from.

    `log_type` is one of the country pack's (`portal-login` for sshd, `abuse-desk-ticket` for mails …).
    """

    source_id: str
    path: str
    log_type: str
    period_from: dt.datetime
    period_to: dt.datetime
    time_zone: str
    clock_error_ms: int | None
    fields_present: tuple[str, ...]


@dataclass
class Span:
    """What was seen of a log: how many lines that were not rejected, and the first and last matching time."""

    lines: int = 0
    first: int | None = None
    last: int | None = None
    zone_open: bool = False
    service: str = ""

    def widen(self, first: int, last: int, zone_open: bool) -> None:
        """Take in the times of what was found, and whether they left the zone open."""
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)
        self.zone_open |= zone_open


@dataclass
class Sifted:
    """Everything that one run of `sift` found; `inputs` say for each source what became of its lines."""

    attacks: Sequence[Attack]
    balance: Balance
    sources: list[Source]
    regions: list[Region]
    campaign_count: int
    origin_count: int
    inputs: list[Input]
    rejected_file: Path | None
    seconds: float
