"""Syslog over TLS (RFC 5425): who is let in, what a stranger can do, and that nothing is lost or doubled."""

import hashlib
import os
import random
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from tests.conftest import missing
from tests.ports import free_port
from tests.sift.authority import Authority, Issued
from tests.sift.logs import FAILED
from tests.stories.test_report_killed import tocsin

from tocsin.kernel.problems import BadInput
from tocsin.sift import spool
from tocsin.sift.engine import Options
from tocsin.sift.live import certificates, receiving
from tocsin.sift.live.checking import check
from tocsin.sift.live.meters import Meters
from tocsin.sift.live.metrics import serve
from tocsin.sift.live.receiving import SyslogSource
from tocsin.sift.live.settings import Settings, Syslog, load
from tocsin.sift.live.watching import Watch
from tocsin.sift.values import Attack

KILLS = 20 if os.environ.get("TOCSIN_SOAK") == "1" else 3
RSYSLOG = """
global(DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="{authority}"
       DefaultNetstreamDriverCertFile="{certificate}" DefaultNetstreamDriverKeyFile="{key}"
       workDirectory="{folder}")
module(load="imfile")
input(type="imfile" File="{folder}/auth.log" Tag="sshd" ruleset="out" addMetadata="off")
template(name="as_it_is" type="string" string="<38>1 2026-03-05T10:00:00Z gate sshd 1 - - %rawmsg%")
ruleset(name="out") {{
  action(type="omfwd" protocol="tcp" target="127.0.0.1" port="{port}" StreamDriver="ossl"
         StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="door.example"
         TCP_Framing="octet-counted" template="as_it_is" action.resumeRetryCount="-1"
         action.resumeInterval="1")
}}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An edge home of the test's own; files are looked at all the time."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(certificates, "LOOK_AGAIN", 0.0)
    return tmp_path / "home"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Who vouches for the door and its senders."""
    return Authority(tmp_path)


def told(door: Issued, **more: object) -> Syslog:
    """The settings of a door on any port."""
    files = {"certificate": str(door.certificate), "key": str(door.key)}
    return msgspec.convert({"tls": "127.0.0.1:0", **files, **more}, Syslog)


@contextmanager
def opened(heard: Syslog, folder: Path, limit: int = 1 << 30) -> Iterator[SyslogSource]:
    """The door, until the block ends."""
    source = SyslogSource(heard, Options(), folder / "inbox", limit, None)
    try:
        yield source
    finally:
        source.close()


def sender(source: SyslogSource, authority: Authority, shown: Issued | None = None) -> ssl.SSLSocket:
    """A sender that trusts the authority, and shows a certificate of its own where it has one."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if shown:
        context.load_cert_chain(shown.certificate, shown.key)
    plain = socket.create_connection(("127.0.0.1", source.receiver.ports["tls"]), 10)
    try:
        return context.wrap_socket(plain, server_hostname="127.0.0.1")
    except OSError:
        plain.close()
        raise


def message(number: int, origin: str = "192.0.2.1") -> bytes:
    """One message in its frame (RFC 5425 section 4.3)."""
    text = f"<38>1 2026-03-05T10:00:00Z gate sshd {number} - - {FAILED.format(origin=origin)}".encode()
    return b"%d %s" % (len(text), text)


def until(reached: Callable[[], object]) -> None:
    """Wait until something is so."""
    ends = time.monotonic() + 15
    while not reached() and time.monotonic() < ends:
        time.sleep(0.01)
    assert reached()


def test_messages_arrive_whole_and_are_on_disk(tmp_path: Path, authority: Authority) -> None:
    """In frames that are cut anywhere, in many records and in one; TLS 1.2 is the oldest that is spoken."""
    with opened(told(authority.issue("door.example")), tmp_path) as source:
        with sender(source, authority) as tls:
            assert tls.version() in ("TLSv1.2", "TLSv1.3")
            frames = b"".join(map(message, range(400)))
            for start in range(0, 5_000, 7):
                tls.sendall(frames[start : start + 7] if start < 4_998 else frames[start:])
        until(lambda: source.receiver.received == 400)
        window = source.read(1 << 20)
        assert window
        assert window.content == b"".join(message(n).partition(b" ")[2] + b"\n" for n in range(400))
        where = ["-connect", f"127.0.0.1:{source.receiver.ports['tls']}"]
        old = ["openssl", "s_client", *where, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]
        assert subprocess.run(old, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode
        until(lambda: source.refused.counts())
        assert list(source.refused.counts()) == ["no handshake: unsupported protocol"]


def test_only_senders_of_the_authority_are_let_in(tmp_path: Path, authority: Authority) -> None:
    """Without a certificate, with a stranger's, with another name: each is counted with its reason."""
    (tmp_path / "strange").mkdir()
    stranger = Authority(tmp_path / "strange", "stranger").issue("gate1.example")
    known, other = authority.issue("gate1.example"), authority.issue("gate2.example")
    pinned = authority.issue("gate3.example")
    der = ssl.PEM_cert_to_DER_cert(pinned.certificate.read_text())
    hexadecimal = hashlib.sha256(der).hexdigest().upper()
    pin = "sha-256:" + ":".join(hexadecimal[n : n + 2] for n in range(0, 64, 2))
    heard = told(
        authority.issue("door.example"), clients=str(authority.certificate), names=("gate1.example", pin)
    )
    with opened(heard, tmp_path) as source:
        for number, shown in enumerate((known, pinned)):
            with sender(source, authority, shown) as tls:
                tls.sendall(message(number))
        until(lambda: source.receiver.received == 2)
        for shown in (None, stranger, other):
            before = sum(source.refused.counts().values())
            try:
                with sender(source, authority, shown) as tls:
                    tls.sendall(message(9))
                    tls.recv(1)
            except OSError:
                pass
            until(lambda before=before: sum(source.refused.counts().values()) == before + 1)
        assert source.receiver.received == 2
        reasons = " | ".join(source.refused.counts())
    assert "peer did not return a certificate" in reasons
    assert "not trusted: " in reasons
    assert "another name: " in reasons
    assert "127.0.0.1" in source.refused.words(next(iter(source.refused.counts())))


