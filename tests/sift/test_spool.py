"""The spool keeps what was found until it is answered for, whatever happens in between."""

import sqlite3
from contextlib import closing

import msgspec
import pytest
from tests.proof.test_receipts import receipt

from tocsin.sift import spool
from tocsin.sift.values import Attack, Region
from tocsin.wire.report import Report

URL = "https://exchange.invalid"


@pytest.fixture(autouse=True)
def _home(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path))


def report(attack_id: str = "attack_1", count: int = 3) -> Report:
    """A plain report."""
    when = "2026-11-22T01:00:00Z"
    return Report(
        attack_id, "intrusion-attempts/brute-force", ("203.0.113.7",), ("a",), "ssh", when, when, count, "low"
    )


def attack(attack_id: str) -> Attack:
    """A plain attack."""
    told = report(attack_id)
    return Attack(
        attack_id=attack_id,
        kind=told.kind,
        origins=told.origins,
        targets=told.targets,
        service=told.service,
        first_seen_at=told.first_seen_at,
        last_seen_at=told.last_seen_at,
        count=told.count,
        severity="low",
        evidence=(),
    )


def test_a_report_waits_until_its_receipt_is_stored() -> None:
    """Kept, found again by the next run, and gone from the queue once it is answered for."""
    with spool.opened(URL) as kept:
        kept.keep([Region("h", 5, "s")], [], [report()])
    with spool.opened(URL) as kept:
        assert [attack for attack, _ in kept.pending(9)] == ["attack_1"]
        assert kept.regions() == [Region("h", 5, "s")]
        kept.settle({"attack_1": receipt()}, {})
        assert kept.pending(9) == []
        assert kept.counts() == {"pending": 0, "sent": 1, "refused": 0}
        assert msgspec.json.decode((kept.receipts / "report_1.json").read_bytes())["attack_id"] == "attack_1"


def test_a_higher_version_is_sent_again() -> None:
    """An attack that went on after its receipt becomes pending once more, with the new count."""
    with spool.opened(URL) as kept:
        kept.keep([], [], [report()])
        kept.settle({"attack_1": receipt()}, {})
        kept.keep([], [], [report(count=8)])
        ((_, body),) = kept.pending(9)
        assert msgspec.json.decode(body)["count"] == 8


def test_a_failed_run_leaves_nothing_half_written() -> None:
    """Where one row cannot be written, none is."""
    with spool.opened(URL) as kept:
        with pytest.raises(AttributeError):
            kept.keep([Region("h", 5, "s")], [], [report(), None])  # type: ignore[list-item]
        assert kept.regions() == []
        assert kept.pending(9) == []


def test_a_receipt_lost_between_database_and_folder_is_written_again() -> None:
    """A kill after the commit costs no receipt file."""
    with spool.opened(URL) as kept:
        kept.keep([], [], [report()])
        kept.settle({"attack_1": receipt()}, {})
        file = kept.receipts / "report_1.json"
        file.unlink()
    with spool.opened(URL):
        assert file.exists()


def test_what_is_over_leaves_the_spool_and_its_receipt_stays_as_a_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After 400 days without growing; what still waits to be sent, and what grew since, stays."""
    day = "2026-01-01"
    monkeypatch.setattr(spool, "today", lambda: day)
    with spool.opened(URL) as kept:
        kept.keep(
            [], [attack("attack_1"), attack("attack_2"), attack("attack_3")], [report(), report("attack_2")]
        )
        kept.settle({"attack_1": receipt()}, {})
    day = "2026-06-01"
    with spool.opened(URL) as kept:
        kept.keep([], [attack("attack_3")], [])
    day = "2027-02-05"  # 400 days after the first
    with spool.opened(URL) as kept:
        assert kept.attack("attack_1") is not None
    day = "2027-02-06"
    with spool.opened(URL) as kept:
        assert [kept.attack(f"attack_{n}") is not None for n in (1, 2, 3)] == [False, True, True]
        assert kept.counts() == {"pending": 1, "sent": 0, "refused": 0}
        assert kept.db.execute("SELECT count(*) FROM receipt").fetchone() == (0,)
        assert (kept.receipts / "report_1.json").exists()


def test_a_spool_of_an_older_version_is_taken_over() -> None:
    """What it holds counts as written today."""
    folder = spool.spool_folder(URL)
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "spool.sqlite3")) as db:
        db.executescript(spool.SCHEMA)
        db.execute("INSERT INTO attack VALUES ('attack_1', ?)", (msgspec.json.encode(attack("attack_1")),))
        db.commit()
    with spool.opened(URL) as kept:
        assert kept.attack("attack_1") is not None
        assert kept.db.execute("SELECT kept_on FROM attack").fetchone() == (spool.today(),)


def test_two_runs_at_once_do_not_mix() -> None:
    """The second is told that another one is running."""
    with spool.opened(URL), pytest.raises(spool.SpoolBusy), spool.opened(URL):
        pass


def test_each_exchange_has_a_spool_of_its_own() -> None:
    """What was meant for one exchange is never sent to another."""
    with spool.opened(URL) as kept:
        kept.keep([], [], [report()])
    with spool.opened("https://other.invalid") as kept:
        assert kept.pending(9) == []


def test_rejected_lines_are_kept_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest ones: a log of rubbish does not fill the disk."""
    monkeypatch.setattr("tocsin.sift.spool.MOST_REJECTED", 3)
    with spool.opened(URL) as kept:
        for number in range(3):
            kept.keep((), (), (), [("a.log", 2 * number + n, "why", b"x") for n in (1, 2)])
        assert [row[2] for row in kept.rejected()] == [4, 5, 6]
