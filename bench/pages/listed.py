"""The pages that are measured and explained, and who looks at each."""

import datetime as dt
from typing import TYPE_CHECKING

from bench.pages.beside import KEY, PREFIX, TOKEN

if TYPE_CHECKING:
    from bench.pages.store import Store

BEARER = f"Bearer tocsin_{PREFIX}_{KEY}"


def pages(store: "Store") -> list[tuple[str, str, str]]:
    """Who looks at what: person, words, address."""
    kents = 12 * (store.cases // 24)
    since = (store.now - dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    report = next(pk for _, pk in store.numbered() if store.member(0, pk) == store.members[0])
    address = store.origin(kents)
    return [
        ("rita", "reporter: home", "/reports"),
        ("rita", "reporter: list", "/reports/all"),
        ("rita", "reporter: list, waiting", "/reports/all?state=waiting"),
        ("rita", "reporter: list, an address", f"/reports/all?q={address}"),
        ("rita", "reporter: list, a word", "/reports/all?q=phishing"),
        ("rita", "reporter: one report", f"/reports/report_{report:012}"),
        ("olive", "officer: queue", "/queue"),
        ("olive", "officer: queue, overdue", "/queue?group=overdue"),
        ("olive", "officer: queue, last page", "/queue?page=9999"),
        ("olive", "officer: queue, a word", "/queue?q=ssh"),
        ("olive", "officer: queue, an address", f"/queue?q={address}"),
        ("olive", "officer: groups", "/queue/below"),
        ("olive", "officer: link review", "/links"),
        ("olive", "officer: a small case", f"/cases/case_{kents:012}"),
        ("olive", "officer: the largest case", f"/cases/case_{0:012}"),
        ("olive", "officer: its last reports", f"/cases/case_{0:012}?reports=9999"),
        ("olive", "officer: its form", f"/cases/case_{0:012}/forms/crime-record"),
        ("saul", "supervisor: queue", "/queue"),
        ("saul", "supervisor: team", "/team"),
        ("saul", "supervisor: weights", "/queue/weights"),
        ("saul", "supervisor: administration", "/administration"),
        ("adam", "administrator", "/administration"),
        ("opal", "operator: administration", "/administration"),
        ("cora", "coordinator: where is silence", "/coordination"),
        ("cora", "coordinator: the whole country", "/coordination/nation"),
        ("", "officer by link: a case", f"/link/{TOKEN}"),
        ("", "guest: a room", f"/room/{TOKEN}"),
        ("rita", "notices", "/notices"),
        ("rita", "account", "/account"),
        ("olive", "figures", "/figures"),
        ("olive", "journal", "/journal"),
        ("rita", "network", "/network"),
        ("rita", "network: by class of attack", "/network/classes"),
        ("rita", "indicator", f"/indicators/indicator_{0:012}"),
        ("rita", "spreading", "/network/spreading"),
        ("rita", "communities", "/communities"),
        ("rita", "source: one's own", "/network/source"),
        ("cora", "sources: whose name was asked for", "/sources"),
        ("rita", "resolvers: a member's", "/network/resolvers"),
        ("cora", "resolvers: everybody's", "/network/resolvers"),
        ("key", "API: reports", "/api/v1/reports"),
        ("key", "API: reports since", f"/api/v1/reports?updated_since={since}"),
        ("key", "API: one report", f"/api/v1/reports/report_{report:012}"),
        ("key", "API: journal", "/api/v1/journal/head"),
        ("", "start", "/"),
    ]
