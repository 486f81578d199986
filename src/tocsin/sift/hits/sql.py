"""The queries that count hits: one text for DuckDB and for Spark, made over any relation.

Only what both engines answer alike is used: always `NULLS LAST`, neither `//` nor `div`, explicit casts,
instants as seconds since 1970. A relation is a table's name or a query in brackets.
"""

HOUR = 3600
# BIND's policies, then Unbound's actions, PowerDNS's policy kinds, and what exports call a block.
STOPPED = (
    "nxdomain", "nodata", "drop", "local-data", "cname",
    "rpz-nxdomain", "rpz-nodata", "rpz-drop", "rpz-local-data", "rpz-cname-override",
    "custom", "deny", "denied", "refused", "block", "blocked", "sinkhole", "sinkholed", "reject", "rejected",
)  # fmt: skip


def tallies(hits: str) -> str:
    """Hourly hits and exact distinct clients: `indicator`, `hour`, `hits`, `clients`.

    `hits` has `indicator`, `hour`, `client` and `hits`, with as many rows for the same three as there are
    pieces. Grouping twice is exact and, at many small groups, cheaper than `count(DISTINCT client)`.
    """
    return (
        "SELECT indicator, hour, CAST(sum(hits) AS BIGINT) AS hits, CAST(count(client) AS BIGINT) AS clients"  # noqa: S608
        f" FROM ({pairs(hits)}) AS pairs GROUP BY indicator, hour"
    )


def pairs(hits: str) -> str:
    """The first of the two levels, in itself a relation of hits: pieces merge in any order, any number."""
    return (
        "SELECT indicator, hour, client, CAST(sum(hits) AS BIGINT) AS hits"  # noqa: S608
        f" FROM {hits} AS pieces GROUP BY indicator, hour, client"
    )


def hourly(hits: str) -> str:
    """Hourly hits alone: `indicator`, `hour`, `hits`, and no clients."""
    return (
        "SELECT indicator, hour, CAST(sum(hits) AS BIGINT) AS hits, CAST(NULL AS BIGINT) AS clients"  # noqa: S608
        f" FROM {hits} AS pieces GROUP BY indicator, hour"
    )


def top(tallied: str, count: int) -> str:
    """The indicators with most hits: hits, in how many hours, most clients in one of these."""
    return (
        "SELECT indicator, CAST(sum(hits) AS BIGINT) AS hits, CAST(count(*) AS BIGINT) AS hours,"  # noqa: S608
        f" CAST(max(clients) AS BIGINT) AS clients FROM {tallied} AS tallied GROUP BY indicator"
        f" ORDER BY hits DESC NULLS LAST, indicator ASC NULLS LAST LIMIT {count:d}"
    )


def raw_hits(raw: str, columns: dict[str, str]) -> str:
    """Hits as rows of any export show them; `columns` name its `time` (an instant), `client`, `indicator`
    and, where there is one, `action`.

    Rows without a time or an indicator, and actions that stopped nobody, are left out.
    """
    stopped = ""
    if "action" in columns:
        words = ", ".join(f"'{word}'" for word in STOPPED)
        stopped = f" AND lower(CAST({columns['action']} AS STRING)) IN ({words})"
    client = f"lower(CAST({columns['client']} AS STRING))" if "client" in columns else "CAST(NULL AS STRING)"
    name = f"lower(CAST({columns['indicator']} AS STRING))"
    short = f"CASE WHEN {name} LIKE '%.' THEN substr({name}, 1, length({name}) - 1) ELSE {name} END"
    second = f"CAST(floor(CAST({epoch_of(columns['time'])} AS DOUBLE) / {HOUR}) AS BIGINT) * {HOUR}"
    return (
        f"SELECT {short} AS indicator, {second} AS hour, {client} AS client, CAST(1 AS BIGINT) AS hits"  # noqa: S608
        f" FROM {raw} AS raw WHERE {columns['time']} IS NOT NULL AND {columns['indicator']} IS NOT NULL{stopped}"
    )


def epoch_of(instant: str) -> str:
    """Seconds since 1970 of an instant, as both engines give them."""
    return f"extract(EPOCH FROM CAST({instant} AS TIMESTAMP))"
