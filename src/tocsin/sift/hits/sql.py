"""The queries that count hits: one text for DuckDB and for Spark, made over any relation.

Only what both engines answer alike is used: always `NULLS LAST`, neither `//` nor `div`, explicit casts, UTC
as the session's zone. A relation is a table's name or a query in brackets.
"""

HOUR = 3600  # seconds
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
        "SELECT indicator, hour, CAST(sum(hits) AS BIGINT) AS hits, CAST(count(client) AS BIGINT) AS clients"
        f" FROM ({pairs(hits)}) AS pairs GROUP BY indicator, hour"
    )


def pairs(hits: str) -> str:
    """The first of the two levels, in itself a relation of hits: pieces merge in any order, any number."""
    return (
        "SELECT indicator, hour, client, CAST(sum(hits) AS BIGINT) AS hits"
        f" FROM {hits} AS pieces GROUP BY indicator, hour, client"
    )


def hourly(hits: str) -> str:
    """Hourly hits alone: `indicator`, `hour`, `hits`, and no clients."""
    return (
        "SELECT indicator, hour, CAST(sum(hits) AS BIGINT) AS hits, CAST(NULL AS BIGINT) AS clients"
        f" FROM {hits} AS pieces GROUP BY indicator, hour"
    )


def top(tallied: str, count: int) -> str:
    """The indicators with most hits: hits, in how many hours, most clients in one of these."""
    return (
        "SELECT indicator, CAST(sum(hits) AS BIGINT) AS hits, CAST(count(*) AS BIGINT) AS hours,"
        f" CAST(max(clients) AS BIGINT) AS clients FROM {tallied} AS tallied GROUP BY indicator"
        f" ORDER BY hits DESC NULLS LAST, indicator ASC NULLS LAST LIMIT {count:d}"
    )


def raw_hits(raw: str, columns: dict[str, str]) -> str:
    """Hits as rows of any export show them; `columns` name its `time` (an instant), `client`, `indicator`
    and, where there is one, `action`.

    `hour` is an instant. Rows without a time or an indicator, and actions that stopped nobody, are left out.
    """
    client = f"lower(CAST({columns['client']} AS STRING))" if "client" in columns else "CAST(NULL AS STRING)"
    name = f"lower(CAST({columns['indicator']} AS STRING))"
    short = f"CASE WHEN {name} LIKE '%.' THEN substr({name}, 1, length({name}) - 1) ELSE {name} END"
    hour = f"date_trunc('hour', CAST({columns['time']} AS TIMESTAMP))"
    return (
        f"SELECT {short} AS indicator, {hour} AS hour, {client} AS client, CAST(1 AS BIGINT) AS hits"
        f" FROM {raw} AS raw WHERE NOT ({is_broken(columns)}) AND {is_stopped(columns)}"
    )


def balance(raw: str, columns: dict[str, str]) -> str:
    """One row: how many rows there are, how many are hits, how many lack a time or an indicator."""
    broken, stopped = is_broken(columns), is_stopped(columns)
    return (
        "SELECT CAST(count(*) AS BIGINT) AS rows,"
        f" CAST(count(CASE WHEN NOT ({broken}) AND {stopped} THEN 1 END) AS BIGINT) AS hits,"
        f" CAST(count(CASE WHEN {broken} THEN 1 END) AS BIGINT) AS broken FROM {raw} AS raw"
    )


def is_broken(columns: dict[str, str]) -> str:
    """Whether a row lacks its time or its indicator."""
    name = f"CAST({columns['indicator']} AS STRING)"
    return f"{columns['time']} IS NULL OR coalesce({name}, '') = ''"


def is_stopped(columns: dict[str, str]) -> str:
    """Whether a row's action stopped somebody; all do where there is no such column."""
    if "action" not in columns:
        return "TRUE"
    words = ", ".join(f"'{word}'" for word in STOPPED)
    return f"coalesce(lower(CAST({columns['action']} AS STRING)), '') IN ({words})"
