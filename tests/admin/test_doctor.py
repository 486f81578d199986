"""`tocsin doctor` says how things stand, and what to do where they do not."""

import time
from pathlib import Path

import pytest

from tocsin.doors.admin import checkup
from tocsin.kernel.checkup import Finding
from tocsin.sift import checkup as edge_checkup
from tocsin.sift import spool
from tocsin.sift.live.meters import Meters
from tocsin.wire.report import Report


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    """The findings by what was looked at."""
    return {finding.what: finding for finding in findings}


def test_an_edge_without_key_or_spool_is_told_what_to_do(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is wrong with a machine that only sifts; what is missing says how to get it."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path))
    monkeypatch.delenv("TOCSIN_KEY", raising=False)
    found = by_name(list(edge_checkup.edge()))
    assert {name for name, finding in found.items() if finding.state == "wrong"} == set()
    assert found["API key"].state == found["spool"].state == "missing"
    assert found["API key"].advice


def test_reports_that_wait_are_a_fault(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A spool with unsent reports is named, with the command that sends them."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path))
    when = "2026-11-22T01:00:00Z"
    waiting = Report("attack_1", "a/b", ("192.0.2.1",), ("x",), "ssh", when, when, 1, "low")
    with spool.opened("https://exchange.invalid") as kept:
        kept.keep([], [], [waiting])
    found = by_name(list(edge_checkup.edge()))["spool"]
    assert found.state == "wrong"
    assert "1 pending" in found.detail
    assert "tocsin report" in found.advice


def test_a_watch_is_known_by_its_sign_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Running, failing, silent, or not running at all; settings that do not hold together are named."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path))
    settings = tmp_path / "watch.toml"
    settings.write_text("[[files]]\npaths = ['x']\n")
    monkeypatch.setenv("TOCSIN_WATCH", str(settings))
    meters = Meters(lines=5, backlog=7, committed_at=time.time() - 3700)

    def found() -> dict[str, Finding]:
        return by_name(list(edge_checkup.edge()))

    assert "watch" not in found()
    with spool.opened("watch") as kept:
        meters.keep(kept.folder)
        assert found()["watch"].state == "good"
        assert found()["watch"].detail.startswith("to nobody: ")
        assert "5 lines, 7 bytes behind, 0 reports wait, last written down 1 h ago" in found()["watch"].detail
        meters.source_faults["file x"] = "no permission to read"
        meters.keep(kept.folder)
        assert found()["watch"].state == "wrong"
        assert "no permission" in found()["watch"].detail
        monkeypatch.setattr(edge_checkup, "SILENT", -1)
        assert "no sign of life" in found()["watch"].detail
    assert found()["watch"].state == "missing"
    assert found()["watch settings"].state == "good"
    settings.write_text("files = 3")
    assert found()["watch settings"].state == "wrong"


@pytest.mark.django_db
def test_an_exchange_without_a_coordinator_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases of units that have not joined would belong to nobody: the check-up says so."""
    monkeypatch.setenv("DATABASE_URL", "set")
    found = by_name(checkup.exchange())
    assert found["coordinator"].state == "wrong"
    assert found["database"].state == "good"
    assert found["background work"].state == "good"


def test_a_machine_without_an_exchange_is_told_how_to_make_one(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking makes nothing."""
    monkeypatch.setenv("TOCSIN_HOME", f"{tmp_path}/none")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (finding,) = checkup.exchange()
    assert finding.state == "missing"
    assert "tocsin serve" in finding.advice
