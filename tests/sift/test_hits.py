"""Hits of any make: the same however they are split, and never more of a client than that there is one."""

import datetime as dt
import gzip
import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.sift import blockstore, tallying
from tocsin.sift.hits import clients, staging
from tocsin.sift.hits.columns import mapping_of, recognised

HOUR = int(dt.datetime(2026, 11, 20, 1, tzinfo=dt.UTC).timestamp())
Hit = tuple[int, str, str]  # second, client, name
FOLDERS = itertools.count()
FUNCTIONS = clients.tables(b"k" * 32)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A store of the test's own."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "edge"))
    return tmp_path


def anew(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Another store, with nothing in it."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(folder / f"edge{next(FOLDERS)}"))


def csv(file: Path, hits: list[Hit]) -> Path:
    lines = [
        f"{dt.datetime.fromtimestamp(at, dt.UTC):%Y-%m-%dT%H:%M:%SZ},{who},{name}" for at, who, name in hits
    ]
    file.write_text("\n".join(["time,client,name", *lines]) + "\n")
    return file


def ndjson(file: Path, hits: list[Hit]) -> Path:
    rows = [{"ts": at, "src_ip": who, "dns": {"rrname": name}} for at, who, name in hits]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def parquet(file: Path, hits: list[Hit]) -> Path:
    at, who, name = [list(column) for column in zip(*hits, strict=True)]
    duckdb.connect().execute(
        f"COPY (SELECT to_timestamp(a) AS time, b AS client, c AS name FROM"
        f" (SELECT unnest(?::BIGINT[]) AS a, unnest(?::VARCHAR[]) AS b, unnest(?::VARCHAR[]) AS c))"
        f" TO '{file}' (FORMAT parquet)",
        [at, who, name],
    )
    return file


def run(*paths: Path, **changes: object) -> tallying.Result:
    plan = tallying.Plan(**{"tz": "UTC", "is_here": True, "keep_clients": 3650, **changes})  # type: ignore[arg-type]
    return tallying.tally(paths, plan, "", say=lambda _: None)


def tallied(folder: Path) -> dict[tuple[str, int], tuple[int, int | None]]:
    """Everything the store holds: (indicator, hour) to hits and clients."""
    out = folder / f"out{next(FOLDERS)}.parquet"
    run(hours_file=out)
    rows = (
        duckdb.connect()
        .execute(f"SELECT indicator, epoch(hour)::BIGINT, hits, clients FROM '{out}'")
        .fetchall()
    )
    return {(name, hour): (hits, count) for name, hour, hits, count in rows}


def expected(hits: list[Hit]) -> dict[tuple[str, int], tuple[int, int]]:
    """Counted in the plainest way."""
    found: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for at, who, name in hits:
        found[name, at // 3600 * 3600].append(who)
    return {key: (len(who), len(set(who))) for key, who in found.items()}


NAMES = st.sampled_from(["bad.top", "login.bad.top", "198.51.100.7"])
WHO = st.sampled_from(["192.0.2.1", "192.0.2.2", "203.0.113.77", "2001:db8::1", "2001:db8::2", "box-17"])
HITS = st.lists(st.tuples(st.integers(HOUR, HOUR + 3 * 86_400), WHO, NAMES), min_size=1, max_size=30)


@settings(
    max_examples=100 if os.environ.get("TOCSIN_SOAK") else 6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(hits=HITS, cut=st.integers(0, 30), order=st.randoms(use_true_random=False))
def test_any_split_and_order_twice_is_the_same(
    hits: list[Hit], cut: int, order: random.Random, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However hits are divided into files, formats and runs, and however often these are named."""
    anew(monkeypatch, tmp_path)
    shuffled = list(hits)
    order.shuffle(shuffled)
    parts = [part for part in (shuffled[:cut], shuffled[cut:]) if part]
    folder = tmp_path / f"in{next(FOLDERS)}"
    folder.mkdir()
    files = [
        order.choice([csv, ndjson, parquet])(folder / f"{number}.hits", part)
        for number, part in enumerate(parts)
    ]
    for file in files:
        run(file)
    again = run(*files)
    assert (again.connections, again.duplicate) == (0, again.read)
    assert tallied(tmp_path) == expected(hits)


def test_many_runs_are_merged_and_stay_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More pieces of a day than are kept apart: one client in all of them is still one."""
    hits = [(HOUR + number, f"192.0.2.{number % 3}", "bad.top") for number in range(6)]
    monkeypatch.setattr(staging, "MERGE_FROM", 3)
    for number, hit in enumerate(hits):
        run(csv(tmp_path / f"{number}.csv", [hit]))
    assert tallied(tmp_path) == expected(hits)
    with blockstore.opened("") as store:
        assert len(store.pieces.paths(("clients",))["clients"]) < 4


def test_one_client_spelled_in_many_ways_is_one(tmp_path: Path) -> None:
    """IPv6 in any spelling, and IPv4 inside of it."""
    said = ["2001:db8::1", "2001:DB8:0:0::1", "192.0.2.1", "::ffff:192.0.2.1", " 192.0.2.1", "BOX", "box"]
    run(csv(tmp_path / "a.csv", [(HOUR, who, "bad.top") for who in said]))
    assert tallied(tmp_path) == {("bad.top", HOUR): (7, 3)}


def test_hits_of_nobody_leave_the_clients_unknown(tmp_path: Path) -> None:
    """A number of clients that left some out would be no number."""
    run(
        csv(
            tmp_path / "a.csv",
            [(HOUR, "192.0.2.1", "bad.top"), (HOUR, "", "bad.top"), (HOUR, "", "worse.top")],
        )
    )
    assert tallied(tmp_path) == {("bad.top", HOUR): (2, None), ("worse.top", HOUR): (1, None)}


def test_no_client_is_in_the_store(tmp_path: Path) -> None:
    """Neither as text nor as a number: only ids, which another key would not give."""
    run(csv(tmp_path / "a.csv", [(HOUR, "192.0.2.1", "bad.top"), (HOUR, "2001:db8::1", "bad.top")]))
    with blockstore.opened("") as store:
        paths = [path for found in store.pieces.paths(("clients", "others")).values() for path in found]
    told = {
        str(row[0])
        for path in paths
        for row in duckdb.connect().execute(f"SELECT client FROM '{path}'").fetchall()
    }
    assert len(told) == 2
    assert not told & {str(0xC0000201), "192.0.2.1", "2001:db8::1"}


def test_clients_expire_and_tallies_stay(tmp_path: Path) -> None:
    """After the days they are kept for, ids and key are gone; what comes late has hits without clients."""
    long_ago = HOUR - 100 * 86_400
    run(
        csv(tmp_path / "a.csv", [(long_ago, "192.0.2.1", "bad.top"), (HOUR, "192.0.2.1", "bad.top")]),
        keep_clients=60,
    )
    found = tallied(tmp_path)
    assert found == {("bad.top", long_ago): (1, 1), ("bad.top", HOUR): (1, 1)}
    with blockstore.opened("") as store:
        assert len(store.pieces.paths(("clients",))["clients"]) == 1
        periods = {period for (period,) in store.db.execute("SELECT period FROM client_key")}
    assert clients.period_of(long_ago // 86_400) not in periods
    run(csv(tmp_path / "b.csv", [(long_ago, "192.0.2.2", "bad.top")]), keep_clients=60)
    assert tallied(tmp_path)["bad.top", long_ago] == (2, None)


def test_few_clients_are_shown_to_nobody_else(tmp_path: Path) -> None:
    """Fewer than five are left out, unless it is for oneself."""
    file = csv(tmp_path / "a.csv", [(HOUR, f"192.0.2.{n}", "bad.top") for n in range(4)])
    assert [top.clients for top in run(file, is_here=False).top] == [None]
    assert [top.clients for top in run(is_here=True).top] == [4]
    run(csv(tmp_path / "b.csv", [(HOUR, "192.0.2.9", "bad.top")]))
    assert [top.clients for top in run(is_here=False).top] == [5]


def test_bad_rows_are_counted_and_kept_with_their_reason(home: Path) -> None:
    """Whatever the format: read is always blocks, noise, duplicates and rejected."""
    (home / "a.csv").write_text(
        "time,client,name,action\n2026-11-20T01:00:00Z,192.0.2.1,bad.top,nxdomain\n"
        "2026-11-20T01:00:00Z,192.0.2.1,bad.top,passthru\n,192.0.2.1,bad.top,drop\n"
        "2026-11-20T01:00:00Z,192.0.2.1,,drop\nyesterday,192.0.2.1,bad.top,drop\ntoo,few\n"
        '2026-11-20T01:00:00Z,"192.0.2.1,bad.top,drop\n2199-01-01T01:00:00Z,192.0.2.1,bad.top,drop\n'
    )
    (home / "b.json").write_text('{"time": 1795136400, "name": "bad.top"}\n{"time": 1\n[]\n')
    duckdb.connect().execute(
        f"COPY (SELECT * FROM (VALUES (TIMESTAMP '2026-11-20 01:00:00', 'bad.top'), (NULL, 'bad.top'),"
        " (TIMESTAMP '2026-11-20 01:00:00', ''), (TIMESTAMP '1970-01-01 01:00:00', 'bad.top'))"
        " AS t(time, name))"
        f" TO '{home / 'c.parquet'}' (FORMAT parquet)"
    )
    (home / "d.parquet").write_bytes(b"PAR1" + b"\0" * 100)
    (home / "e.csv").write_text("a,b\n1,2\n")
    result = run(*(home / name for name in ("a.csv", "b.json", "c.parquet", "d.parquet", "e.csv")))
    assert (result.observed, result.noise, result.rejected) == (3, 2, 13)
    assert result.read == 18
    kept = (home / "edge" / "tally" / "tally-rejected").read_text().splitlines()
    assert len(kept) == 13
    assert any("c.parquet\t2\ta row without a time" in line for line in kept)


def test_a_file_that_breaks_off_inside_stops_no_other(home: Path) -> None:
    """One whose clients cannot be unpacked, in the same batch as a good one; mended, it counts."""
    hits = [(HOUR, f"192.0.{n >> 8}.{n & 255}", "bad.top") for n in range(5_000)]
    good, bad = parquet(home / "a.parquet", hits[:1]), parquet(home / "b.parquet", hits)
    whole = bad.read_bytes()
    start, length = _client_chunk(bad)
    bad.write_bytes(whole[: start + 30] + b"\xff" * (length - 40) + whole[start + length - 10 :])
    result = run(good, bad)
    assert (result.connections, result.rejected) == (1, 1)
    bad.write_bytes(whole)
    assert run(good, bad).connections == 5_000


def test_copies_in_one_run_count_once(home: Path) -> None:
    """Also while the digest of the first is still being worked out; files that only begin alike all count."""
    hits = [(HOUR, f"192.0.{n >> 8}.{n & 255}", "bad.top") for n in range(5_000)]
    one, other = parquet(home / "a.parquet", hits), parquet(home / "c.parquet", hits[::-1])
    copy = home / "b.parquet"
    copy.write_bytes(one.read_bytes())
    alike = home / "d.parquet"
    alike.write_bytes(other.read_bytes() + b"PAR1")
    result = run(one, copy, other)
    assert (result.connections, result.duplicate) == (10_000, 5_000)
    assert run(copy, other).connections == 0
    assert run(alike).rejected == 1


@pytest.mark.parametrize("broken", ["NULL, 'bad.top'", "TIMESTAMP '2026-11-20 02:00:00', ''",
                                    "TIMESTAMP '2026-11-20 02:00:00', NULL",
                                    "TIMESTAMP '2199-01-01 00:00:00', 'bad.top'",
                                    "TIMESTAMP 'infinity', 'bad.top'"])  # fmt: skip
def test_one_broken_row_among_many_is_found(home: Path, broken: str) -> None:
    """A file whose statistics say that all is well is not looked over; of any other each row is."""
    duckdb.connect().execute(
        "COPY (SELECT TIMESTAMP '2026-11-20 01:00:00' AS time, 'bad.top' AS name FROM range(200000)"
        f" UNION ALL SELECT {broken}) TO '{home / 'a.parquet'}' (FORMAT parquet)"
    )
    result = run(home / "a.parquet")
    assert (result.observed, result.rejected) == (200_000, 1)


def _client_chunk(file: Path) -> tuple[int, int]:
    """Where the column of clients begins in a Parquet file, and its length."""
    with duckdb.connect() as database:
        start, length = database.execute(
            "SELECT least(data_page_offset, coalesce(dictionary_page_offset, data_page_offset)),"
            f" total_compressed_size FROM parquet_metadata('{file}') WHERE path_in_schema = 'client'"
        ).fetchone() or (0, 0)
    return int(start), int(length)


def test_packed_files_and_their_plain_copies_are_one(home: Path) -> None:
    """An export counts once, packed or not, wherever it lies."""
    plain = csv(home / "a.csv", [(HOUR, "192.0.2.1", "bad.top")])
    run(plain)
    packed = home / "b.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert run(packed).connections == 0
    assert tallied(home) == {("bad.top", HOUR): (1, 1)}


def test_an_export_that_grows_is_counted_on(home: Path) -> None:
    """Its header stands only above the first rows."""
    file = csv(home / "a.csv", [(HOUR, "192.0.2.1", "bad.top")])
    run(file)
    csv(file, [(HOUR, "192.0.2.1", "bad.top"), (HOUR + 1, "192.0.2.2", "bad.top")])
    grown = run(file)
    assert (grown.connections, grown.duplicate) == (1, 2)
    assert tallied(home) == {("bad.top", HOUR): (2, 2)}


def test_columns_of_any_name_can_be_mapped(home: Path) -> None:
    """By `--map`; without it a file whose columns say nothing is refused with its reason."""
    file = home / "a.csv"
    file.write_text("w;x;y\n20/11/2026 01:10:00;192.0.2.1;bad.top\n".replace("20/11/2026", "2026-11-20"))
    assert run(file).rejected == 1
    assert run(file, mapping=mapping_of("time=w,client=x,indicator=y")).connections == 1


def test_half_hour_zones_fall_into_their_hour(home: Path) -> None:
    """10:45 in India is 05:15 UTC."""
    file = home / "a.csv"
    file.write_text("time,name\n2026-11-20 10:45:00,bad.top\n")
    run(file, tz="Asia/Kolkata")
    assert list(tallied(home)) == [("bad.top", HOUR + 4 * 3600)]


def test_hits_alone_are_the_same_without_clients(home: Path) -> None:
    """`--no-clients` counts hits alike and keeps nothing of clients."""
    hits = [(HOUR + n * 977, f"192.0.2.{n % 7}", f"bad{n % 3}.top") for n in range(50)]
    run(parquet(home / "a.parquet", hits), with_clients=False)
    assert tallied(home) == {key: (count, None) for key, (count, _) in expected(hits).items()}
    with blockstore.opened("") as store:
        assert not any(store.pieces.paths(("clients", "others")).values())


def test_what_does_not_fit_into_memory_has_a_place_beside_the_store(home: Path) -> None:
    """Also in a run that only looks, which has put nothing aside itself."""
    with blockstore.opened("") as store:
        db = staging.connected(store.pieces)
        place = db.execute("SELECT current_setting('temp_directory')").fetchone()
        assert place
        assert Path(place[0]).parent.is_dir()


def test_numbers_as_clients_are_addresses(home: Path) -> None:
    """An unsigned column of 32 bits is an IPv4 address, the same as its text."""
    duckdb.connect().execute(
        f"COPY (SELECT {HOUR}::BIGINT AS time, unnest([3221225985, 3221225986])::UINTEGER AS client,"
        " 'bad.top' AS name)"
        f" TO '{home / 'a.parquet'}' (FORMAT parquet)"
    )
    run(home / "a.parquet", csv(home / "b.csv", [(HOUR, "192.0.2.1", "bad.top")]))
    assert tallied(home) == {("bad.top", HOUR): (3, 2)}


@settings(max_examples=20, deadline=None)
@given(addresses=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=50, unique=True))
def test_ids_are_different_for_different_addresses(addresses: list[int]) -> None:
    """A permutation: as many ids as addresses; SQL and Python agree; another key gives others."""
    functions = FUNCTIONS
    ids = [clients.scramble(address, functions) for address in addresses]
    assert len(set(ids)) == len(addresses)
    assert max(ids) < 2**32


def test_sql_scrambles_as_python_does() -> None:
    """One permutation, written twice."""
    functions = FUNCTIONS
    db = duckdb.connect()
    db.execute(
        "CREATE TABLE rounds AS SELECT ?::UINTEGER[] AS f0, ?::UINTEGER[] AS f1, ?::UINTEGER[] AS f2",
        [list(function) for function in functions],
    )
    said = ["192.0.2.1", "0.0.0.0", "255.255.255.255", "10.20.30.40"]
    query = f"SELECT unnest({said!r}) AS client"
    found = db.execute(f"SELECT client FROM ({clients.scrambled(clients.address_of(query))})").fetchall()
    numbers = [int.from_bytes(map(int, text.split("."))) for text in said]
    assert sorted(row[0] for row in found) == sorted(
        clients.scramble(number, functions) for number in numbers
    )


@pytest.mark.parametrize(
    "text",
    [
        "01.2.3.4",
        "1.2.3",
        "1.2.3.4.5",
        " 1.2.3.4",
        "1.2.3.256",
        "+1.2.3.4",
        "1e1.2.3.4",
        "::1",
        "",
        "a.b.c.d",
    ],
)
def test_only_one_spelling_is_an_address(text: str) -> None:
    """Everything else takes the slow way, so that it is not counted apart."""
    db = duckdb.connect()
    query = "SELECT ?::VARCHAR AS client"
    assert db.execute(f"SELECT client FROM ({clients.address_of(query)})", [text]).fetchone() == (None,)
    assert db.execute(f"SELECT {clients.is_other('client')} FROM ({query})", [text]).fetchone() == (True,)
    assert db.execute(f"SELECT {clients.is_other('client')} FROM ({query})", ["1.2.3.4"]).fetchone() == (
        False,
    )


def test_columns_are_known_by_their_usual_names() -> None:
    """The first usual name wins; without a time or an indicator nothing is known."""
    assert recognised(["TS", "Client_IP", "QName", "verdict"]) == {
        "time": "TS", "client": "Client_IP", "indicator": "QName", "action": "verdict",
    }  # fmt: skip
    assert recognised(["time", "client"]) is None


KILLED = """
import os, sys
from pathlib import Path
from tocsin.sift import tallying
from tocsin.sift.hits import counting
counting.BATCH_ROWS = 1
tallying.tally([Path(sys.argv[1])], tallying.Plan(tz="UTC", keep_clients=3650), "", print)
print("done", flush=True)
"""


def test_killed_at_any_point_nothing_is_lost_or_doubled(home: Path) -> None:
    """kill -9 while files are counted one by one, again and again; the last run goes through."""
    chance = random.Random(7)
    folder = home / "in"
    folder.mkdir()
    hits: list[Hit] = []
    for number in range(12):
        some = [
            (HOUR + chance.randrange(86_400), f"192.0.2.{chance.randrange(99)}", "bad.top")
            for _ in range(400)
        ]
        parquet(folder / f"{number:02}.parquet", some)
        hits += some
    for number in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(timeout=0.5 + 0.25 * number)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    run(folder)
    assert tallied(home) == expected(hits)
    with blockstore.opened("") as store:
        named = {path for paths in store.pieces.paths(("clients", "settled")).values() for path in paths}
        there = {str(path) for path in store.pieces.folder.glob("*/day=*/*.parquet")}
    assert there == named


def test_a_store_of_an_older_tool_is_taken_over(home: Path) -> None:
    """One whose tallies have no clients yet."""
    folder = home / "edge" / "tally"
    folder.mkdir(parents=True)
    old = sqlite3.connect(folder / "blocks.sqlite3")
    old.execute(
        "CREATE TABLE tally (source_id TEXT, kind TEXT, value TEXT, hour INTEGER, hits INTEGER,"
        " told INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (source_id, kind, value, hour)) WITHOUT ROWID"
    )
    old.execute("INSERT INTO tally VALUES ('source_x', 'name', 'bad.top', 3600, 7, 0)")
    old.commit()
    with blockstore.opened("") as store:
        assert [count.clients for count in store.pending(10)] == [None]
