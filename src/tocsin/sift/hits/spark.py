"""Counting on a Spark of the provider's own, through Spark Connect: the same queries, the same answers.

Spark reads the files where they lie; what comes here is tallies, and no client. Needs the extra `spark`.
"""

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.problems import BadInput, Unreachable
from tocsin.sift.blockstore import BlockStore, opened_alone
from tocsin.sift.hits import sql
from tocsin.sift.hits.columns import recognised
from tocsin.sift.hits.counting import Counting
from tocsin.sift.hits.names import Wanted
from tocsin.sift.hits.staging import PARTED, quoted

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from tocsin.sift.tallying import Plan, Result


def tally(paths: Sequence[str], plan: "Plan", remote: str) -> "Result":
    """Count Parquet files (paths or URLs that Spark can read) and keep the tallies here.

    Counting the same paths again replaces what they gave. Raises BadInput, Unreachable.
    """
    from tocsin.sift import tallying

    if plan.url:
        raise BadInput(
            "what Spark counts is not told to an exchange", hint="leave --to out; --hours writes it down"
        )
    if not paths:
        raise BadInput("there is nothing to count", hint="name Parquet files that Spark can read")
    with opened_alone("") as store:
        store.pieces.sweep()
        run = Counting(plan.how, store, Wanted(None, None), see=plan.see)
        rows, hits, broken = count(connected(remote), paths, run, plan.mapping)
        run.connections = hits
        noise = rows - hits - broken
        return tallying.result_of(run, plan, read=rows, observed=hits, noise=noise, rejected=broken)


def connected(remote: str) -> "SparkSession":
    """A session with a Spark Connect server, its zone UTC. Raises BadInput, Unreachable."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise BadInput("the extra for Spark is not installed", hint="pip install 'tocsin[spark]'") from error
    where = urlsplit(remote.replace("sc://", "http://", 1))
    try:  # the client itself would try again for minutes
        socket.create_connection((where.hostname or "", where.port or 15002), timeout=10).close()
    except (OSError, ValueError) as error:
        raise Unreachable(
            f"no Spark Connect server answers at {remote}", hint="is it up, and is the port right?"
        ) from error
    session: SparkSession = SparkSession.builder.remote(remote).create()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    return session


def count(
    session: "SparkSession", paths: Sequence[str], run: Counting, mapping: dict[str, str] | None
) -> tuple[int, int, int]:
    """Keep the tallies of the files in the run's store; gives rows read, hits, and rows that are broken."""
    raw = session.read.parquet(*paths)
    fields = recognised(raw.columns, mapping)
    if not fields:
        raise BadInput("no column says when, or what was blocked", hint="name them with --map")
    columns = {field: f"`{column}`" for field, column in fields.items()}
    raw.createOrReplaceTempView("tocsin_raw")
    (balance,) = session.sql(sql.balance("tocsin_raw", columns)).collect()
    query = sql.tallies if run.how.with_clients else sql.hourly
    found = session.sql(query(f"({sql.raw_hits('tocsin_raw', columns)})")).toArrow()
    _keep(run, found, "spark-" + sha256_hex("\n".join(paths).encode())[:16] + "-")
    return balance["rows"], balance["hits"], balance["broken"]


def _keep(run: Counting, found: Any, mark: str) -> None:
    """Write tallies as pieces in the place of those that the same paths gave before."""
    import pyarrow.parquet

    store: BlockStore = run.store
    folder = store.pieces.aside()
    pyarrow.parquet.write_table(found, folder / "found.parquet")
    relation = f"read_parquet('{quoted(folder / 'found.parquet')}')"
    run.staging.name(f"(SELECT indicator AS value FROM {relation})")
    target = store.pieces.aside()
    run.staging.db.execute(
        "COPY (SELECT 0::UINTEGER AS source, id AS indicator, epoch(hour)::UINTEGER AS hour, hits,"
        " CASE WHEN clients > 0 THEN clients END AS clients, CAST(hour AS DATE) AS day"
        f" FROM {relation} AS found JOIN named ON named.value = found.indicator)"
        f" TO '{quoted(target)}' ({PARTED})"
    )
    placed = store.pieces.place("hours", target, mark=mark)
    store.pieces.replace(mark, placed)
