"""Syslog over UDP and TCP: written to disk as it comes, read from there like any log.

What was received stands in the spool's `inbox` before anything else happens to it, so that a kill loses
nothing that came in, and a flood of messages takes disk and not memory. When the inbox is full, TCP senders
are made to wait and UDP messages are dropped and counted; so it is while the disk takes nothing.
"""

import contextlib
import os
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector

import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.sift.engine import Options
from tocsin.sift.live.following import Followed, Place
from tocsin.sift.live.settings import Syslog, endpoint
from tocsin.sift.live.windows import Window

SEGMENT = 16 << 20
LONGEST = 1 << 20  # a message; a longer one is cut
LARGEST_COUNT = 8  # digits of a frame's length (RFC 6587 3.4.1)
MOST_CONNECTIONS = 500


class Inbox:
    """Segments on disk: written by a receiver, read and removed by the watch."""

    def __init__(self, folder: Path, limit: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder, self._limit = folder, limit
        self._lock = threading.Lock()
        numbers = [int(path.stem) for path in folder.glob("*.log")]
        self._number = max(numbers, default=0) + 1
        self._file = self._segment(self._number).open("ab", buffering=0)
        self._written = 0
        self.fault = ""

    @property
    def current(self) -> Path:
        """The segment that is written to."""
        return self._segment(self._number)

    def is_full(self) -> bool:
        """Whether the segments take more than they may."""
        return self.size() > self._limit

    def size(self) -> int:
        """Bytes that the segments take."""
        return sum(map(_size, self.segments()))

    def segments(self) -> list[Path]:
        """All that there are, the oldest first."""
        return sorted(self.folder.glob("*.log"), key=lambda path: int(path.stem))

    def write(self, lines: bytes) -> bool:
        """Add whole lines; from then on a kill cannot lose them. False where the disk takes none."""
        with self._lock:
            try:
                if self._written and self._written + len(lines) > SEGMENT:
                    following = self._segment(self._number + 1).open("ab", buffering=0)
                    self._file.close()
                    self._file, self._number, self._written = following, self._number + 1, 0
                self._add(lines)
            except OSError as error:
                self.fault = f"what is received cannot be kept: {(error.strerror or str(error)).lower()}"
                return False
            self.fault = ""
            return True

    def _add(self, lines: bytes) -> None:
        left = memoryview(lines)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError:
            with contextlib.suppress(OSError):  # half a line would spoil the next
                os.ftruncate(self._file.fileno(), self._written)
            raise
        self._written += len(lines)

    def close(self) -> None:
        """Write no more."""
        self._file.close()

    def _segment(self, number: int) -> Path:
        return self.folder / f"{number}.log"


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
        self.receiver = Receiver(settings, self.inbox)
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


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # it was read, and removed


_NOWHERE = Place(0, 0, 0, 0, "", 0)


class Receiver(threading.Thread):
    """Takes messages from the sockets into the inbox; `dropped` counts UDP messages there was no room for."""

    def __init__(self, settings: Syslog, inbox: Inbox) -> None:
        super().__init__(daemon=True, name="syslog")
        self._inbox = inbox
        self._stop_asked = threading.Event()
        self._selector = DefaultSelector()
        self._waiting: dict[socket.socket, bytes] = {}
        self._unwritten = b""  # what TCP senders gave and the disk did not take
        self.received = self.dropped = 0
        self.fault = ""
        self.ports: dict[str, int] = {}
        if settings.udp:
            self._listen("udp", endpoint(settings.udp), socket.SOCK_DGRAM)
        if settings.tcp:
            self._listen("tcp", endpoint(settings.tcp), socket.SOCK_STREAM)

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
                if self._unwritten and self._inbox.write(self._unwritten):
                    self._unwritten = b""
                for key, _ in self._selector.select(0.2):
                    self._take(key.fileobj, key.data, full or bool(self._unwritten))  # type: ignore[arg-type]  # they are sockets
            except OSError as error:  # one socket's trouble is not the others'
                self.fault = (error.strerror or str(error)).lower()
                time.sleep(0.2)
            if full or self._unwritten:
                time.sleep(0.05)

    def _listen(self, kind: str, address: tuple[str, int], how: socket.SocketKind) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        sock = socket.socket(family, how)
        try:
            if kind == "tcp":  # over UDP a second process could take the port, and half of the messages
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            else:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            sock.bind(address)
        except OSError as error:
            sock.close()
            raise BadInput(f"cannot listen on {address[0]}:{address[1]}: {error.strerror}") from error
        if kind == "tcp":
            sock.listen(64)
        sock.setblocking(False)
        self.ports[kind] = sock.getsockname()[1]
        self._selector.register(sock, EVENT_READ, kind)

    def _take(self, sock: socket.socket, kind: str, full: bool) -> None:
        if kind == "udp":
            self._take_datagrams(sock, full)
        elif full:
            return  # the sender's window fills, and it waits
        elif kind == "tcp":
            connection, _ = sock.accept()
            if len(self._waiting) >= MOST_CONNECTIONS:
                connection.close()
                self.fault = f"a connection was refused: {MOST_CONNECTIONS} are open"
                return
            connection.setblocking(False)
            self._waiting[connection] = b""
            self._selector.register(connection, EVENT_READ, "connection")
        else:
            self._take_stream(sock)

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
        try:
            data = sock.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        messages, rest = frames(self._waiting[sock] + data)
        if not data:
            messages += [rest] if rest.strip() else []
            self._selector.unregister(sock)
            del self._waiting[sock]
            sock.close()
        else:
            self._waiting[sock] = rest
        if messages:
            self.received += len(messages)
            content = b"".join(map(one_line, messages))
            if not self._inbox.write(content):
                self._unwritten += content


def frames(data: bytes) -> tuple[list[bytes], bytes]:
    """The messages in a stream, framed by counts or by newlines (RFC 6587 3.4), and what is left."""
    messages = []
    while data:
        count, space, _ = data.partition(b" ")
        if count.isdigit() and len(count) <= LARGEST_COUNT and not data.startswith(b"0"):
            if not space:
                break
            start = len(count) + 1
            if len(data) < start + int(count) and int(count) <= LONGEST:
                break
            messages.append(data[start : start + int(count)])
            data = data[start + int(count) :]
            continue
        line, newline, after = data.partition(b"\n")
        if not newline and len(line) < LONGEST:
            break
        messages.append(line)
        data = after
    return [message for message in messages if message.strip()], data


def one_line(message: bytes) -> bytes:
    """A message as one line of a log, without a final newline or zero of its own."""
    return message.rstrip(b"\r\n\0").replace(b"\n", b" ").replace(b"\0", b"")[:LONGEST] + b"\n"


def syslog_name(settings: Syslog) -> str:
    """How the addresses are called among the sources."""
    return " ".join(
        filter(
            None, ("syslog", settings.udp and f"udp {settings.udp}", settings.tcp and f"tcp {settings.tcp}")
        )
    )
