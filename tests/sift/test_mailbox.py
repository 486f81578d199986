"""A mailbox of complaints on a real Dovecot: each mail counts once, and nothing in it is changed."""

import os
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.sift.dovecot import Dovecot, dovecot
from tests.stories.test_report_killed import tocsin

from tocsin.sift import spool
from tocsin.sift.live import mailbox
from tocsin.sift.live.mailbox import MailSource, mailbox_name
from tocsin.sift.live.settings import Mailbox, Settings
from tocsin.sift.live.state import LiveState
from tocsin.sift.live.watching import Watch, options_of
from tocsin.sift.spool import Spool
from tocsin.sift.values import Attack

COMPLAINT = """\
From: feedback@mailbox.example
To: abuse@isp.example
Subject: complaint
Date: Thu, 5 Mar 2026 10:00:00 +0000
Message-ID: <{number}@mailbox.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part"

--part
Content-Type: text/plain

This is a report.
--part
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Example/1
Version: 1
Source-IP: {origin}
Arrival-Date: Thu, 5 Mar 2026 09:00:00 +0000
Reported-Domain: isp.example

--part
Content-Type: message/rfc822

From: a@b.example
Subject: spam

Buy this.
--part--
"""
KILLS = 40 if os.environ.get("TOCSIN_SOAK") == "1" else 4
UNKNOWN = b"From: someone@example.org\nTo: abuse@isp.example\nSubject: hello\n\nPlease call me back.\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An edge home of the test's own, and no long waits."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(mailbox, "PATIENCE", (0.1,))
    return tmp_path / "home"


def complaint(number: int, origin: str = "203.0.113.7") -> bytes:
    """A feedback report (RFC 5965)."""
    return COMPLAINT.format(number=number, origin=origin).encode()


def settings_for(server: Dovecot, where: Path, **more: object) -> Mailbox:
    """The settings of a mailbox there."""
    password = where / "password"
    password.write_text("a-password\n")
    told = {"host": "127.0.0.1", "user": "abuse", "password_file": str(password), "every": 0.1}
    return msgspec.convert({**told, "port": server.port, "tls": server.tls, **more}, Mailbox)


def watching(told: Mailbox, kept: Spool) -> Watch:
    """A watch over one mailbox, as a process that just started has it."""
    settings = Settings(mailbox=(told,))
    place = LiveState(kept).places().get(mailbox_name(told))
    return Watch(settings, kept, [MailSource(told, options_of(settings), place)])


def until(running: Watch, reached: Callable[[], bool]) -> None:
    """Watch until something is so."""
    ends = time.monotonic() + 15
    while not reached() and time.monotonic() < ends:
        running.round()
        running.commit()
        time.sleep(0.02)
    assert reached()


def counts(kept: Spool) -> list[int]:
    """How often each attack was seen."""
    rows = kept.db.execute("SELECT body FROM attack").fetchall()
    return sorted(msgspec.json.decode(body, type=Attack).count for (body,) in rows)


def test_each_mail_counts_once_and_stays_as_it_is(tmp_path: Path, home: Path) -> None:
    """New mails, a restart, a server that goes away and one that counts anew; none is read twice."""
    with dovecot() as server, spool.opened("nobody") as kept:
        told = settings_for(server, tmp_path)
        server.deliver(complaint(1))
        server.deliver(complaint(2))
        server.start()
        before = server.names()
        running = watching(told, kept)
        until(running, lambda: running.meters.lines == 2)
        assert counts(kept) == [2]
        server.stop()
        until(running, lambda: "refused" in running.meters.source_faults.get(mailbox_name(told), ""))
        server.start()
        server.deliver(complaint(3))
        until(running, lambda: running.meters.lines == 3)
        assert not running.meters.source_faults
        running.close()
        assert set(before) <= set(server.names())

        server.deliver(complaint(4, "203.0.113.8"))
        again = watching(told, kept)
        until(again, lambda: again.meters.lines == 4)
        again.close()
        assert counts(kept) == [1, 3]

        server.stop()
        server.count_anew()
        server.deliver(complaint(5))
        server.start()
        anew = watching(told, kept)
        until(anew, lambda: LiveState(kept).counts()["duplicate"] == 4)
        until(anew, lambda: counts(kept) == [1, 4])
        anew.close()
        tally = LiveState(kept).counts()
        assert (tally["read"], tally["observed"], tally["rejected"]) == (5, 5, 0)


def test_killed_at_any_moment_each_mail_counts_once(tmp_path: Path, home: Path) -> None:
    """As a process under kill -9, with mails coming in all the time."""
    dice = random.Random(7)
    with dovecot() as server:
        told = settings_for(server, tmp_path)
        settings = tmp_path / "watch.toml"
        settings.write_text(
            f'every = 0.05\n[[mailbox]]\nhost = "127.0.0.1"\nport = {server.port}\ntls = false\n'
            f'user = "abuse"\npassword_file = "{told.password_file}"\nevery = 0.05\n'
        )
        server.start()
        delivered = 0
        for _ in range(KILLS):
            with subprocess.Popen(
                tocsin("watch", "--settings", str(settings)), stderr=subprocess.DEVNULL
            ) as watch:
                ends = time.monotonic() + dice.uniform(0.8, 2.5)
                while time.monotonic() < ends:
                    server.deliver(complaint(delivered, f"203.0.113.{delivered % 3}"))
                    delivered += 1
                    time.sleep(dice.uniform(0, 0.05))
                watch.kill()
        last = subprocess.run(
            tocsin("watch", "--settings", str(settings), "--once", "--json"), check=True, capture_output=True
        )
    assert msgspec.json.decode(last.stdout)["lines"] == delivered
    with spool.opened(spool.NOWHERE) as kept:
        assert sum(counts(kept)) == delivered
        assert LiveState(kept).counts()["duplicate"] == 0


