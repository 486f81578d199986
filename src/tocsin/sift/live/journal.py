"""The systemd journal as a source: `journalctl` from the cursor that was kept."""

import contextlib
import re
import shutil
import subprocess
import tempfile
from selectors import EVENT_READ, DefaultSelector
from time import monotonic, time

from tocsin.kernel.problems import BadInput
from tocsin.sift.engine import Options
from tocsin.sift.live.settings import Journal
from tocsin.sift.live.windows import Window

PATIENCE = 5.0  # seconds until a journalctl that ended is started again
_CURSOR = re.compile(rb'"__CURSOR"\s*:\s*"((?:[^"\\]|\\.)*)"')


class JournalSource:
    """One journal, or some units of it: a source of `Watch`. Without `follow`, what is there and no more."""

    lost = 0

    def __init__(
        self, settings: Journal, options: Options, place: bytes | None, *, follow: bool = True
    ) -> None:
        if shutil.which("journalctl") is None:
            raise BadInput("the journal cannot be read: journalctl is not installed")
        self.name = journal_name(settings)
        self.options = options
        self.fault = ""
        self._settings = settings
        self._cursor = place.decode() if place else ""
        self._follow, self._is_done = follow, False
        self._process: subprocess.Popen[bytes] | None = None
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the source)
        self._ended_at = float("-inf")
        self._selector = DefaultSelector()
        self._rest = b""
        self._repeated = ""

    def read(self, budget: int) -> Window | None:
        """The entries that came since."""
        if self._process is None and (self._is_done or monotonic() - self._ended_at < PATIENCE):
            return None
        process = self._running()
        assert process.stdout is not None  # noqa: S101 (for the type checker)
        data = self._rest
        while len(data) < budget and self._selector.select(0):
            part = process.stdout.read1(1 << 20)  # type: ignore[attr-defined]  # it is buffered
            if not part:
                self._ended(process)
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
            self.fault = ""
        return Window(path=self.name, head=content[: 1 << 16], content=content, changed=time())

    def place(self) -> bytes | None:
        """The cursor of the last entry."""
        return self._cursor.encode() or None

    def settled(self) -> None:
        """Nothing to do: the journal keeps its entries."""

    def backlog(self) -> int:
        """What was taken from the journal and not yet given."""
        return len(self._rest)

    def is_behind(self) -> bool:
        """Whether what was there at the start is still coming."""
        return not self._follow and not self._is_done

    def is_gone(self) -> bool:
        """It stays."""
        return False

    def close(self) -> None:
        """Stop journalctl."""
        self._stop()
        self._selector.close()
        self._complaints.close()

    def _ended(self, process: "subprocess.Popen[bytes]") -> None:
        """It should not have, unless it was to give what there is."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        self._stop()
        self._ended_at = monotonic()
        if self._follow or process.returncode:
            self._complaints.seek(0)
            said = self._complaints.read(4096).decode("utf-8", "replace").strip().rpartition("\n")[2]
            self.fault = f"journalctl ended: {said or process.returncode}"
        self._is_done = not self._follow

    def _fresh(self, content: bytes) -> bytes:
        """Without the entry that the cursor stands on: it was read before."""
        repeated, self._repeated = self._repeated, ""
        first, _, rest = content.partition(b"\n")
        found = _CURSOR.search(first)
        return rest if repeated and found and found[1].decode() == repeated else content

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            command = ["journalctl", "--output=json", "--no-pager", "--quiet"]
            command += ["--follow", "--no-tail"] if self._follow else []
            command += [f"--directory={self._settings.directory}"] if self._settings.directory else []
            command += [f"--unit={unit}" for unit in self._settings.units]
            # Not --after-cursor: where the journal goes on in another file, it leaves out an entry.
            command += [f"--cursor={self._cursor}"] if self._cursor else ["--lines=all"]
            self._repeated = self._cursor
            self._complaints.truncate(0)
            self._complaints.seek(0)
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._complaints)  # noqa: S603 (units and cursor are arguments, no shell sees them)
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
