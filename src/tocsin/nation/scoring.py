"""What `tocsin sift` found beside what truly happened: precision and recall, and what is missed."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from tocsin.nation.truth import TrueAttack, Truth

LOST = "the provider lost its log of it"
QUIET = "below the threshold: too few acts to be told from a slip"
NEIGHBOUR = "the provider's clock put it on the neighbouring day"
OTHERWISE = "seen as something else"
UNSEEN = "in the evidence and not seen"
NOBODY = "nobody did that"


class Found(msgspec.Struct, frozen=True):
    """An attack as `tocsin sift --json` gives it, and at which provider; other fields are left out."""

    kind: str
    origins: tuple[str, ...]
    targets: tuple[str, ...]
    service: str
    first_seen_at: str
    severity: str
    provider: str = ""


class Key(NamedTuple):
    """What makes an attack one, at one provider."""

    provider: str
    kind: str
    origin: str
    target: str
    service: str
    day: str


class Score(msgspec.Struct, frozen=True):
    """How well attacks were found, of one kind or of all.

    `true` attacks happened, `recorded` of them left a line, `found` of them were seen at all; `told` is how
    many the tool says there are above the threshold (what an exchange hears of), `right` how many of those
    are true. `missed` counts why true ones were not told, `wrong` what the others really are.
    """

    kind: str
    true: int
    recorded: int
    found: int
    told: int
    right: int
    missed: dict[str, int]
    wrong: dict[str, int]

    @property
    def recall(self) -> float:
        """The share of what happened that was seen."""
        return self.found / self.true if self.true else 1.0

    @property
    def evidence_recall(self) -> float:
        """The share of what left a line that was seen: all that a tool could do."""
        return self.found / self.recorded if self.recorded else 1.0

    @property
    def told_recall(self) -> float:
        """The share of what happened that was told above the threshold."""
        return self.right / self.true if self.true else 1.0

    @property
    def precision(self) -> float:
        """The share of what was told above the threshold that happened."""
        return self.right / self.told if self.told else 1.0

    @property
    def sentences(self) -> list[str]:
        """The score in a line, then a line for each reason."""
        whole = (
            f"{self.kind}: {self.true:,} true, {self.evidence_recall:.1%} of those in the evidence seen, "
            f"{self.told_recall:.1%} of all told; {self.told:,} told, {self.precision:.1%} of them true"
        )
        missed = [f"  {count:,} not told: {reason}" for reason, count in self.missed.items()]
        return [whole, *missed, *(f"  {count:,} not true: {reason}" for reason, count in self.wrong.items())]


def found(provider: str, lines: Iterable[bytes | str]) -> Iterator[Found]:
    """The lines of `tocsin sift --json` over one provider's evidence."""
    decode = msgspec.json.Decoder(Found).decode
    for line in lines:
        yield msgspec.structs.replace(decode(line), provider=provider)


def score(truth: Truth, attacks: Iterable[Found]) -> list[Score]:
    """One score for all kinds together, then one for each kind."""
    judge = _Judge(truth, attacks)
    kinds = sorted({key.kind for key in judge.happened} | {key.kind for key in judge.told})
    return [judge.score("all"), *map(judge.score, kinds)]


class _Judge:
    """Lays what was found beside what happened, and gives each difference its reason."""

    def __init__(self, truth: Truth, attacks: Iterable[Found]) -> None:
        self.happened = {_true_key(attack): attack for attack in truth.attacks}
        self.seen = {_found_key(attack): attack.severity for attack in attacks}
        self.told = {key for key, severity in self.seen.items() if severity != "info"}
        self._places = {_place(key) for key in self.seen}
        self._neighbours = {near for key in self.happened for near in _beside(key)}
        self._innocents = {(one.provider, one.origin): one.reason for one in truth.innocents}

    def score(self, kind: str) -> Score:
        """The score of one kind, or of `all`."""
        happened = {key for key in self.happened if kind in ("all", key.kind)}
        told = {key for key in self.told if kind in ("all", key.kind)}
        return Score(
            kind=kind,
            true=len(happened),
            recorded=sum(self.happened[key].is_recorded for key in happened),
            found=len(happened & self.seen.keys()),
            told=len(told),
            right=len(told & happened),
            missed=_counted(self._why_missed(key) for key in happened - told),
            wrong=_counted(self._why_wrong(key) for key in told - happened),
        )

    def _why_missed(self, key: Key) -> str:
        """Why something true was not told."""
        if key in self.seen:
            return QUIET
        if not self.happened[key].is_recorded:
            return LOST
        if any(near in self.seen for near in _beside(key)):
            return NEIGHBOUR
        return OTHERWISE if _place(key) in self._places else UNSEEN

    def _why_wrong(self, key: Key) -> str:
        """What something told that is not true really was."""
        if reason := self._innocents.get((key.provider, key.origin)):
            return reason
        return NEIGHBOUR if key in self._neighbours else NOBODY


def _counted(reasons: Iterable[str]) -> dict[str, int]:
    """How often each, the most frequent first, then by name."""
    return dict(sorted(Counter(reasons).items(), key=lambda item: (-item[1], item[0])))


def _place(key: Key) -> tuple[str, str, str, str]:
    """All but the kind: who did something where on that day."""
    return key.provider, key.origin, key.target, key.day


def _beside(key: Key) -> tuple[Key, Key]:
    """The same on the day before and the day after."""
    day, one = dt.date.fromisoformat(key.day), dt.timedelta(days=1)
    return key._replace(day=(day - one).isoformat()), key._replace(day=(day + one).isoformat())


def _true_key(attack: TrueAttack) -> Key:
    return Key(attack.provider, attack.kind, attack.origin, attack.target, attack.service, attack.day)


def _found_key(attack: Found) -> Key:
    return Key(
        attack.provider, attack.kind, attack.origins[0], attack.targets[0], attack.service,
        attack.first_seen_at[:10],
    )  # fmt: skip
