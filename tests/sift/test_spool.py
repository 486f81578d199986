"""The spool keeps what was found until it is answered for, whatever happens in between."""

import msgspec
import pytest
from tests.proof.test_receipts import receipt

from tocsin.sift import spool
from tocsin.sift.values import Region
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
