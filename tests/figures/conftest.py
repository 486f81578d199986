"""A small exchange whose past is known, and no count of another test."""

import pytest
from django.core.cache import caches
from tests.cases.town import Town, build_town


@pytest.fixture
def town(db: None) -> Town:
    """Two providers in Kent, one in Essex, one in Cumbria; Kent Police has joined, the rest have not."""
    return build_town()


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """Counts and charts are kept in files: each test begins without."""
    caches["figures"].clear()
