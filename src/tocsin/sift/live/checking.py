"""What a watch with these settings would watch and tell, and whether it could: for `tocsin watch --check`."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec

from tocsin.kernel.checkup import Finding, State
from tocsin.kernel.problems import BadInput, Problem
from tocsin.sift import calling, rulebook
from tocsin.sift.engine import Options
from tocsin.sift.live.certificates import advice, context_of
from tocsin.sift.live.files import Log, paths
from tocsin.sift.live.journal import journal_name
from tocsin.sift.live.lmtp import lmtp_name
from tocsin.sift.live.outlets import Away
from tocsin.sift.live.settings import Files, Journal, Lmtp, Mailbox, Rt, Settings, Siem, Syslog, endpoint
from tocsin.sift.live.starting import key_of
from tocsin.sift.live.tickets import Rt5

PATIENCE = 10.0  # seconds for journalctl
NAMED = 20  # files of a pattern that are named one by one


def check(settings: Settings) -> Iterator[Finding]:
    """One finding for each source, and for each place that is told. Nothing is read to be kept, or sent."""
    for files in settings.files:
        yield from _files(files)
    for journal in settings.journal:
        yield _journal(journal)
    for heard in settings.syslog:
        yield from _syslog(heard)
    for box in settings.mailbox:
        yield _mailbox(box)
    for door in settings.lmtp:
        yield _lmtp(door)
    for tap in settings.dnstap:
        yield _socket(f"dnstap {tap.socket}", tap.socket)
    if settings.to:
        yield _exchange(settings)
    else:
        yield Finding("exchange", "missing", "nothing is reported", "name one with `to` when you wish to")
    for siem in settings.siem:
        yield from _siem(siem)
    for rt in settings.rt:
        yield _rt(rt)
    if settings.metrics:
        yield _address("metrics", settings.metrics, socket.SOCK_STREAM)


def _files(files: Files) -> Iterator[Finding]:
    try:
        mapping = rulebook.mapping(Path(files.map)) if files.map else None
    except BadInput as problem:
        yield Finding(f"map {files.map}", "wrong", problem.detail, problem.hint)
        return
    for pattern in files.paths:
        found = sorted(paths(pattern))
        if not found:
            yield Finding(
                f"files {pattern}", "missing", "names no file yet", "it is looked up again and again"
            )
        for path in found[:NAMED]:
            yield _log(path, Options(mapping=mapping))
        if len(found) > NAMED:
            yield Finding(f"files {pattern}", "good", f"and {len(found) - NAMED} more")


def _log(path: str, options: Options) -> Finding:
    log = Log(path, options, None)
    try:
        log.read(1)
        if log.fault == "no such file":
            return Finding(log.name, "missing", log.fault, "it is followed from when it is made")
        if log.fault:
            return Finding(log.name, "wrong", log.fault, "let the user that watches read it")
        return Finding(log.name, "good", f"{Path(path).stat().st_size:,} bytes")
    finally:
        log.close()


def _journal(journal: Journal) -> Finding:
    name = journal_name(journal)
    if shutil.which("journalctl") is None:
        return Finding(name, "wrong", "journalctl is not installed", "apt install systemd")
    command = ["journalctl", "--lines=1", "--output=cat", "--no-pager"]
    command += [f"--directory={journal.directory}"] if journal.directory else []
    command += [f"--unit={unit}" for unit in journal.units]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)  # noqa: S603 (no shell sees the units)
    except subprocess.TimeoutExpired:
        return Finding(name, "wrong", "journalctl does not answer")
    said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
    if done.returncode or "not seeing messages" in said:
        advice = "add the user that watches to the group systemd-journal"
        return Finding(name, "wrong", said or f"journalctl ended with {done.returncode}", advice)
    if not done.stdout.strip():
        return Finding(name, "missing", "there is no entry yet", "check the names of the units")
    return Finding(name, "good", "can be read")


def _syslog(heard: Syslog) -> Iterator[Finding]:
    if heard.udp:
        yield _address("syslog udp", heard.udp, socket.SOCK_DGRAM)
    if heard.tcp:
        yield _address("syslog tcp", heard.tcp, socket.SOCK_STREAM)
    if heard.tls:
        yield _tls(heard)


def _tls(heard: Syslog) -> Finding:
    found = _address("syslog tls", heard.tls, socket.SOCK_STREAM)
    try:
        context_of(heard)
        ends, renew = advice(heard)
    except BadInput as problem:
        return Finding(found.what, "wrong", problem.detail, "let the user that watches read it, in PEM")
    if found.state == "wrong":
        return found
    whom = "senders must show a certificate" if heard.clients else "any sender is let in"
    state: State = "wrong" if "has ended" in ends else "missing" if renew else "good"
    return Finding(found.what, state, f"can be listened on; {ends}; {whom}", renew)


def _address(what: str, address: str, kind: socket.SocketKind) -> Finding:
    host, port = endpoint(address)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as sock:
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError as error:
            advice = "a watch that runs already has it" if error.errno == 98 else ""
            reason = (error.strerror or str(error)).lower()
            return Finding(f"{what} {address}", "wrong", f"cannot listen: {reason}", advice)
    return Finding(f"{what} {address}", "good", "can be listened on")


def _mailbox(box: Mailbox) -> Finding:
    from tocsin.sift.live.mailbox import look, mailbox_name

    try:
        count = look(box)
    except Problem as problem:
        return Finding(mailbox_name(box), "wrong", problem.detail)
    return Finding(mailbox_name(box), "good", f"{count:,} mails")


def _lmtp(door: Lmtp) -> Finding:
    if not door.listen.startswith("/"):
        return _address("lmtp", door.listen, socket.SOCK_STREAM)
    return _socket(lmtp_name(door), door.listen)


def _socket(name: str, path: str) -> Finding:
    folder = Path(path).parent
    if not os.access(folder, os.W_OK | os.X_OK):
        hint = f"make {folder}, writable by the user that watches; who may enter it may write to the socket"
        return Finding(name, "wrong", "the socket cannot be made", hint)
    return Finding(name, "good", "can be listened on")


def _exchange(settings: Settings) -> Finding:
    try:
        with calling.client(settings.to, key_of(settings)) as client:
            answer = calling.ask(lambda: client.get("/exchange"), ())
        name = msgspec.json.decode(answer.content, type=calling.Exchange).name
    except (httpx.InvalidURL, msgspec.DecodeError):
        return Finding(settings.to, "wrong", "does not answer like a Tocsin exchange", "check `to`")
    except Problem as problem:
        return Finding(settings.to, "wrong", problem.detail, problem.hint)
    return Finding(settings.to, "good", f"answers as {name}")


def _siem(siem: Siem) -> Iterator[Finding]:
    if siem.ecs:
        folder = Path(siem.ecs).absolute().parent
        is_good = os.access(siem.ecs if Path(siem.ecs).exists() else folder, os.W_OK)
        detail = "can be written" if is_good else "cannot be written"
        advice = "" if is_good else f"make {folder}, writable by the user that watches"
        yield Finding(f"ecs {siem.ecs}", "good" if is_good else "wrong", detail, advice)
    if siem.syslog:
        yield Finding(f"syslog {siem.syslog}", "good", "is sent to; whether it arrives cannot be known")


def _rt(rt: Rt) -> Finding:
    import sqlite3

    db = sqlite3.connect(":memory:", isolation_level=None)
    try:
        name = Rt5(rt, db, lambda attack: attack.attack_id).queue()
    except Away as problem:
        return Finding(f"rt {rt.url}", "wrong", problem.detail, "check url, queue and the token's rights")
    except BadInput as problem:
        return Finding(f"rt {rt.url}", "wrong", problem.detail, problem.hint)
    finally:
        db.close()
    return Finding(f"rt {rt.url}", "good", f"queue {name}")
