"""Spark Connect answers to the row what DuckDB answers: Sail stands for Spark, its workers apart."""

import datetime as dt
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.kernel.problems import BadInput, Unreachable
from tocsin.sift import tallying
from tocsin.sift.hits import spark, sql

pytest.importorskip("pysail", reason="Sail is not installed")
pytest.importorskip("pyspark", reason="the extra for Spark is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # of the client's own libraries

SERVER = """
from pysail.spark import SparkConnectServer
server = SparkConnectServer("127.0.0.1", 0)
server.start(background=True)
print("port", server.listening_address[1], flush=True)
input()
"""
COLUMNS = {"time": "`time`", "client": "`client`", "indicator": "`name`", "action": "`action`"}
ROWS = 1_000_000


@pytest.fixture(scope="module")
def remote() -> Iterator[str]:
    """The address of a server in local-cluster mode: a driver, and workers that it talks to."""
    environment = {**os.environ, "SAIL_MODE": "local-cluster", "RUST_LOG": "error"}
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout
    found = next(match for line in process.stdout if (match := re.match(r"port (\d+)", line)))
    yield f"sc://127.0.0.1:{found[1]}"
    process.communicate("\n", timeout=30)


def both(remote: str, query: str, file: Path) -> tuple[list[Any], list[Any]]:
    """The rows of Spark and of DuckDB, in one order."""
    session = spark.connected(remote)
    session.read.parquet(str(file)).createOrReplaceTempView("hits_of_test")
    theirs = session.sql(query).toArrow().to_pylist()
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    db.execute(f"CREATE VIEW hits_of_test AS FROM '{file}'")
    cursor = db.execute(query.replace("`", '"'))
    names = [column[0] for column in cursor.description]
    ours = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [_plain(theirs), _plain(ours)]  # type: ignore[return-value]


def _plain(rows: list[dict[str, Any]]) -> list[Any]:
    def value(one: Any) -> Any:
        return one.replace(tzinfo=dt.UTC).timestamp() if isinstance(one, dt.datetime) else one

    return sorted((tuple(map(value, row.values())) for row in rows), key=repr)


HIT = st.tuples(
    st.one_of(st.none(), st.integers(1_795_136_400, 1_795_136_400 + 3 * 86_400)),
    st.one_of(st.none(), st.sampled_from(["192.0.2.1", "2001:DB8::1", "2001:db8::1", ""])),
    st.one_of(st.none(), st.sampled_from(["bad.top", "Bad.top.", ".", "", "198.51.100.7", "ünï.example"])),
    st.one_of(st.none(), st.sampled_from(["nxdomain", "DROP", "passthru", ""])),
)


def written(file: Path, hits: list[Any]) -> Path:
    columns = [list(column) for column in zip(*hits, strict=True)]
    duckdb.connect().execute(
        "COPY (SELECT to_timestamp(a) AS time, b AS client, c AS name, d AS action FROM (SELECT"
        " unnest(?::BIGINT[]) AS a, unnest(?::VARCHAR[]) AS b,"
        " unnest(?::VARCHAR[]) AS c, unnest(?::VARCHAR[]) AS d))"
        f" TO '{file}' (FORMAT parquet)",
        columns,
    )
    return file


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hits=st.lists(HIT, min_size=1, max_size=40))
def test_small_sets_are_equal_to_the_row(hits: list[Any], remote: str, tmp_path: Path) -> None:
    """Nulls, empty text, names in both cases: every query gives the same on both."""
    file = written(tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet", hits)
    raw = f"({sql.raw_hits('hits_of_test', COLUMNS)})"
    for query in (
        sql.balance("hits_of_test", COLUMNS), sql.tallies(raw), sql.pairs(raw), sql.hourly(raw),
        sql.top(f"({sql.tallies(raw)})", 3),
    ):  # fmt: skip
        theirs, ours = both(remote, query, file)
        assert theirs == ours, query


def million(file: Path) -> Path:
    duckdb.connect().execute(
        f"COPY (SELECT to_timestamp(1795136400 + (hash(i) % 260000)::BIGINT) AS time,"
        f" '10.' || (hash(i * 3) % 7) || '.' || (hash(i * 5) % 250) || '.' || (hash(i * 7) % 200) AS client,"
        f" 'n' || (sqrt((hash(i * 11) % 4000000)::DOUBLE))::INTEGER || '.top' AS name, 'drop' AS action"
        f" FROM range({ROWS}) AS t(i)) TO '{file}' (FORMAT parquet)"
    )
    return file


def test_a_million_hits_are_counted_alike_by_both_engines(
    remote: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way: what `tocsin tally` keeps of the same file, here and by Spark, and by Spark again."""
    file = million(tmp_path / "million.parquet")
    found = []
    for name in ("here", "spark"):
        monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / name))
        out = tmp_path / f"{name}.csv"
        plan = tallying.Plan(is_here=True, hours_file=out, keep_clients=3650)
        if name == "here":
            result = tallying.tally([file], plan, "", say=lambda _: None)
        else:
            spark.tally([str(file)], plan, remote)
            result = spark.tally([str(file)], plan, remote)
        assert (result.read, result.observed, result.rejected) == (ROWS, ROWS, 0)
        found.append(out.read_text())
    assert found[0] == found[1]
    assert len(found[0].splitlines()) > 100_000


def test_a_server_that_is_not_there_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In words, with what to look at; and an exchange cannot be told what Spark counted."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path))
    with pytest.raises(BadInput, match="not told"):
        spark.tally(["x"], tallying.Plan(url="https://exchange.example"), "sc://127.0.0.1:1")
    with pytest.raises(Unreachable, match="no Spark Connect server"):
        spark.connected("sc://127.0.0.1:1/;token=")
