"""A small nation, made and sifted once for all who judge it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tocsin.nation import making, scoring, truth
from tocsin.nation.shape import Shape
from tocsin.sift import engine
from tocsin.sift.values import Sifted

SMALL = Shape(seed=20, providers=8, forces=5, days=7)


@dataclass
class Nation:
    """Where it lies, what it says of itself, and what sifting makes of each member's evidence."""

    folder: Path
    summary: making.Summary
    members: list[dict[str, Any]]
    sifted: dict[str, Sifted]

    @property
    def truth(self) -> truth.Truth:
        """What happened."""
        return truth.read(self.folder)

    @property
    def found(self) -> list[scoring.Found]:
        """Everything that sifting found, member by member."""
        return [
            scoring.Found(a.kind, a.origins, a.targets, a.service, a.first_seen_at, a.severity, key)
            for key, sifted in self.sifted.items()
            for a in sifted.attacks
        ]


@pytest.fixture(scope="session")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Nation:
    """Eight providers, five forces, a week."""
    folder = tmp_path_factory.mktemp("nation") / "small"
    summary = making.simulate(SMALL, folder)
    members = json.loads((folder / "members.json").read_bytes())
    sifted = {
        member["key"]: engine.sift(
            [str(folder / "evidence" / member["key"])],
            engine.Options(tz=member["time_zone"], networks=tuple(member["networks"])),
        )
        for member in members
    }
    return Nation(folder, summary, members, sifted)
