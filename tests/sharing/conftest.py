"""Members who report."""

import pytest
from tests.sharing.street import Street


@pytest.fixture
def street(db: None) -> Street:
    """A street where nobody has reported anything yet."""
    return Street()
