"""Syslog over UDP, TCP and TLS: written to disk as it comes, read from there like any log.

What was received stands in the spool's `inbox` before anything else happens to it, so that a kill loses
nothing that came in, and a flood of messages takes disk and not memory. When the inbox is full, TCP and TLS
senders are made to wait and UDP messages are dropped and counted; so it is while the disk takes nothing.
"""

import contextlib
import re
import socket
import ssl
import threading
import time
from dataclasses import replace
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.sift.engine import Options
from tocsin.sift.live.certificates import Certificates, refusal
from tocsin.sift.live.following import Followed, Place
from tocsin.sift.live.inbox import Inbox
from tocsin.sift.live.refusals import Refusals
from tocsin.sift.live.settings import Syslog, endpoint
from tocsin.sift.live.windows import Window

LONGEST = 1 << 20  # a message; a longer one is cut
_COUNT = re.compile(rb"([1-9][0-9]{0,7})( |\Z)")  # a frame's length (RFC 6587 3.4.1)
MOST_CONNECTIONS = 500
MOST_UNFINISHED = 64 << 20  # bytes of messages whose end has not come, of all senders together
AT_ONCE = 1 << 20  # bytes that one sender may give before another is asked
MOST_GREETING = 100  # senders in the middle of a TLS handshake
GREETING = 10.0  # seconds that a handshake may take


class SyslogSource:
    """What one pair of addresses receives: a source of `Watch`."""

    def __init__(
        self, settings: Syslog, options: Options, folder: Path, limit: int, place: bytes | None
    ) -> None:
        self.name = syslog_name(settings)
        self.options = replace(options, tz=settings.tz)
        self.lost = 0
        self.inbox = Inbox(folder, limit)
        self._place = msgspec.msgpack.decode(place, type=tuple[int, Place]) if place else None
        self._followed: Followed | None = None
        self._number = 0
        try:
            self.receiver = Receiver(settings, self.inbox)
        except BadInput:
            self.inbox.close()
            raise
        self.receiver.start()

    def read(self, budget: int) -> Window | None:
        """The next messages, segment after segment."""
        while True:
            current = int(self.inbox.current.stem)  # before it is read: what is older gets no more
            if self._followed is None and not self._next():
                return None
            assert self._followed is not None  # noqa: S101 (for the type checker)
            window = self._followed.read(budget)
            if window is not None:
                self._place = (self._number, self._followed.place or _NOWHERE)
                return Window(
                    path=self.name, first_line=window.first_line, content=window.content, is_lines=True,
                    changed=time.time(),
                )  # fmt: skip
            if self._number >= current:
                return None
            self._followed.close()
            self._followed = None

    def place(self) -> bytes | None:
        """Which segment, and how far it was read."""
        return msgspec.msgpack.encode(self._place) if self._place else None

    def settled(self) -> None:
        """Remove the segments that were read to their end."""
        if self._place is None:
            return
        for path in self.inbox.segments():
            if int(path.stem) < self._place[0]:
                with contextlib.suppress(OSError):  # it is tried again
                    path.unlink()

    @property
    def fault(self) -> str:
        """Why nothing is received, nothing where it is."""
        if not self.receiver.is_alive():
            return self.receiver.fault or "nothing is received any more"
        return self.inbox.fault or self.receiver.fault

    @property
    def dropped(self) -> int:
        """Datagrams there was no room for."""
        return self.receiver.dropped

    @property
    def refused(self) -> Refusals:
        """Senders that were sent away, by reason."""
        return self.receiver.refused

    def is_behind(self) -> bool:
        """What was received is given when it is asked for."""
        return False

    def is_gone(self) -> bool:
        """It stays."""
        return False

    def backlog(self) -> int:
        """Bytes received and not read."""
        read = self._place[1].offset if self._place else 0
        return max(self.inbox.size() - read, 0)

    def close(self) -> None:
        """Receive no more."""
        self.receiver.stop()
        self.inbox.close()
        if self._followed is not None:
            self._followed.close()

    def _next(self) -> bool:
        kept = self._place
        for path in self.inbox.segments():
            number = int(path.stem)
            if number > self._number and (kept is None or number >= kept[0]):
                place = kept[1] if kept and number == kept[0] else None
                self._followed, self._number = Followed(str(path), place), number
                return True
        return False


_NOWHERE = Place(0, 0, 0, 0, "", 0)


