"""The door for mails (LMTP): a 250 is a promise, and each mail counts once, whatever is killed or full."""

import os
import random
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from tests.ports import free_port
from tests.sift.postfix import postfix
from tests.sift.test_mailbox import UNKNOWN, complaint, counts
from tests.stories.test_report_killed import tocsin

from tocsin.kernel.problems import BadInput
from tocsin.sift import spool
from tocsin.sift.engine import Options
from tocsin.sift.live import inbox, lmtp
from tocsin.sift.live.checking import check
from tocsin.sift.live.inbox import MailInbox
from tocsin.sift.live.lmtp import LmtpSource
from tocsin.sift.live.settings import Lmtp, Settings, load
from tocsin.sift.live.state import LiveState
from tocsin.sift.live.watching import Watch, options_of
from tocsin.sift.spool import Spool

KILLS = 20 if os.environ.get("TOCSIN_SOAK") == "1" else 3
DOOR = Lmtp("127.0.0.1:0", ("abuse@isp.example", "*@abuse.isp.example"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An edge home of the test's own."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A folder whose paths are short enough for a socket, for all to enter."""
    folder = Path(tempfile.mkdtemp(prefix="tocsin-lmtp-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def opened(folder: Path, told: Lmtp = DOOR, limit: int = 1 << 30) -> Iterator[LmtpSource]:
    """The door, until the block ends."""
    source = LmtpSource(told, Options(), folder / "inbox", limit, None)
    try:
        yield source
    finally:
        source.close()


def client(source: LmtpSource) -> smtplib.LMTP:
    """A mail server at the door."""
    host, port = source.door.address
    return smtplib.LMTP(host, port)


def until(reached: Callable[[], object]) -> None:
    """Wait until something is so."""
    ends = time.monotonic() + 20
    while not reached() and time.monotonic() < ends:
        time.sleep(0.02)
    assert reached()


def crlf(mail: bytes) -> bytes:
    """A mail as it goes over the line."""
    return mail.replace(b"\n", b"\r\n")


def test_a_mail_is_kept_as_it_is_before_it_is_answered_for(tmp_path: Path) -> None:
    """Dots, eight bits, long lines and odd line ends: the same bytes, in one file for all recipients."""
    odd = (
        b"Subject: x\r\n\r\n.dot\r\n..\r\nlong " + b"y" * 20_000 + b"\r\n\xff\xfe\r\n.\nnot the end\r\n\r\r\n"
    )
    odd += b"z" * (lmtp.LONGEST_LINE - 1) + b"\r\n.last\r\n"
    with opened(tmp_path) as source:
        with client(source) as server:
            server.ehlo()
            assert server.esmtp_features["size"] == str(DOOR.largest_mb << 20)
            assert {"8bitmime", "smtputf8", "pipelining"} <= server.esmtp_features.keys()
            server.putcmd("MAIL FROM:<> BODY=8BITMIME")
            assert server.getreply()[0] == 250
            for recipient in ("abuse@isp.example", "ABUSE@ISP.example", "phishing@abuse.isp.example"):
                assert server.rcpt(recipient)[0] == 250
            server.putcmd("DATA")
            assert server.getreply()[0] == 354
            stuffed = b"".join(b"." + line if line.startswith(b".") else line for line in crlf_lines(odd))
            server.sock.sendall(stuffed + b".\r\n")
            assert [server.getreply()[0] for _ in range(3)] == [250, 250, 250]
            server.noop()
        ((number, path),) = source.inbox.mails()
        assert (number, path.read_bytes()) == (1, odd)
        assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0


def crlf_lines(mail: bytes) -> list[bytes]:
    """Lines that end as SMTP's do, and no others."""
    return [line + b"\r\n" for line in mail.removesuffix(b"\r\n").split(b"\r\n")]


def test_each_recipient_has_an_answer_of_his_own(tmp_path: Path) -> None:
    """Others are refused for good; one of them refused leaves the mail to the rest."""
    with opened(tmp_path) as source, client(source) as server:
        refused = server.sendmail("a@b.example", ["abuse@isp.example", "boss@isp.example"], complaint(1))
        assert refused == {"boss@isp.example": (550, b"5.1.1 no such recipient here")}
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            server.sendmail("a@b.example", ["abuse@isp.example.org"], complaint(2))
        assert len(source.inbox.mails()) == 1
        assert source.refused.counts() == {"no such recipient here": 2}


def test_unicode_addresses_are_taken(tmp_path: Path) -> None:
    """SMTPUTF8 (RFC 6531), in any case."""
    told = Lmtp("127.0.0.1:0", ("missbrauch@*.example", "müll@isp.example"))
    with opened(tmp_path, told) as source, client(source) as server:
        server.ehlo()
        server.sendmail("ä@b.example", ["MÜLL@isp.example"], complaint(1), mail_options=["SMTPUTF8"])
        assert len(source.inbox.mails()) == 1


def test_a_mail_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """Before it comes where its size is told, else behind it, for each recipient; the next one is taken."""
    told = Lmtp("127.0.0.1:0", ("*",), largest_mb=1)
    with opened(tmp_path, told) as source, client(source) as server:
        with pytest.raises(smtplib.SMTPSenderRefused) as caught:
            server.sendmail("a@b.example", ["abuse@isp.example"], b"x" * (1 << 20) + b"y")
        assert caught.value.smtp_code == 552
        server.putcmd("MAIL FROM:<a@b.example>")
        assert server.getreply()[0] == 250
        for recipient in ("a@isp.example", "b@isp.example"):
            assert server.rcpt(recipient)[0] == 250
        server.putcmd("DATA")
        server.getreply()
        server.sock.sendall(crlf(b"x" * 70 + b"\n") * 20_000 + b".\r\n")
        assert [server.getreply() for _ in range(2)] == [(552, b"5.3.4 the mail is too large")] * 2
        assert not server.sendmail("a@b.example", ["abuse@isp.example"], complaint(1))
        assert [path.name for path in sorted(source.inbox.folder.iterdir())] == ["1.eml"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("HELO me", 500),
        ("EHLO me", 500),
        ("RCPT TO:<abuse@isp.example>", 503),
        ("DATA", 503),
        ("MAIL abuse", 501),
        ("MAIL FROM:<a@b.example> RET=FULL", 555),
        ("VRFY abuse", 252),
        ("STARTTLS", 500),
        ("x" * 10_000, 500),
        ("\xff\xfe", 500),
    ],
)
def test_what_is_out_of_order_is_answered(said: str, code: int, tmp_path: Path) -> None:
    """And the session goes on."""
    with opened(tmp_path) as source, client(source) as server:
        server.ehlo()
        server.command_encoding = "latin-1"
        server.putcmd(said)
        assert server.getreply()[0] == code
        assert not server.sendmail("a@b.example", ["abuse@isp.example"], complaint(1))


def test_nothing_goes_before_the_greeting(tmp_path: Path) -> None:
    """RFC 2033: LHLO comes first."""
    with opened(tmp_path) as source, client(source) as server:
        server.putcmd("MAIL FROM:<a@b.example>")
        assert server.getreply()[0] == 503


def test_what_breaks_off_is_not_kept(tmp_path: Path) -> None:
    """Neither is a mail without its end, nor is it left on the disk."""
    with opened(tmp_path) as source:
        with client(source) as server:
            server.ehlo()
            server.mail("a@b.example")
            server.rcpt("abuse@isp.example")
            server.putcmd("DATA")
            server.getreply()
            server.sock.sendall(crlf(complaint(1)))
            until(lambda: list(source.inbox.folder.glob("*.part")))
            server.close()
        until(lambda: not list(source.inbox.folder.iterdir()))
        assert source.read(1 << 20) is None


def test_while_it_cannot_be_kept_the_mail_server_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails, or is full: a temporary answer, told as a fault until a mail is kept again."""

    def fails(_: int) -> None:
        raise OSError(28, os.strerror(28))

    with opened(tmp_path) as source, client(source) as server:
        with monkeypatch.context() as broken:
            broken.setattr(inbox.os, "fsync", fails)
            with pytest.raises(smtplib.SMTPDataError) as caught:
                server.sendmail("a@b.example", ["abuse@isp.example"], complaint(1))
        assert caught.value.smtp_code == 451
        assert "no space left" in source.fault
        assert not list(source.inbox.folder.iterdir())
        assert not server.sendmail("a@b.example", ["abuse@isp.example"], complaint(1))
        assert source.fault == ""


def test_a_full_inbox_puts_mails_off(tmp_path: Path) -> None:
    """Until those that are there were read."""
    with spool.opened("nobody") as kept, opened(tmp_path, limit=100) as source, client(source) as server:
        assert not server.sendmail("a@b.example", ["abuse@isp.example"], complaint(1))
        with pytest.raises(smtplib.SMTPSenderRefused) as caught:
            server.sendmail("a@b.example", ["abuse@isp.example"], complaint(2))
        assert caught.value.smtp_code == 452
        running = Watch(Settings(lmtp=(DOOR,)), kept, [source])
        running.drain()
        assert not source.inbox.mails()
        assert not server.sendmail("a@b.example", ["abuse@isp.example"], complaint(2))


def test_more_mail_servers_than_there_is_room_for_are_put_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that says nothing holds up nobody else."""
    monkeypatch.setattr(lmtp, "MOST_SESSIONS", 2)
    with opened(tmp_path) as source:
        with socket.create_connection(source.door.address), client(source) as server:
            assert not server.sendmail("a@b.example", ["abuse@isp.example"], complaint(1))
            with pytest.raises(smtplib.SMTPConnectError) as caught:
                client(source)
            assert caught.value.smtp_code == 421
        until(lambda: not source.door._sessions)
        with client(source) as server:
            server.noop()


def watching(told: Lmtp, kept: Spool, folder: Path) -> Watch:
    """A watch over one door, as a process that just started has it."""
    settings = Settings(lmtp=(told,))
    place = LiveState(kept).places().get(lmtp.lmtp_name(told))
    return Watch(settings, kept, [LmtpSource(told, options_of(settings), folder, 1 << 30, place)])


def test_each_mail_counts_once_through_repeats_and_restarts(tmp_path: Path, home: Path) -> None:
    """The same bytes again are a repeat; what nobody recognises stays at the desk."""
    with spool.opened("nobody") as kept:
        for round_ in range(3):
            running = watching(DOOR, kept, tmp_path / "inbox")
            (source,) = running._sources
            assert isinstance(source, LmtpSource)
            with client(source) as server:
                for mail in (complaint(1), complaint(2 + round_), UNKNOWN):
                    assert not server.sendmail("", ["abuse@isp.example"], crlf(mail))
            running.round()
            if round_ != 1:  # killed between reading and writing down, once
                running.commit()
            running.close()
        running = watching(DOOR, kept, tmp_path / "inbox")
        running.drain()
        running.close()
        assert counts(kept) == [4]
        tally = LiveState(kept).counts()
        assert (tally["read"] + tally["rejected"], tally["duplicate"], tally["rejected"]) == (5, 4, 1)
        assert not list((tmp_path / "inbox").iterdir())
    assert len(list((home / "unrecognised").iterdir())) == 1


def test_no_number_is_given_twice(tmp_path: Path) -> None:
    """Also where all mails were read and removed before the next start."""
    box = MailInbox(tmp_path / "inbox", 1 << 20, 7)
    part = box.begin()
    part.write(b"x")
    box.keep(part)
    assert [number for number, _ in box.mails(after=7)] == [8]


def test_a_socket_that_a_killed_process_left_is_replaced(tmp_path: Path, sockets: Path) -> None:
    """One that somebody listens on is not, and is gone when the door closes."""
    path = sockets / "lmtp"
    told = Lmtp(str(path), ("*",))
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with opened(tmp_path, told):
        with smtplib.LMTP(str(path)) as server:
            assert not server.sendmail("", ["abuse@isp.example"], complaint(1))
        with pytest.raises(BadInput, match="address already in use"), opened(tmp_path, told):
            pass
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('listen = "2424"\nrecipients = ["*"]', "not an address with a port"),
        (f'listen = "/{"x" * 107}"\nrecipients = ["*"]', "107 bytes at most"),
        ('listen = "127.0.0.1:2424"\nrecipients = []', "takes no mail without recipients"),
        ('listen = "127.0.0.1:2424"', "recipients"),
        ('listen = "127.0.0.1:2424"\nrecipients = ["*"]\nlargest_mb = 65', "from 1 to 64"),
    ],
)
def test_settings_of_a_door_are_checked_together(text: str, says: str, tmp_path: Path) -> None:
    """What cannot work is refused before anything starts."""
    path = tmp_path / "watch.toml"
    path.write_text(f"[[lmtp]]\n{text}\n")
    with pytest.raises(BadInput, match=says):
        load(path)


def test_check_says_whether_the_door_can_be_opened(tmp_path: Path) -> None:
    """An address that is taken, a folder that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert next(check(Settings(lmtp=(Lmtp(address, ("*",)),)))).state == "wrong"
    for path, state in ((tmp_path / "lmtp", "good"), (tmp_path / "none" / "lmtp", "wrong")):
        assert next(check(Settings(lmtp=(Lmtp(str(path), ("*",)),)))).state == state


def written(listen: str, folder: Path) -> Path:
    """Settings of a watch with one door."""
    path = folder / "watch.toml"
    path.write_text(f'every = 0.05\n[[lmtp]]\nlisten = "{listen}"\nrecipients = ["abuse@*"]\n')
    return path


def test_a_real_postfix_loses_and_doubles_nothing_through_kills(
    tmp_path: Path, home: Path, sockets: Path
) -> None:
    """It delivers over a socket while the watch is killed again and again; all is delivered in the end."""
    dice, sent = random.Random(5), 0
    settings = written(str(sockets / "lmtp"), tmp_path)
    with postfix(f"unix:{sockets}/lmtp") as server:
        for _ in range(KILLS):
            with subprocess.Popen(
                tocsin("watch", "--settings", str(settings)), stderr=subprocess.DEVNULL
            ) as watch:
                until((sockets / "lmtp").exists)
                ends = time.monotonic() + dice.uniform(0.5, 1.5)
                while time.monotonic() < ends:
                    server.send(complaint(sent, f"203.0.113.{sent % 3}"), "abuse@isp.example")
                    sent += 1
                watch.kill()
        with subprocess.Popen(
            tocsin("watch", "--settings", str(settings)), stderr=subprocess.DEVNULL
        ) as watch:
            until(lambda: not server.waiting())
            watch.terminate()
        log = server.log()
    subprocess.run(tocsin("watch", "--settings", str(settings), "--once"), check=True, capture_output=True)
    with spool.opened(spool.NOWHERE) as kept:
        assert sum(counts(kept)) == sent
        assert LiveState(kept).counts()["rejected"] == 0
    assert "status=bounced" not in log
    assert log.count("250 2.0.0 kept") >= sent - KILLS


def test_a_real_postfix_is_answered_for_each_recipient(tmp_path: Path, home: Path) -> None:
    """Who is not taken bounces at once; the others' mail is here, and waits there while it cannot be kept."""
    port = free_port()
    told = Lmtp(f"127.0.0.1:{port}", ("abuse@*", "csirt@*"))
    with (
        spool.opened("nobody") as kept,
        opened(tmp_path, told) as source,
        postfix(f"inet:127.0.0.1:{port}") as server,
    ):
        (tmp_path / "inbox").rename(tmp_path / "away")
        server.send(complaint(1), "abuse@isp.example", "csirt@isp.example", "boss@isp.example")
        until(lambda: "451 4.3.0" in server.log())
        assert source.inbox.mails() == []
        assert "cannot be kept" in source.fault
        (tmp_path / "away").rename(tmp_path / "inbox")
        until(lambda: server.log().count("250 2.0.0 kept") == 2)
        assert "550 5.1.1 no such recipient here" in server.log()
        running = Watch(Settings(lmtp=(told,)), kept, [source])
        running.drain()
        assert counts(kept) == [1]
        assert msgspec.json.encode(sorted(source.refused.counts())) == (
            b'["it cannot be kept, try again later","no such recipient here"]'
        )
