"""dnstap from resolvers on a Unix socket: what may be a block is written down, and counted each minute.

What a resolver says of anything else is forgotten as it comes. What was written down is a file of frames;
each minute it is counted as `tocsin tally` does, and removed. A file that was counted before a kill and not
removed is known by its bytes.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tocsin.kernel.problems import Problem
from tocsin.sift.engine import Options
from tocsin.sift.live.inbox import append
from tocsin.sift.live.refusals import Refusals
from tocsin.sift.live.settings import Dnstap
from tocsin.sift.live.sockets import listening, shut
from tocsin.sift.live.windows import Window
from tocsin.wire import dnstap
from tocsin.wire.framestream import (
    ACCEPT,
    FINISH,
    READY,
    START,
    STOP,
    Frame,
    Frames,
    control_frame,
    data_frame,
)

MOST_CONNECTIONS = 100
COUNTING = "counting.tap"  # always of this name, so that its tallies are of one log
_CHUNK = 1 << 18

Count = Callable[[list[Path]], tuple[int, str]]


class TapFiles:
    """Frames on disk, the newest file open: written by the door, taken away once they were counted."""

    def __init__(self, folder: Path, limit: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder, self._limit = folder, limit
        self._lock = threading.Lock()
        self._file = (folder / f"{time.time_ns()}.tap").open("xb", buffering=0)
        self._file.write(control_frame(START, dnstap.CONTENT))
        self._is_empty = True

    def write(self, frames: list[bytes]) -> None:
        """Add frames, all or none of them. Raises OSError."""
        with self._lock:
            append(self._file, b"".join(map(data_frame, frames)), self._file.tell())
            self._is_empty = False

    def ended(self) -> list[Path]:
        """Begin another file where there is anything in this one; gives those that end, the oldest first."""
        with self._lock:
            if not self._is_empty:
                following = (self.folder / f"{time.time_ns()}.tap").open("xb", buffering=0)
                following.write(control_frame(START, dnstap.CONTENT))
                self._file.close()
                self._file, self._is_empty = following, True
            current = Path(self._file.name)
        return sorted(path for path in self.folder.glob("[0-9]*.tap") if path != current)

    def size(self) -> int:
        """Bytes that they take."""
        sizes = []
        for path in self.folder.glob("*.tap"):
            with contextlib.suppress(OSError):  # it was counted, and removed
                sizes.append(path.stat().st_size)
        return sum(sizes)

    def is_full(self) -> bool:
        """Whether they take more than they may."""
        return self.size() > self._limit

    def close(self) -> None:
        """Write no more."""
        self._file.close()


class TapSource:
    """One socket: a source of `Watch` that gives it nothing to read, but has blocks counted beside.

    `count` counts files, tells the exchange of all that waits, and gives how many blocks were in them, and
    why the exchange was not told, or nothing.
    """

    lost = 0

    def __init__(
        self, told: Dnstap, options: Options, folder: Path, limit: int, count: Count, *, follow: bool = True
    ) -> None:
        self.name, self.options = dnstap_name(told), options
        self.files = TapFiles(folder, limit)
        self._every, self._count, self._follow = told.every, count, follow
        self.blocks = 0
        self._trouble = ""
        self._stop_asked = threading.Event()
        try:
            self.door = TapDoor(told, self.files)
        except Problem:
            self.files.close()
            raise
        self.door.start()
        self._counter = threading.Thread(target=self._count_again, daemon=True, name=self.name)
        self._counter.start()

    @property
    def fault(self) -> str:
        """Why nothing is taken, or nothing counted."""
        return self._trouble or self.door.fault

    @property
    def refused(self) -> Refusals:
        """Who was sent away, by reason."""
        return self.door.refused

    def read(self, budget: int) -> Window | None:
        """Blocks are no lines: there is nothing to be sifted."""
        return None

    def place(self) -> bytes | None:
        """What was counted is no business of the watch's spool."""
        return None

    def settled(self) -> None:
        """Nothing to do: a file goes when it was counted."""

    def backlog(self) -> int:
        """Bytes that wait to be counted."""
        return self.files.size()

    def is_behind(self) -> bool:
        """Whether what was there at the start is still being counted."""
        return not self._follow and self._counter.is_alive()

    def is_gone(self) -> bool:
        """It stays."""
        return False

    def close(self) -> None:
        """Take no more; what is not counted yet is counted after the next start."""
        self._stop_asked.set()
        self.door.stop()
        self._counter.join(timeout=10)
        self.files.close()

    def _count_again(self) -> None:
        while True:
            try:
                self._count_all()
            except Problem as problem:
                self._trouble = f"blocks are not counted: {problem.detail}"
            except Exception as error:  # a fault there must not end the door: it is shown, and tried again
                self._trouble = f"blocks are not counted: {type(error).__name__}: {error}"
            if not self._follow or self._stop_asked.wait(self._every):
                return

    def _count_all(self) -> None:
        """Count every file that has ended; one that was begun before a kill comes first."""
        counting = self.files.folder / COUNTING
        waiting = self.files.ended()
        while counting.exists() or waiting or self._trouble:
            if not counting.exists() and waiting:
                waiting.pop(0).rename(counting)
            blocks, fault = self._count([counting] if counting.exists() else [])
            counting.unlink(missing_ok=True)
            self.blocks += blocks
            self._trouble = fault and f"blocks are counted, and not told: {fault}"
            if fault and not waiting:
                return


