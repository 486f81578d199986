"""A small exchange: units, members, people, and reports as intake would have stored them."""

import pytest
from tests.cases.town import Town, build_town


@pytest.fixture
def town(db: None) -> Town:
    """Two providers in Kent, one in Essex, one in Cumbria; Kent Police has joined, the rest have not."""
    return build_town()