class Receiver(threading.Thread):
    """Takes messages from the sockets into the inbox; `dropped` counts UDP messages there was no room for."""

    def __init__(self, settings: Syslog, inbox: Inbox) -> None:
        super().__init__(daemon=True, name="syslog")
        self._inbox, self._names = inbox, settings.names
        self._certificates = Certificates(settings) if settings.tls else None
        self._stop_asked = threading.Event()
        self._selector = DefaultSelector()
        self._greeting: dict[ssl.SSLSocket, tuple[float, str]] = {}  # until when, and who
        self._waiting: dict[socket.socket, bytes] = {}
        self._unfinished = 0  # bytes that wait for the end of their message
        self._unwritten = b""  # what TCP senders gave and the disk did not take
        self.received = self.dropped = 0
        self.refused = Refusals()
        self._fault = ""
        self.ports: dict[str, int] = {}
        if settings.udp:
            self._listen("udp", endpoint(settings.udp), socket.SOCK_DGRAM)
        if settings.tcp:
            self._listen("tcp", endpoint(settings.tcp), socket.SOCK_STREAM)
        if settings.tls:
            self._listen("tls", endpoint(settings.tls), socket.SOCK_STREAM)

    @property
    def fault(self) -> str:
        """What keeps messages out, or will."""
        return self._fault or (self._certificates.fault if self._certificates else "")

    def stop(self) -> None:
        """Take no more; gives when the thread has ended."""
        self._stop_asked.set()
        self.join(timeout=5)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]  # they are sockets
        self._selector.close()

    def run(self) -> None:
        """Receive until asked to stop."""
        full, looked_at = False, 0.0
        while not self._stop_asked.is_set():
            try:
                if time.monotonic() - looked_at > 1:
                    full, looked_at = self._inbox.is_full(), time.monotonic()
                if self._certificates:
                    self._certificates.look()
                    self._hurry()
                if self._unwritten and self._inbox.write(self._unwritten):
                    self._unwritten = b""
                for key, _ in self._selector.select(0.2):
                    self._take(key.fileobj, key.data, full or bool(self._unwritten))  # type: ignore[arg-type]  # they are sockets
                self._fault = ""
            except OSError as error:  # one socket's trouble is not the others'
                self._fault = (error.strerror or str(error)).lower()
                time.sleep(0.2)
            if full or self._unwritten:
                time.sleep(0.05)

    def _listen(self, kind: str, address: tuple[str, int], how: socket.SocketKind) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        sock = socket.socket(family, how)
        try:
            if kind != "udp":  # over UDP a second process could take the port, and half of the messages
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            else:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            sock.bind(address)
        except OSError as error:
            sock.close()
            raise BadInput(f"cannot listen on {address[0]}:{address[1]}: {error.strerror}") from error
        if kind != "udp":
            sock.listen(64)
        sock.setblocking(False)
        self.ports[kind] = sock.getsockname()[1]
        self._selector.register(sock, EVENT_READ, kind)

    def _take(self, sock: socket.socket, kind: str, full: bool) -> None:
        if kind == "udp":
            self._take_datagrams(sock, full)
        elif isinstance(sock, ssl.SSLSocket) and sock in self._greeting:
            self._greet(sock)
        elif full:
            return  # the sender's window fills, and it waits
        elif kind in ("tcp", "tls"):
            self._admit(sock, kind)
        elif sock in self._waiting:
            self._take_stream(sock)

    def _admit(self, listening: socket.socket, kind: str) -> None:
        """Let a sender in; over TLS it has to greet first."""
        connection, (peer, *_) = listening.accept()
        connection.setblocking(False)
        if len(self._waiting) >= MOST_CONNECTIONS:
            connection.close()
            self.refused.add(f"{MOST_CONNECTIONS} connections are open", peer)
            return
        if kind == "tcp":
            self._waiting[connection] = b""
            self._selector.register(connection, EVENT_READ, "connection")
            return
        assert self._certificates is not None  # noqa: S101 (for the type checker)
        if len(self._greeting) >= MOST_GREETING:
            self._send_away(next(iter(self._greeting)), "too many handshakes at once")
        try:
            secure = self._certificates.context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
        except OSError as error:
            connection.close()
            self.refused.add(reason_of(error), peer)
            return
        self._greeting[secure] = (time.monotonic() + GREETING, peer)
        self._selector.register(secure, EVENT_READ, "connection")

    def _greet(self, sock: ssl.SSLSocket) -> None:
        """Go on with a handshake, as far as the sender has come."""
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            self._selector.modify(sock, EVENT_READ, "connection")
        except ssl.SSLWantWriteError:
            self._selector.modify(sock, EVENT_WRITE, "connection")
        except OSError as error:
            self._send_away(sock, reason_of(error))
        else:
            if why := refusal(sock.getpeercert(binary_form=True), self._names):
                self._send_away(sock, why)
                return
            del self._greeting[sock]
            self._waiting[sock] = b""
            self._selector.modify(sock, EVENT_READ, "connection")

    def _hurry(self) -> None:
        """Send away who takes too long over the handshake."""
        late = [sock for sock, (until, _) in self._greeting.items() if until < time.monotonic()]
        for sock in late:
            self._send_away(sock, f"no handshake within {GREETING:.0f} seconds")

    def _send_away(self, sock: ssl.SSLSocket, reason: str) -> None:
        _, peer = self._greeting.pop(sock)
        self.refused.add(reason, peer)
        self._selector.unregister(sock)
        sock.close()

    def _take_datagrams(self, sock: socket.socket, full: bool) -> None:
        lines = []
        for _ in range(1_000):
            try:
                message = sock.recv(1 << 16)
            except BlockingIOError:
                break
            if full:
                self.dropped += 1
            else:
                lines.append(one_line(message))
        if lines and self._inbox.write(b"".join(lines)):
            self.received += len(lines)
        else:
            self.dropped += len(lines)

    def _take_stream(self, sock: socket.socket) -> None:
        data, is_over = given(sock)
        before = self._waiting[sock]
        messages, rest = frames(before + data)
        unfinished = self._unfinished - len(before) + len(rest)
        if unfinished > MOST_UNFINISHED:
            self.refused.add(f"unfinished messages take {MOST_UNFINISHED >> 20} MB")
            is_over = True
        if is_over:
            messages += [rest] if rest.strip() else []
            unfinished -= len(rest)
            self._selector.unregister(sock)
            del self._waiting[sock]
            sock.close()
        else:
            self._waiting[sock] = rest
        self._unfinished = unfinished
        if messages:
            self.received += len(messages)
            content = b"".join(map(one_line, messages))
            if not self._inbox.write(content):
                self._unwritten += content


