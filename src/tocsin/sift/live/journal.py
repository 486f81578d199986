"""The systemd journal as a source: `journalctl` from the cursor that was kept."""

import re
import shutil
import subprocess
from selectors import EVENT_READ, DefaultSelector
from time import time

from tocsin.kernel.problems import BadInput
from tocsin.sift.engine import Options
from tocsin.sift.live.settings import Journal
from tocsin.sift.live.windows import Window

_CURSOR = re.compile(rb'"__CURSOR"\s*:\s*"((?:[^"\\]|\\.)*)"')


class JournalSource:
    """One journal, or some units of it: a source of `Watch`."""

    def __init__(self, settings: Journal, networks: tuple[str, ...], place: bytes | None) -> None:
        if shutil.which("journalctl") is None:
            raise BadInput("the journal cannot be read: journalctl is not installed")
        self.name = journal_name(settings)
        self.options = Options(networks=networks)
        self._settings = settings
        self._cursor = place.decode() if place else ""
        self._process: subprocess.Popen[bytes] | None = None
        self._selector = DefaultSelector()
        self._rest = b""
        self._repeated = ""

    def read(self, budget: int) -> Window | None:
        """The entries that came since."""
        process = self._running()
        assert process.stdout is not None  # noqa: S101 (for the type checker)
        data = self._rest
        while len(data) < budget and self._selector.select(0):
            part = process.stdout.read1(1 << 20)  # type: ignore[attr-defined]  # it is buffered
            if not part:
                self._stop()
                break
            data += part
        end = data.rfind(b"\n") + 1
        self._rest = data[end:] if self._process else b""
        if not end:
            return None
        content = self._fresh(data[:end])
        if not content:
            return None
        cursors = _CURSOR.findall(content)
        if cursors:
            self._cursor = cursors[-1].decode()
        return Window(path=self.name, head=content[: 1 << 16], content=content, changed=time())

    def place(self) -> bytes | None:
        """The cursor of the last entry."""
        return self._cursor.encode() or None

    def settled(self) -> None:
        """Nothing to do: the journal keeps its entries."""

    def backlog(self) -> int:
        """What was taken from the journal and not yet given."""
        return len(self._rest)

    def close(self) -> None:
        """Stop journalctl."""
        self._stop()
        self._selector.close()

    def _fresh(self, content: bytes) -> bytes:
        """Without the entry that the cursor stands on: it was read before."""
        repeated, self._repeated = self._repeated, ""
        first, _, rest = content.partition(b"\n")
        found = _CURSOR.search(first)
        return rest if repeated and found and found[1].decode() == repeated else content

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            command = ["journalctl", "--output=json", "--follow", "--no-pager", "--quiet"]
            command += [f"--directory={self._settings.directory}"] if self._settings.directory else []
            command += [f"--unit={unit}" for unit in self._settings.units]
            # Not --after-cursor: where the journal goes on in another file, it leaves out an entry.
            command += [f"--cursor={self._cursor}"] if self._cursor else ["--lines=all"]
            self._repeated = self._cursor
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603 (units and cursor are arguments, no shell sees them)
            assert self._process.stdout is not None  # noqa: S101 (for the type checker)
            self._selector.register(self._process.stdout, EVENT_READ)
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            assert self._process.stdout is not None  # noqa: S101 (for the type checker)
            self._selector.unregister(self._process.stdout)
            self._process.terminate()
            self._process.stdout.close()
            self._process.wait()
            self._process = None


def journal_name(settings: Journal) -> str:
    """How the journal is called among the sources."""
    return " ".join(filter(None, ("journal", settings.directory, *settings.units)))
