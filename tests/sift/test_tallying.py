"""`tocsin tally`: counted once, told in full, and nothing but what the exchange lists."""

import itertools
import json
import os
import shutil
from pathlib import Path

import pytest
from tests.sift.listing import URL, Listing

from tocsin.sift import blockstore, calling, tallying
from tocsin.wire.tally import Tally

HOUR = 1795136400  # 2026-11-20T01:00:00Z
PORTS = itertools.count(1024)


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Listing:
    """An exchange that lists a name and an address."""
    made = Listing(names=("bad.top",), addresses=("198.51.100.7",))
    monkeypatch.setattr(calling, "client", made.client)
    monkeypatch.setattr(calling, "PAUSES", ())
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "edge"))
    return made


def block(name: str = "bad.top", hour: int = 0, client: str = "192.0.2.99", times: int = 1) -> str:
    """Lines as Unbound writes them, each question from a port of its own."""
    stamp = f"[{HOUR + 3600 * hour + 7}] unbound[1:0] info: rpz: applied [t]"
    asked = (f"{client}@{next(PORTS)} {name}. A IN" for _ in range(times))
    return "".join(f"{stamp} {name}. rpz-nxdomain {who}\n" for who in asked)


def run(*paths: Path, plan: tallying.Plan | None = None) -> tallying.Result:
    return tallying.tally(paths, plan or tallying.Plan(URL, tz="UTC"), "key", say=lambda _: None)


def told(listing: Listing) -> dict[tuple[str, str], int]:
    """What the exchange holds in the end: the highest number for each log, value and hour, added up."""
    highest: dict[tuple[str, Tally], int] = {}
    for batch in listing.told:
        for tally in batch.tallies:
            key = (batch.source_id, Tally(tally.kind, tally.value, tally.hour, 0))
            highest[key] = max(tally.hits, highest.get(key, 0))
    sums: dict[tuple[str, str], int] = {}
    for (_, tally), hits in highest.items():
        sums[tally.value, tally.hour[11:13]] = sums.get((tally.value, tally.hour[11:13]), 0) + hits
    return sums


def test_a_growing_rotated_and_compressed_log_is_counted_once(listing: Listing, tmp_path: Path) -> None:
    """What was seen before is skipped, wherever it lies now; hours go on where they were."""
    log = tmp_path / "unbound.log"
    log.write_text(block(times=3) + block(hour=1))
    assert run(log).connections == 4
    with log.open("a") as more:
        more.write(block(hour=1, times=2))
    assert run(log).connections == 2
    shutil.copy(log, tmp_path / "unbound.log.1")
    log.write_text(block(hour=2))
    assert run(log, tmp_path / "unbound.log.1").connections == 1
    assert run(log, tmp_path / "unbound.log.1").connections == 0
    assert told(listing) == {("bad.top", "01"): 3, ("bad.top", "02"): 3, ("bad.top", "03"): 1}