def test_what_a_door_refuses_is_said_once_and_counted(tmp_path: Path, authority: Authority) -> None:
    """A web browser, a sender of plain text, one that hangs up: no fault of the door, which serves on."""
    said: list[str] = []
    heard = told(authority.issue("door.example"))
    with spool.opened("nobody") as kept, opened(heard, tmp_path) as source:
        running = Watch(Settings(syslog=(heard,)), kept, [source], say=said.append)
        for words in (b"GET / HTTP/1.1\r\n\r\n", b"<38>Mar  5 10:00:00 gate sshd[1]: hello\n", b""):
            for _ in range(2):
                before = sum(source.refused.counts().values())
                with socket.create_connection(("127.0.0.1", source.receiver.ports["tls"])) as plain:
                    plain.sendall(words)
                until(lambda before=before: sum(source.refused.counts().values()) == before + 1)
        with sender(source, authority) as tls:
            tls.sendall(message(1))
        until(lambda: source.receiver.received == 1)
        running.drain()
        assert not running.meters.source_faults
        with serve("127.0.0.1:0", running.meters) as port:
            import urllib.request

            text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
    assert len(said) == len(set(said)) == 3, said
    assert "http request" in said[0]
    assert 'reason="no handshake: http request",source="syslog tls 127.0.0.1:0"} 2.0' in text.replace(
        'source="syslog tls 127.0.0.1:0",reason="no handshake: http request"',
        'reason="no handshake: http request",source="syslog tls 127.0.0.1:0"',
    )
    assert isinstance(running.meters, Meters)