def given(sock: socket.socket) -> tuple[bytes, bool]:
    """What a sender gave by now, about a megabyte at most, and whether it gives no more.

    Of TLS everything is taken that was deciphered: no selector would speak of it again.
    """
    parts: list[bytes] = []
    size = 0
    try:
        while size < AT_ONCE or (isinstance(sock, ssl.SSLSocket) and sock.pending()):
            part = sock.recv(AT_ONCE)
            if not part:
                return b"".join(parts), True
            parts.append(part)
            size += len(part)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return b"".join(parts), False
    except OSError:
        return b"".join(parts), True
    return b"".join(parts), False


def reason_of(error: OSError) -> str:
    """Why a handshake failed, in few and steady words: they are counted."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"a certificate that is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLEOFError | ConnectionError):
        return "the sender hung up during the handshake"
    if isinstance(error, ssl.SSLError) and error.reason:
        words = error.reason.lower().replace("_", " ")
        return f"no handshake: {words}"
    return f"no handshake: {(error.strerror or type(error).__name__).lower()}"


def frames(data: bytes) -> tuple[list[bytes], bytes]:
    """The messages in a stream, framed by counts or by newlines (RFC 6587 3.4), and what is left."""
    messages = []
    place, size = 0, len(data)
    while place < size:
        if counted := _COUNT.match(data, place):
            if not counted[2]:
                break
            start, length = counted.end(), int(counted[1])
            if size - start < length <= LONGEST:
                break
            messages.append(data[start : start + length])
            place = start + length
            continue
        end = data.find(b"\n", place)
        if end < 0 and size - place < LONGEST:
            break
        end = size if end < 0 else end
        messages.append(data[place:end])
        place = end + 1
    return [message for message in messages if message.strip()], data[place:]


def one_line(message: bytes) -> bytes:
    """A message as one line of a log, without a final newline or zero of its own."""
    return message.rstrip(b"\r\n\0").replace(b"\n", b" ").replace(b"\0", b"")[:LONGEST] + b"\n"


def syslog_name(settings: Syslog) -> str:
    """How the addresses are called among the sources."""
    ways = {"udp": settings.udp, "tcp": settings.tcp, "tls": settings.tls}
    return " ".join(["syslog", *(f"{way} {address}" for way, address in ways.items() if address)])
