"""The table of news knows every event that the exchange records."""

import re
from pathlib import Path

import tocsin
from tocsin.notices.kinds import EVENTS, KINDS, QUIET

EVENT = re.compile(r'"((?:intake:[a-z_-]+|cases:[a-z_-]+|sharing:reader):[a-z_-]+)"')


def test_every_event_is_news_of_a_kind_or_declared_quiet() -> None:
    """Whoever records something new decides here who hears of it."""
    recorded = {
        event
        for file in Path(tocsin.__file__).parent.rglob("*.py")
        if "notices" not in file.parts
        for event in EVENT.findall(file.read_text())
    }
    assert recorded - EVENTS.keys() - QUIET == set()
    assert EVENTS.keys().isdisjoint(QUIET)


def test_every_kind_is_made_by_an_event() -> None:
    """A choice on the page that nothing ever makes would be a lie."""
    assert {kind for kinds in EVENTS.values() for kind in kinds} <= KINDS.keys()