class TapDoor(threading.Thread):
    """Listens on the socket, and hears each resolver in a thread of its own."""

    def __init__(self, told: Dnstap, files: TapFiles) -> None:
        super().__init__(daemon=True, name=dnstap_name(told))
        self._files = files
        self._listening = listening(told.socket)
        self._path = Path(told.socket)
        self._connections: set[socket.socket] = set()
        self._stop_asked = threading.Event()
        self.refused = Refusals()
        self.fault = ""

    def run(self) -> None:
        """Let resolvers in until asked to stop."""
        while not self._stop_asked.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError as error:
                if not self._stop_asked.is_set():
                    self.fault = f"nobody is let in: {(error.strerror or str(error)).lower()}"
                    self._stop_asked.wait(1)
                continue
            if len(self._connections) >= MOST_CONNECTIONS:
                self.refused.add(f"{MOST_CONNECTIONS} connections are open")
                connection.close()
                continue
            self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True, name=self.name).start()

    def stop(self) -> None:
        """Take no more."""
        self._stop_asked.set()
        for sock in (self._listening, *tuple(self._connections)):
            shut(sock)
        self.join(timeout=5)
        self._listening.close()
        self._path.unlink(missing_ok=True)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._hear(connection)
        except OSError:  # it went away
            pass
        finally:
            self._connections.discard(connection)

    def _hear(self, connection: socket.socket) -> None:
        """Keep what may be a block until the resolver ends. Raises OSError where it goes away."""
        frames, is_answered = Frames(), False
        while not self._stop_asked.is_set():
            if self._files.is_full():  # the resolver's own queue fills, and it drops
                self._stop_asked.wait(0.5)
                continue
            if not (data := connection.recv(_CHUNK)):
                return
            found, broken = frames.feed(data)
            self._keep([frame.data for frame in found if not frame.control and may_be_block(frame.data)])
            for frame in found:
                if frame.control in (READY, START) and not _is_dnstap(frame):
                    self.refused.add("frames of another content than dnstap")
                    return
                if frame.control == READY:
                    is_answered = True
                    connection.sendall(control_frame(ACCEPT, dnstap.CONTENT))
                elif frame.control == STOP and is_answered:
                    connection.sendall(control_frame(FINISH))
            if broken:
                self.refused.add(str(broken))
                return

    def _keep(self, frames: list[bytes]) -> None:
        while frames and not self._stop_asked.is_set():
            try:
                self._files.write(frames)
            except OSError as error:
                self.fault = f"blocks cannot be written down: {(error.strerror or str(error)).lower()}"
                self._stop_asked.wait(1)
            else:
                self.fault = ""
                return


def may_be_block(data: bytes) -> bool:
    """Whether a frame tells of a block, or cannot be read: then it is written down, to be counted."""
    try:
        message = dnstap.read(data)
        if message is None:
            return False
        if message.policy:
            return True
        return message.kind == dnstap.CLIENT_RESPONSE and dnstap.may_be_block(message.dns)
    except dnstap.BrokenTap:
        return True


def dnstap_name(told: Dnstap) -> str:
    """How the socket is called among the sources."""
    return f"dnstap {told.socket}"


def _is_dnstap(frame: Frame) -> bool:
    return not frame.contents or dnstap.CONTENT in frame.contents
