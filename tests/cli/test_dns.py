"""`tocsin dns` says what it needs, prints what there is to copy, and checks without starting anything."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tocsin.cli.dns import RESOLVERS
from tocsin.cli.main import tocsin
from tocsin.kernel.problems import BadInput
from tocsin.sift import primary_settings
from tocsin.sift.knot import Knot, KnotMissing
from tocsin.sift.primary_setup import KINDS


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of an exchange where nobody is."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "edge"))
    monkeypatch.delenv("TOCSIN_KEY", raising=False)
    path = tmp_path / "dns.toml"
    path.write_text(
        f'exchange = "http://127.0.0.1:9"\nfolder = "{tmp_path}/knot"\nlisten = ["192.0.2.1:5300"]\n'
        '[[secondary]]\naddress = "192.0.2.53"\n'
    )
    return path


def run(*words: str) -> Result:
    return CliRunner().invoke(tocsin, ["dns", *words])


def test_the_example_is_printed_and_can_be_read(tmp_path: Path) -> None:
    """So that the first step is to copy it."""
    printed = run("--example")
    (tmp_path / "dns.toml").write_text(printed.output)
    assert primary_settings.load(tmp_path / "dns.toml").zone == "tocsin.rpz"


def test_every_resolver_has_its_text(settings: Path) -> None:
    """With the zone and the primary's address, and a key where the resolver knows TSIG."""
    assert set(RESOLVERS) == set(KINDS)
    for resolver in RESOLVERS:
        done = run("--settings", str(settings), "setup", resolver)
        assert done.exit_code == 0, done.output
        assert "tocsin.rpz" in done.output
        assert ("192.0.2.1" in done.output) is (resolver != "knot-resolver")


def test_what_is_missing_is_told(settings: Path) -> None:
    """No settings, and no key: what to do about each."""
    for words, said in (((), "no settings"), (("--settings", str(settings)), "no API key")):
        done = run(*words)
        assert isinstance(done.exception, BadInput)
        assert (done.exception.detail, bool(done.exception.hint)) == (said, True)


def test_a_check_starts_nothing_and_says_what_is_wrong(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The programs, the exchange, the list and the secondaries, each in its line."""
    monkeypatch.setenv("TOCSIN_KEY", "key")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run("--settings", str(settings), "--check")
    assert done.exit_code == 1
    assert "✗ programs: knotd, knotc, knsupdate not found" in done.output
    assert "✗ exchange: the exchange is out of reach" in done.output
    assert "– list: none was fetched so far" in done.output
    assert "✓ secondary 192.0.2.53" in done.output
    with pytest.raises(KnotMissing):
        Knot(primary_settings.load(settings)).mark()


def test_the_gardens_page_is_printed(settings: Path) -> None:
    """For the provider's own web server, with the way to object at the exchange."""
    done = run(
        "--settings", str(settings), "garden", "--provider", "Ferry", "--help-at", "help@ferry.example"
    )
    assert done.output.startswith("<!doctype html>")
    assert 'href="http://127.0.0.1:9/blocked"' in done.output
    assert 'href="mailto:help@ferry.example"' in done.output
