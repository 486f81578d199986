"""No page reads a large table from end to end, or asks more questions the more there is."""

import pytest
from bench.pages.listed import pages
from bench.pages.plans import planned
from bench.pages.store import Store

from tocsin.cases import terms

pytestmark = [pytest.mark.django_db, pytest.mark.database]

MOST_QUERIES = 50
# Sums over the whole exchange: where they are large, counted once a minute and said with their instant.
COUNTED = {
    "coordinator: the whole country",
    "coordinator: where is silence",
    "figures",
    "start",
}


def test_no_page_reads_a_large_table_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a store of some thousand reports every page's plans go by indexes, on the engine in use."""
    monkeypatch.setattr(terms, "LOOKED_THROUGH", 50)  # as small a part of this store as it is of a large one
    store = Store(3_000, 300)
    store.build()
    found = []
    for person, words, address in pages(store):
        queries = planned(store.people.get(person), address, by_key=person == "key")
        assert len(queries) <= MOST_QUERIES, words
        if words not in COUNTED:
            found += [f"{words}: {one.whole} in {one.statement[:300]}" for one in queries if one.whole]
    assert not found, "\n".join(found)
