"""What `tocsin sift` found beside what truly happened: precision and recall, and what is missed."""

import datetime as dt
from collections import Counter, defaultdict
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

    `true` attacks happened, and `found` of them were seen at all; `told` is how many the tool says there are
    above the threshold (what an exchange hears of), `right` how many of those are true. `missed` counts why
    true ones were not told, `wrong` what the others really are.
    """

    kind: str
    true: int
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
    def told_recall(self) -> float:
        """The share of what happened that was told above the threshold."""
        return self.right / self.true if self.true else 1.0

    @property
    def precision(self) -> float:
        """The share of what was told above the threshold that happened."""
        return self.right / self.told if self.told else 1.0


def found(provider: str, lines: Iterable[bytes | str]) -> Iterator[Found]:
    """The lines of `tocsin sift --json` over one provider's evidence."""
    decode = msgspec.json.Decoder(Found).decode
    for line in lines:
        yield msgspec.structs.replace(decode(line), provider=provider)


def score(truth: Truth, attacks: Iterable[Found]) -> list[Score]:
    """One score for all kinds together, then one for each kind."""
    happened = {_true_key(attack): attack for attack in truth.attacks}
    seen = {_found_key(attack): attack.severity for attack in attacks}
    told = [key for key, severity in seen.items() if severity != "info"]
    neighbours = _neighbours(happened)
    acts: defaultdict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for key in seen:
        acts[key.provider, key.origin, key.target, key.day].add(key.kind)
    missed = {
        key: _why_missed(attack, key, seen, acts)
        for key, attack in happened.items()
        if seen.get(key, "info") == "info"
    }
    innocents = {(one.provider, one.origin): one.reason for one in truth.innocents}
    wrong = {
        key: innocents.get((key.provider, key.origin)) or (NEIGHBOUR if key in neighbours else NOBODY)
        for key in told
        if key not in happened
    }
    kinds = sorted({key.kind for key in happened} | {key.kind for key in told})
    whole = _score("all", set(happened), set(told), seen, missed, wrong)
    return [
        whole,
        *(_score(kind, _of(kind, happened), _of(kind, told), seen, missed, wrong) for kind in kinds),
    ]


def _score(
    kind: str, happened: set[Key], told: set[Key], seen: dict[Key, str], missed: dict[Key, str],
    wrong: dict[Key, str],
) -> Score:  # fmt: skip
    return Score(
        kind=kind,
        true=len(happened),
        found=len(happened & seen.keys()),
        told=len(told),
        right=len(told & happened),
        missed=dict(Counter(why for key, why in missed.items() if key in happened).most_common()),
        wrong=dict(Counter(why for key, why in wrong.items() if key in told).most_common()),
    )


def _why_missed(
    attack: TrueAttack,
    key: Key,
    seen: dict[Key, str],
    acts: dict[tuple[str, str, str, str], set[str]],
) -> str:
    """Why an attack was not found above the threshold."""
    if key in seen:
        return QUIET
    if not attack.is_recorded:
        return LOST
    if any(near in seen for near in _beside(key)):
        return NEIGHBOUR
    if acts.get((key.provider, key.origin, key.target, key.day)):
        return OTHERWISE
    return UNSEEN


def _of(kind: str, keys: Iterable[Key]) -> set[Key]:
    return {key for key in keys if key.kind == kind}


def _neighbours(happened: Iterable[Key]) -> set[Key]:
    return {near for key in happened for near in _beside(key)}


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
