"""The running sums of a run: in memory while they grow, on disk once their day is over.

A sum is put away when the source that is being read has gone on to a later day, or when it belongs to sources
that were read to their end: nothing will be added to its lines' digest. Memory therefore follows the attacks
of a day, not those of a year. Small runs put nothing away.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from tocsin.sift.scratch import Scratch
from tocsin.wire.report import Lane

MOST_LINES = 10_000
MOST_OPEN = 20_000  # sums in memory before any is put away
DAY = 86_400
MOST_COUNTED = (1 << 62) - 1  # what others claim is added up to here: more is neither stored nor told
GRACE = 3600  # how late a line may come after midnight and still find its day open


class Key(NamedTuple):
    """What makes two observations one attack; `day` counts from 1970-01-01, UTC.

    A flood has no origin; its coarse vector stands in the place of the service.
    """

    kind: str
    origin: str
    target: str
    service: str
    day: int


class Lines:
    """The matching lines of one attack in one source: their numbers (capped) and their digest."""

    __slots__ = ("count", "digest", "numbers")

    def __init__(self) -> None:
        self.numbers = array("I")
        self.count = 0
        self.digest = hashlib.sha256()

    def add(self, numbers: list[int], text: bytes, count: int | None = None) -> None:
        """Further lines in ascending order; `text` is their bytes, each ended by a newline."""
        if len(self.numbers) < MOST_LINES:
            self.numbers.fromlist(numbers)
            del self.numbers[MOST_LINES:]
        self.count += len(numbers) if count is None else count
        self.digest.update(text)

    def settled(self, path: str) -> "Part":
        """What is told of them when no more will come."""
        return Part(path, self.numbers.tobytes(), self.count, self.digest.digest())


class Part(msgspec.Struct, frozen=True, array_like=True):
    """Lines that are settled: their numbers as 32-bit integers of this machine, and their SHA-256."""

    path: str
    numbers: bytes
    count: int
    digest: bytes


@dataclass(slots=True)
class Pile:
    """Everything of one key and one strength of evidence."""

    first: int
    last: int
    count: int = 0
    score: int = 0
    rule: int = 1 << 15
    severity: int = 0
    solid: bool = False
    lane: Lane = "ordinary"
    why: str = ""
    vector: str = ""
    fingerprint: str = ""
    origin_count: int = 0
    source: int = 0
    sample: Counter[str] | None = None
    measures: dict[str, int] = field(default_factory=dict)
    assumed: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    lines: dict[str, Lines] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)

    def lines_of(self, path: str) -> Lines:
        """The lines in one source."""
        if path not in self.lines:
            self.lines[path] = Lines()
        return self.lines[path]

    def assume(self, told: dict[str, str]) -> None:
        """Record what was settled; where sources differ, both are named."""
        if not self.assumed:
            self.assumed = told
        elif told != self.assumed:
            self.assumed = {
                name: "; ".join(sorted({*self.assumed.get(name, reason).split("; "), reason}))
                for name, reason in (self.assumed | told).items()
            }

    def measure(self, more: dict[str, int]) -> None:
        """Add up sums, keep the higher of peaks."""
        if more:
            self.measures = added(self.measures, more)

    def line_count(self) -> int:
        """How many lines, whatever they count for."""
        return sum(lines.count for lines in self.lines.values()) + sum(part.count for part in self.parts)

    def line_counts(self) -> list[tuple[str, int]]:
        """How many lines there are in each source."""
        return [(path, lines.count) for path, lines in self.lines.items()] + [
            (part.path, part.count) for part in self.parts
        ]

    def evidence(self) -> list[Part]:
        """All its lines, by source."""
        settled = [lines.settled(path) for path, lines in self.lines.items()]
        return sorted((*self.parts, *settled), key=lambda part: part.path)

    def absorb(self, other: "Pile") -> None:
        """Take in what was put away of the same key."""
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        self.count = min(self.count + other.count, MOST_COUNTED)
        self.score = min(self.score + other.score, MOST_COUNTED)
        self.rule = min(self.rule, other.rule)
        self.severity = max(self.severity, other.severity)
        self.solid |= other.solid
        self.lane = "restricted" if "restricted" in (self.lane, other.lane) else "ordinary"
        self.why, self.vector = self.why or other.why, self.vector or other.vector
        self.fingerprint = self.fingerprint or other.fingerprint
        self.origin_count = max(self.origin_count, other.origin_count)
        if other.sample:
            self.sample = (self.sample or Counter()) + other.sample
        self.measure(other.measures)
        self.assume(other.assumed)
        self.names |= other.names
        self.parts += other.evidence()


def added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    """Two attacks' measures as one's: peaks (`peak_…`) are the higher, all else adds up."""
    return {
        name: max(one.get(name, 0), other.get(name, 0))
        if name.startswith("peak_")
        else min(one.get(name, 0) + other.get(name, 0), MOST_COUNTED)
        for name in {**one, **other}
    }


class _Record(msgspec.Struct, array_like=True):
    """A pile as it is put away; `before` is the place of an earlier one whose key has the same hash."""

    key: tuple[str, str, str, str, int]
    evidence: str
    before: int
    values: tuple[int, int, int, int, int, int, bool, str, str, str, str, int]
    sample: dict[str, int]
    measures: dict[str, int]
    assumed: dict[str, str]
    names: list[str]
    parts: list[Part]


Fetch = Callable[[tuple[Key, str]], bytes | None]
_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(_Record)
_NOWHERE = -1


class Piles:
    """All sums by key and evidence.

    A `lasting` collection outlives its process: it notes what was touched, for somebody to keep, and asks
    `fetch` for the packed sum of a key that is not in memory.
    """

    def __init__(self, *, lasting: bool = False, fetch: Fetch | None = None) -> None:
        self._fetch = fetch
        self.touched: set[tuple[Key, str]] | None = set() if lasting else None
        self._open: dict[tuple[Key, str], Pile] = {}
        self._away: Scratch | None = None
        self._places: dict[int, int] = {}
        self._source = 0
        self._newest = 0

    def begin_source(self) -> None:
        """Another source begins: it may tell of any day."""
        self._source += 1
        self._newest = 0

    def pile(self, key: Key, evidence: str, first: int, last: int) -> tuple[Pile, bool]:
        """The sum that such evidence belongs to, its times widened; and whether it is new."""
        pile = self._open.get((key, evidence))
        if self.touched is not None:
            self.touched.add((key, evidence))
        if last > self._newest:
            self._newest = last
        if pile is None and self._fetch is not None and (body := self._fetch((key, evidence))) is not None:
            self.restore(body)
            pile = self._open[key, evidence]
        if pile is None:
            pile = self._open[key, evidence] = Pile(first, last, source=self._source)
            return pile, True
        pile.source = self._source
        if first < pile.first:
            pile.first = first
        if last > pile.last:
            pile.last = last
        return pile, False

    def put_away(self) -> None:
        """Put away what is over, if there is much in memory."""
        if len(self._open) < MOST_OPEN or self.touched is not None:
            return
        over = (self._newest - GRACE) // DAY
        for key, pile in list(self._open.items()):
            if pile.source != self._source or key[0].day < over:
                self._put(key, self._open.pop(key))

    def restore(self, body: bytes) -> tuple[Key, str]:
        """Take back a sum as `packed` gave it; lines that follow are a further part of its evidence."""
        record = _decoder.decode(body)
        key = Key(*record.key), record.evidence
        self._open[key] = _pile(record)
        return key

    def packed(self, key: tuple[Key, str]) -> bytes:
        """A sum as bytes that outlive the run."""
        return _encoder.encode(_record(key, self._open[key], _NOWHERE))

    def __len__(self) -> int:
        return len(self._open)

    def evict(self, most: int) -> None:
        """Everything that was touched is kept elsewhere now: hold no more than `most` sums, the latest."""
        if self.touched:
            self.touched.clear()
        if len(self._open) > most:
            oldest_first = sorted(self._open, key=lambda key: self._open[key].source)
            for key in oldest_first[: len(oldest_first) - most]:
                del self._open[key]

    def __iter__(self) -> Iterator[tuple[Key, str, Pile]]:
        """Every sum, whole; may be asked for more than once when nothing is added any more."""
        if self._away is None:
            yield from ((key, evidence, pile) for (key, evidence), pile in self._open.items())
            return
        for key, pile in self._open.items():
            self._put(key, pile)
        self._open.clear()
        for place in self._places.values():
            yield from self._chained(place)

    def _chained(self, place: int) -> Iterator[tuple[Key, str, Pile]]:
        """The sums whose keys have one hash: nearly always one, put away once or more often."""
        found: dict[tuple[Key, str], Pile] = {}
        while place != _NOWHERE:
            record = self._record(place)
            key, pile = (Key(*record.key), record.evidence), _pile(record)
            if key in found:
                found[key].absorb(pile)
            else:
                found[key] = pile
            place = record.before
        yield from ((key, evidence, pile) for (key, evidence), pile in found.items())

    def _put(self, key: tuple[Key, str], pile: Pile) -> None:
        if self._away is None:
            self._away = Scratch()
        name = hash(key)
        before = self._places.get(name, _NOWHERE)
        self._places[name] = self._away.add(_encoder.encode(_record(key, pile, before)))

    def _record(self, place: int) -> _Record:
        assert self._away is not None  # noqa: S101 (for the type checker)
        return _decoder.decode(self._away.get(place))


def _record(key: tuple[Key, str], pile: Pile, before: int) -> _Record:
    return _Record(
        key=(key[0].kind, key[0].origin, key[0].target, key[0].service, key[0].day),
        evidence=key[1],
        before=before,
        values=(
            pile.first, pile.last, pile.count, pile.score, pile.rule, pile.severity, pile.solid,
            pile.lane, pile.why, pile.vector, pile.fingerprint, pile.origin_count,
        ),
        sample=dict(pile.sample or {}),
        measures=pile.measures,
        assumed=pile.assumed,
        names=sorted(pile.names),
        parts=pile.evidence(),
    )  # fmt: skip


def _pile(record: _Record) -> Pile:
    first, last, count, score, rule, severity, solid, lane, why, vector, fingerprint, origins = record.values
    return Pile(
        first=first,
        last=last,
        count=count,
        score=score,
        rule=rule,
        severity=severity,
        solid=solid,
        lane="restricted" if lane == "restricted" else "ordinary",
        why=why,
        vector=vector,
        fingerprint=fingerprint,
        origin_count=origins,
        sample=Counter(record.sample) or None,
        measures=record.measures,
        assumed=record.assumed,
        names=set(record.names),
        parts=record.parts,
    )