def test_a_log_read_often_stays_one_stretch(
    listing: Listing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a run must remember does not grow with the number of runs, and nothing is counted twice."""
    monkeypatch.setattr(blockstore, "STRETCHES", 3)
    log = tmp_path / "unbound.log"
    log.write_text(block(times=60))  # longer than what a stretch is found by
    total = run(log).connections
    for _ in range(8):
        with log.open("a") as more:
            more.write(block())
        total += run(log).connections
    with blockstore.opened(URL) as store:
        lengths = [region.length for region in store.regions()]
    assert (total, len(lengths), max(lengths)) == (68, 3, log.stat().st_size)


def test_nothing_leaves_but_listed_values_and_counts(listing: Listing, tmp_path: Path) -> None:
    """No client, no path, no name that another policy refused."""
    log = tmp_path / "secret-place" / "rpz.log"
    log.parent.mkdir()
    log.write_text(block() + block("private.example") + block(client="2001:db8::99"))
    result = run(log)
    assert (result.connections, result.elsewhere) == (2, 1)
    sent = repr(listing.told)
    for word in ("192.0.2.99", "2001:db8::99", "private", "secret-place", "rpz.log"):
        assert word not in sent


def test_what_could_not_be_sent_is_sent_later(listing: Listing, tmp_path: Path) -> None:
    """The counts wait in the store; the log itself may be gone by then."""
    log = tmp_path / "unbound.log"
    log.write_text(block())
    run(log)
    with log.open("a") as more:
        more.write(block(times=4))
    listing.is_away = True
    away = run(log)
    assert (away.sent, away.waiting, bool(away.fault)) == (0, 1, True)
    listing.is_away = False
    log.unlink()
    assert run().sent == 1
    assert told(listing) == {("bad.top", "01"): 5}
    assert run().sent == 0


def test_a_look_shows_the_bytes_and_changes_nothing(listing: Listing, tmp_path: Path) -> None:
    """`--dry-run` gives what a run would then send."""
    log, plan = tmp_path / "unbound.log", tallying.Plan(URL, tz="UTC")
    log.write_text(block())
    run(log)
    listing.told.clear()
    with log.open("a") as more:
        more.write(block(times=2) + block(hour=3))
    shown = [json.loads(line) for line in tallying.preview([log], plan, say=lambda _: None)]
    again = [json.loads(line) for line in tallying.preview([log], plan, say=lambda _: None)]
    run(log)
    assert shown == again
    assert [tally["hits"] for tally in shown[0]["tallies"]] == [3, 1]
    assert shown[0]["source_id"] == listing.told[0].source_id
    assert [tally.hits for tally in listing.told[0].tallies] == [3, 1]


def test_clients_are_told_as_a_number_from_five_on(listing: Listing, tmp_path: Path) -> None:
    """Different ones, however often they asked and in how many runs; fewer are told as not known."""
    log = tmp_path / "unbound.log"
    log.write_text("".join(block(client=f"192.0.2.{number}", times=2) for number in range(4)))
    run(log)
    with log.open("a") as more:
        more.write(block(client="192.0.2.3") + block(client="2001:db8::1", times=3))
    run(log)
    assert [(one.hits, one.clients) for batch in listing.told for one in batch.tallies] == [
        (8, None),
        (12, 5),
    ]
    assert "192.0.2" not in repr(listing.told)


def test_exports_are_counted_by_the_lists_too(listing: Listing, tmp_path: Path) -> None:
    """Names and addresses in a CSV file; what no list has stays here; the dry run shows the same bytes."""
    file = tmp_path / "blocks.csv"
    rows = [
        f"2026-11-20T01:0{n}:00Z,192.0.2.{n},{name}" for n in range(6) for name in ("bad.top", "198.51.100.7")
    ]
    rows += ["2026-11-20T01:00:00Z,192.0.2.1,private.example"]
    file.write_text("\n".join(["time,client,name", *rows]) + "\n")
    run()
    shown = [json.loads(line) for line in tallying.preview([file], tallying.Plan(URL), say=lambda _: None)]
    result = run(file)
    assert (result.connections, result.elsewhere, result.observed, result.noise) == (12, 1, 12, 2)
    told = [(one.kind, one.value, one.hits, one.clients) for one in listing.told[0].tallies]
    assert told == [("address", "198.51.100.7", 6, 6), ("name", "bad.top", 6, 6)]
    assert [one["clients"] for one in shown[0]["tallies"]] == [6, 6]


def reading(file: Path, packets: int, at: int, *, other: int = 0) -> Path:
    """A reading of the firewall's counters at an instant."""
    elements = [
        {"elem": {"val": value, "counter": {"packets": count, "bytes": at}}}
        for value, count in (("198.51.100.7", packets), ("203.0.113.9", other))
    ]
    file.write_text(json.dumps({"nftables": [{"set": {"elem": elements}}]}))
    os.utime(file, (at, at))
    return file


def test_counters_are_told_by_what_they_grew(listing: Listing, tmp_path: Path) -> None:
    """In the hour of the reading; one that begins anew counts whole, an older reading not at all."""
    results = [
        run(reading(tmp_path / "a.json", 5, HOUR + 60, other=1000)),
        run(reading(tmp_path / "a.json", 5, HOUR + 120)),
        run(reading(tmp_path / "b.json", 12, HOUR + 3600)),
        run(reading(tmp_path / "c.json", 2, HOUR + 3700)),  # loaded again
        run(reading(tmp_path / "d.json", 90, HOUR + 30)),  # from before the first
    ]
    assert [result.connections for result in results] == [5, 0, 7, 2, 0]
    assert results[0].elsewhere == 1000
    assert results[-1].rejected == 1
    assert told(listing) == {("198.51.100.7", "01"): 5, ("198.51.100.7", "02"): 9}


def test_two_machines_with_the_same_log_are_two(listing: Listing, tmp_path: Path) -> None:
    """Their equal hours add up, because the highest number of one log would hide the other."""
    log = tmp_path / "unbound.log"
    log.write_text(block(times=3))
    run(log, plan=tallying.Plan(URL, machine="ns1", tz="UTC"))
    log.write_text(block(client="192.0.2.1", times=3))
    run(log, plan=tallying.Plan(URL, machine="ns2", tz="UTC"))
    assert told(listing) == {("bad.top", "01"): 6}
    assert "ns1" not in repr(listing.told)


def test_what_cannot_be_read_stops_nothing(listing: Listing, tmp_path: Path) -> None:
    """An empty file, a binary one, half JSON and one that is not there: counted, and the rest is."""
    good = tmp_path / "good.log"
    good.write_text(block())
    (tmp_path / "empty.log").touch()
    (tmp_path / "binary.log").write_bytes(b"\0\1\2" * 100)
    (tmp_path / "half.json").write_text('{"nftables": [')
    result = run(tmp_path, tmp_path / "missing.log")
    assert result.connections == 1
    assert result.rejected >= 4


def test_two_runs_at_once_are_refused(listing: Listing) -> None:
    """The second is told to wait."""
    with blockstore.opened_alone(URL), pytest.raises(blockstore.TallyBusy):
        run()


def test_many_tallies_go_in_batches(
    listing: Listing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each settled by itself."""
    monkeypatch.setattr(tallying, "BATCH", 10)
    log = tmp_path / "unbound.log"
    log.write_text("".join(block(hour=-hour) for hour in range(35)))
    assert run(log).sent == 35
    assert [len(batch.tallies) for batch in listing.told] == [10, 10, 10, 5]
