"""Writers of every kind at once, and a reader on every cursor: nothing skipped, repeated or moved."""

from typing import Any

import pytest
from tests.cases.test_at_once import told_by

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def happened() -> dict[str, Any]:
    """What a process of its own saw: four machines that post, two members who speak, one who withdraws."""
    return told_by("tests.sharing.at_once", seconds=180)


def test_every_writer_got_through(happened: dict[str, Any]) -> None:
    """Nobody was refused, and each wrote what it meant to."""
    assert happened["raised"] == []
    assert happened["contributions"]["rows"] > 300
    assert happened["shared"]["rows"] == 1 + 2 * 25  # the marking; shared and withdrawn
    assert happened["shared"]["revoked"] == 25


@pytest.mark.parametrize("channel", ["contributions", "shared"])
def test_readers_missed_and_repeated_nothing(happened: dict[str, Any], channel: str) -> None:
    """By number and by date, three and a thousand at a time: each saw every entry once, in order."""
    found = happened[channel]
    assert found["numbered"]
    assert found["dated"]
    assert found["readers"] == [True] * 4
