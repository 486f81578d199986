"""What one piece of evidence says when it is no log line: the common currency of all readers."""

from dataclasses import dataclass, field
from typing import Literal

from tocsin.wire.report import Lane, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """Observations of one kind from one origin against one target, as a document, record or flow tells them.

    `first` and `last` are seconds since 1970. `severity` is what the evidence itself claims; None leaves the
    judgement to the thresholds of the service's rulebook, by `score`; `evidence` is as for rules of lines.
    `reader` names the format that was
    read, for observations; `assumed` says field by field what was not in the evidence ("reported …",
    "derived …", "looked up …").

    A flood's origins cannot be trusted: there `origin` is empty, `service` is its coarse vector
    (`udp-reflection`), `vector` says in words how it came, `sample` counts some of the addresses that it
    seemed to come from, `origin_count` says how many there were, `measures` are its sums and `peak_…` rates.
    """

    kind: str
    origin: str
    target: str
    service: str
    first: int
    last: int
    count: int = 1
    score: int = 0
    severity: Severity | None = None
    why: str = ""
    reader: str = ""
    assumed: dict[str, str] = field(default_factory=dict)
    lane: Lane = "ordinary"
    names: tuple[str, ...] = ()
    spoofable: bool = False
    vector: str = ""
    fingerprint: str = ""
    sample: tuple[tuple[str, int], ...] = ()
    origin_count: int = 0
    measures: dict[str, int] = field(default_factory=dict)
    evidence: Literal["verdict", "sign", "success"] = "verdict"
