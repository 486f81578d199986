"""`tocsin watch` says what it would watch, draws what it sees, and stops when it is asked to."""

import io
import socket
from pathlib import Path

import pytest
from rich.console import Console
from tests.sift.dovecot import dovecot
from tests.sift.test_mailbox import complaint

from tocsin.cli import live_view
from tocsin.kernel.checkup import Finding
from tocsin.sift.live import settings
from tocsin.sift.live.checking import check
from tocsin.sift.live.meters import Meters
from tocsin.sift.values import Attack


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An edge home of the test's own."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def checked(tmp_path: Path, text: str) -> dict[str, Finding]:
    """What a check of such settings finds, by what was looked at."""
    path = tmp_path / "watch.toml"
    path.write_text(text)
    return {finding.what: finding for finding in check(settings.load(path))}


def test_a_check_names_every_source_and_what_is_wrong_with_it(tmp_path: Path) -> None:
    """Files, addresses, mailbox: what can be read, what is not there yet, what cannot be had."""
    (tmp_path / "a.log").write_text("x\n")
    (tmp_path / "password").write_text("a-password")
    with dovecot() as server, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server.deliver(complaint(1))
        server.start()
        box = f'host = "127.0.0.1"\nuser = "abuse"\ntls = false\nport = {server.port}'
        found = checked(
            tmp_path,
            f'[[files]]\npaths = ["{tmp_path}/*.log", "{tmp_path}/later", "{tmp_path}/none*"]\n'
            f'[[mailbox]]\n{box}\npassword_file = "{tmp_path}/password"\n'
            f'[[mailbox]]\n{box}\npassword_file = "{tmp_path}/nothing"\nfolder = "Other"\n'
            f'[[syslog]]\ntcp = "127.0.0.1:{taken.getsockname()[1]}"\nudp = "127.0.0.1:0"\n'
            f'[[siem]]\necs = "{tmp_path}/none/x"\n',
        )
        states = {what.replace(str(tmp_path), ""): finding.state for what, finding in found.items()}
        assert states == {
            "file /a.log": "good",
            "file /later": "missing",
            "files /none*": "missing",
            f"mailbox abuse at 127.0.0.1:{server.port}/INBOX": "good",
            f"mailbox abuse at 127.0.0.1:{server.port}/Other": "wrong",
            f"syslog tcp 127.0.0.1:{taken.getsockname()[1]}": "wrong",
            "syslog udp 127.0.0.1:0": "good",
            "ecs /none/x": "wrong",
            "exchange": "missing",
        }
        assert found[f"mailbox abuse at 127.0.0.1:{server.port}/INBOX"].detail == "1 mails"


def attack(number: int, origin: str, target: str) -> Attack:
    """One to be shown."""
    at = f"2026-03-05T10:00:{number:02}Z"
    return Attack(
        attack_id=f"attack_{number}", kind="intrusion-attempts/brute-force", origins=(origin,),
        targets=(target,), service="ssh", first_seen_at=at, last_seen_at=at, count=10**number,
        severity="medium", evidence=(),
    )  # fmt: skip


@pytest.mark.parametrize("width", [50, 80, 132])
@pytest.mark.parametrize("height", [8, 24])
def test_the_page_fits_any_terminal(width: int, height: int) -> None:
    """No line is longer, the page no higher; at 80 columns an IPv4 address and the count are whole."""
    console = Console(width=width, height=height, color_system=None, record=True, file=io.StringIO())
    origins = ["203.0.113.200", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"]
    meters = Meters(
        newest=[attack(n, origins[n % 2], "x" * 50) for n in range(7)],
        source_faults={f"file {'y' * n}": "no permission to read" for n in range(60, 70)},
    )
    said = ["a message that is longer than any terminal is wide " * 3] * 2
    console.print(live_view.page(meters, 12345.0, said, console))
    shown = console.export_text().splitlines()
    assert max(map(len, shown)) <= width
    assert height == 8 or len(shown) <= height
    if (width, height) == (80, 24):
        assert any("203.0.113.200" in line and "1,000,000" in line for line in shown)
        assert any("no permission" in line for line in shown)