def test_slow_and_huge_senders_hold_up_nobody(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that never ends its handshake, one that never ends its message, many that fill the memory."""
    monkeypatch.setattr(receiving, "GREETING", 0.5)
    monkeypatch.setattr(receiving, "MOST_UNFINISHED", 1 << 20)
    with opened(told(authority.issue("door.example")), tmp_path) as source:
        silent = socket.create_connection(("127.0.0.1", source.receiver.ports["tls"]))
        slow = sender(source, authority)
        slow.sendall(b"500 <38>1 2026")
        huge = [sender(source, authority) for _ in range(2)]
        for tls in huge:
            tls.sendall(b"900000 " + b"x" * 700_000)
        with sender(source, authority) as quick:
            quick.sendall(message(1))
        until(lambda: source.receiver.received >= 1)
        until(lambda: len(source.refused.counts()) == 2)
        assert set(source.refused.counts()) == {
            "no handshake within 0 seconds",
            "unfinished messages take 1 MB",
        }
        assert source.receiver._unfinished <= 1 << 20
        for one in (silent, slow, *huge):
            one.close()


def test_a_renewed_certificate_is_taken_without_a_restart(tmp_path: Path, authority: Authority) -> None:
    """Half of one is told as a fault, and the old one serves on; one that has ended is told, too."""
    heard = told(authority.issue("door.example", file="door"))
    with opened(heard, tmp_path) as source:

        def shown() -> bytes:
            with sender(source, authority) as tls:
                return tls.getpeercert(binary_form=True) or b""

        first = shown()
        whole = Path(heard.key).read_bytes()
        Path(heard.key).write_bytes(whole[:60])
        until(lambda: "cannot be used" in source.fault)
        assert shown() == first
        authority.issue("door.example", file="door")
        until(lambda: source.fault == "")
        assert shown() != first
        authority.issue("door.example", file="door", days=-2)
        until(lambda: "the certificate ended on " in source.fault)


def test_a_full_inbox_lets_senders_wait(tmp_path: Path, authority: Authority) -> None:
    """Nothing of theirs is dropped: it comes when there is room again."""
    heard = told(authority.issue("door.example"))
    with opened(heard, tmp_path, limit=10_000) as source, sender(source, authority) as tls:
        tls.sendall(b"".join(map(message, range(200))))
        until(lambda: source.receiver.received == 200)
        time.sleep(1.5)  # it looks at its size each second
        tls.sendall(message(200))
        time.sleep(0.5)
        assert source.receiver.received == 200
        assert source.read(1 << 20)
        for path in source.inbox.segments():
            path.write_bytes(b"")
        until(lambda: source.receiver.received == 201)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda door, _: door.certificate.unlink(), "no such file"),
        (lambda door, _: door.certificate.write_text("nothing"), "holds no certificate"),
        (lambda door, _: door.key.write_text("nothing"), "holds no key"),
        (lambda door, other: door.key.write_bytes(other.key.read_bytes()), "does not fit"),
        (lambda _, __: None, "can be listened on; its certificate ends in 30 days; any sender"),
    ],
)
def test_check_says_what_is_wrong(
    spoil: Callable[[Issued, Issued], object], says: str, tmp_path: Path, authority: Authority
) -> None:
    """Which file it is, and what is the matter with it; a watch does not start with it either."""
    door = authority.issue("door.example")
    spoil(door, authority.issue("other.example"))
    heard = told(door)
    found = next(check(Settings(syslog=(heard,))))
    assert says in found.detail
    if found.state == "wrong":
        with pytest.raises(BadInput, match=says), opened(heard, tmp_path):
            pass


@pytest.mark.parametrize(("days", "state"), [(3, "missing"), (-1, "wrong"), (200, "good")])
def test_check_says_when_a_certificate_ends(days: int, state: str, authority: Authority) -> None:
    """Soon is worth a word, ended is a fault."""
    found = next(check(Settings(syslog=(told(authority.issue("door.example", days=days)),))))
    assert found.state == state
    assert bool(found.advice) == (state != "good")


def test_a_taken_port_and_an_encrypted_key_are_said(tmp_path: Path, authority: Authority) -> None:
    """Nobody is there to type a password."""
    door = authority.issue("door.example")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        heard = told(door, tls=f"127.0.0.1:{taken.getsockname()[1]}")
        assert "address already in use" in next(check(Settings(syslog=(heard,)))).detail
    command = ["openssl", "pkcs8", "-topk8", "-in", str(door.key), "-out", str(tmp_path / "locked.key")]
    subprocess.run([*command, "-passout", "pass:secret"], check=True, capture_output=True)
    heard = told(door, key=str(tmp_path / "locked.key"))
    assert "holds no key" in next(check(Settings(syslog=(heard,)))).detail


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('tls = "127.0.0.1:6514"', "needs a certificate"),
        ('tls = "127.0.0.1:6514"\ncertificate = "c"\nkey = "k"\nnames = ["a"]', "names needs clients"),
        ('tls = "6514"\ncertificate = "c"\nkey = "k"', "not an address with a port"),
    ],
)
def test_settings_of_a_door_are_checked_together(text: str, says: str, tmp_path: Path) -> None:
    """What cannot work is refused before anything starts."""
    path = tmp_path / "watch.toml"
    path.write_text(f"[[syslog]]\n{text}\n")
    with pytest.raises(BadInput, match=says):
        load(path)


def attacks() -> list[Attack]:
    """Everything that a watch found."""
    with spool.opened(spool.NOWHERE) as kept:
        rows = kept.db.execute("SELECT body FROM attack").fetchall()
    return [msgspec.json.decode(body, type=Attack) for (body,) in rows]


def written(door: Issued, port: int, folder: Path, more: str = "") -> Path:
    """Settings of a watch with one door."""
    path = folder / "watch.toml"
    path.write_text(
        f'every = 0.05\n[[syslog]]\ntls = "127.0.0.1:{port}"\ncertificate = "{door.certificate}"\n'
        f'key = "{door.key}"\n{more}'
    )
    return path


def test_killed_at_any_moment_nothing_received_is_lost_or_doubled(
    tmp_path: Path, authority: Authority, home: Path
) -> None:
    """Each connection's messages come from addresses of their own: what was received is the first so many."""
    dice, port = random.Random(3), free_port()
    settings = written(authority.issue("door.example"), port, tmp_path)
    context = ssl.create_default_context(cafile=str(authority.certificate))
    for connection in range(1, KILLS + 2):
        with subprocess.Popen(
            tocsin("watch", "--settings", str(settings)), stderr=subprocess.DEVNULL
        ) as watch:
            tls, number = None, 0
            while tls is None:
                try:
                    plain = socket.create_connection(("127.0.0.1", port), 5)
                    tls = context.wrap_socket(plain, server_hostname="127.0.0.1")
                except OSError:
                    time.sleep(0.05)
            ends = time.monotonic() + dice.uniform(0.5, 1.5)
            with tls:
                while time.monotonic() < ends:
                    tls.sendall(message(number, f"2001:db8:{connection:x}::{number + 1:x}"))
                    number += 1
                    time.sleep(0.001)
                if connection <= KILLS:
                    watch.kill()
            if connection > KILLS:
                time.sleep(1)  # it is over TLS: nobody says that it has arrived
                watch.terminate()
            watch.wait()
    subprocess.run(tocsin("watch", "--settings", str(settings), "--once"), check=True, capture_output=True)
    found = attacks()
    assert all(attack.count == 1 for attack in found)
    origins = {attack.origins[0] for attack in found}
    for connection in range(1, KILLS + 2):
        count = sum(origin.startswith(f"2001:db8:{connection:x}:") for origin in origins)
        assert count
        assert {f"2001:db8:{connection:x}::{n + 1:x}" for n in range(count)} <= origins
    assert count == number


def test_a_real_rsyslog_delivers_by_mutual_tls(tmp_path: Path, authority: Authority, home: Path) -> None:
    """Debian's rsyslog with its OpenSSL driver, counted frames and names checked on both sides."""
    rsyslogd = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin")
    if not rsyslogd or not list(Path("/usr/lib").glob("**/rsyslog/lmnsd_ossl.so")):
        missing("this needs rsyslog with its OpenSSL driver: make system")
    shown = authority.issue("gate1.example")
    heard = told(
        authority.issue("door.example"), clients=str(authority.certificate), names=("gate1.example",)
    )
    folder = tmp_path / "rsyslog"
    folder.mkdir()
    with spool.opened("nobody") as kept, opened(heard, tmp_path) as source:
        config = RSYSLOG.format(
            authority=authority.certificate, certificate=shown.certificate, key=shown.key, folder=folder,
            port=source.receiver.ports["tls"],
        )  # fmt: skip
        (folder / "conf").write_text(config)
        command = [rsyslogd, "-n", "-f", str(folder / "conf"), "-i", str(folder / "pid")]
        with (folder / "out").open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
            try:
                with (folder / "auth.log").open("w") as log:
                    for n in range(500):
                        log.write(FAILED.format(origin=f"192.0.2.{n % 5}") + "\n")
                until(lambda: source.receiver.received >= 500)
            finally:
                process.terminate()
        running = Watch(Settings(syslog=(heard,)), kept, [source])
        running.drain()
        rows = kept.db.execute("SELECT body FROM attack").fetchall()
        found = [msgspec.json.decode(body, type=Attack) for (body,) in rows]
    assert sorted(attack.count for attack in found) == [100] * 5
    assert not source.refused.counts(), source.refused.counts()
