"""The hidden truth: `truth/`, which only the scorer reads."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.nation.background import Innocent
from tocsin.nation.campaigns import Campaign

FOLDER = "truth"
T = TypeVar("T")


class TrueAttack(msgspec.Struct, frozen=True):
    """What one origin truly did to one target of a provider in one UTC day (`day`, as YYYY-MM-DD).

    `acts` are guesses, connections or complaints; instants are true time, RFC 3339 in UTC. `is_recorded` is
    False where the provider kept no line of it.
    """

    campaign: str
    provider: str
    kind: str
    origin: str
    target: str
    service: str
    day: str
    acts: int
    first_at: str
    last_at: str
    is_recorded: bool = True


class Truth(msgspec.Struct, frozen=True):
    """Everything that happened; `clocks` are seconds that each provider's machines were ahead."""

    campaigns: list[Campaign]
    attacks: list[TrueAttack]
    innocents: list[Innocent]
    clocks: dict[str, int]


def lines(values: Iterable[msgspec.Struct]) -> Iterator[bytes]:
    """One JSON object a line."""
    encode = msgspec.json.Encoder().encode
    for value in values:
        yield encode(value) + b"\n"


def read(folder: Path) -> Truth:
    """The truth of the nation in `folder`. Raises BadInput where there is none."""
    place = folder / FOLDER
    try:
        return Truth(
            _read(place / "campaigns.jsonl", Campaign),
            _read(place / "attacks.jsonl", TrueAttack),
            _read(place / "innocents.jsonl", Innocent),
            msgspec.json.decode((place / "clocks.json").read_bytes(), type=dict[str, int]),
        )
    except (OSError, msgspec.MsgspecError) as error:
        raise BadInput(
            f"{folder} is not a whole nation: {error}", hint="make one: tocsin simulate --out DIR"
        ) from error


def _read(path: Path, of: type[T]) -> list[T]:
    decode = msgspec.json.Decoder(of).decode
    return [decode(line) for line in path.read_bytes().splitlines()]