def test_what_nobody_recognises_stays_at_the_desk(tmp_path: Path, home: Path) -> None:
    """It is counted as rejected, and its text is kept."""
    with dovecot() as server, spool.opened("nobody") as kept:
        told = settings_for(server, tmp_path)
        server.deliver(UNKNOWN)
        server.deliver(complaint(1))
        server.start()
        running = watching(told, kept)
        until(running, lambda: running.meters.lines == 2)
        running.close()
        assert counts(kept) == [1]
        assert running.meters.rejected == 1
    (mail,) = (home / "unrecognised").iterdir()
    assert b"call me back" in mail.read_bytes()


def test_a_mail_that_cannot_be_kept_beside_is_kept_in_the_spool(tmp_path: Path, home: Path) -> None:
    """Whatever is in the way of the folder for such mails: nothing is lost, and the next mail is read."""
    home.mkdir()
    (home / "unrecognised").write_text("a file, not a folder")
    with dovecot() as server, spool.opened("nobody") as kept:
        server.deliver(UNKNOWN)
        server.deliver(complaint(1))
        server.start()
        running = watching(settings_for(server, tmp_path), kept)
        until(running, lambda: counts(kept) == [1])
        running.close()
        assert [row[4] for row in kept.rejected() if row[4]] == [UNKNOWN.replace(b"\n", b"\r\n")]


def test_many_mails_are_fetched_in_order_with_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Groups, and a fetcher that waits for its reader; a mail that is too large is rejected by its number."""
    monkeypatch.setattr(mailbox, "GROUP", 7)
    monkeypatch.setattr(mailbox, "MOST_WAITING", 2000)
    monkeypatch.setattr(mailbox, "STRETCH", 20)
    monkeypatch.setattr(mailbox, "LARGEST_DOCUMENT", 5000)
    with dovecot() as server, spool.opened("nobody") as kept:
        told = settings_for(server, tmp_path)
        for number in range(50):
            server.deliver(complaint(number))
        server.deliver(complaint(99) + b"x" * 6000)
        server.start()
        source = MailSource(told, options_of(Settings()), None)
        running = Watch(Settings(mailbox=(told,)), kept, [source])
        most = 0
        ends = time.monotonic() + 15
        while running.meters.lines < 51 and time.monotonic() < ends:
            most = max(most, source.backlog())
            running.round()
            running.commit()
        running.close()
        assert counts(kept) == [50]
        assert [row[3] for row in kept.rejected()] == [mailbox_too_large()]
        assert most < 12_000


def mailbox_too_large() -> str:
    """The reason for a mail that is not fetched."""
    from tocsin.sift.live.windows import TOO_LARGE

    return TOO_LARGE


def test_a_certificate_must_be_trusted(tmp_path: Path) -> None:
    """One that nobody vouches for is a fault that is said; with its authority named, mails come."""
    with dovecot(tls=True) as server, spool.opened("nobody") as kept:
        server.deliver(complaint(1))
        server.start()
        told = settings_for(server, tmp_path)
        running = watching(told, kept)
        until(running, lambda: bool(running.meters.source_faults))
        assert "not trusted" in running.meters.faults[0]
        running.close()
        told = settings_for(server, tmp_path, ca_file=str(server.folder / "server.pem"))
        running = watching(told, kept)
        until(running, lambda: running.meters.lines == 1)
        running.close()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password_file": "/nonexistent"}, "no such file"),
        ({"folder": "Nowhere"}, "no such folder"),
    ],
)
def test_what_is_wrong_with_a_mailbox_is_said(wrong: dict[str, str], said: str, tmp_path: Path) -> None:
    """In words, among the faults."""
    with dovecot() as server, spool.opened("nobody") as kept:
        server.deliver(complaint(1))
        server.start()
        running = watching(settings_for(server, tmp_path, **wrong), kept)
        until(running, lambda: bool(running.meters.faults))
        running.close()
        assert said in running.meters.faults[0]


def test_a_wrong_password_is_said(tmp_path: Path) -> None:
    """Without the password itself."""
    with dovecot() as server, spool.opened("nobody") as kept:
        server.deliver(complaint(1))
        server.start()
        told = settings_for(server, tmp_path)
        Path(told.password_file).write_text("another")
        running = watching(told, kept)
        until(running, lambda: bool(running.meters.faults))
        running.close()
        assert (
            running.meters.source_faults[mailbox_name(told)] == "the server refuses the user or the password"
        )
