"""What could not be read, kept with its reason."""

from pathlib import Path
from typing import BinaryIO

from tocsin.kernel.problems import BadInput
from tocsin.sift.values import Balance


class Rejects:
    """Counts what is rejected and writes it down: path, line number, reason, the line as it was.

    One line each, separated by tabs, the raw line last. The file is made when it is first needed, readable by
    its owner alone; without a path things are only counted.
    """

    def __init__(self, path: Path | None, balance: Balance) -> None:
        self._path = path
        self.balance = balance
        self._file: BinaryIO | None = None

    @property
    def file(self) -> Path | None:
        """Where the rejected lines were kept; None where nothing was."""
        return self._path if self._file else None

    def add(self, path: str, line: int, reason: str, raw: bytes = b"") -> None:
        """Reject one line (or one document, by its first line)."""
        self.balance.rejected += 1
        self.balance.reasons[reason] += 1
        if self._path is None:
            return
        if self._file is None:
            self._file = _open(self._path)
        where = path.encode(errors="surrogateescape").replace(b"\t", b"\\t").replace(b"\n", b"\\n")
        raw = raw.rstrip(b"\r\n").replace(b"\n", b" ")
        row = b"\t".join((where, str(line).encode(), reason.encode(), raw)) + b"\n"
        try:
            self._file.write(row)
        except OSError as error:
            raise _not_kept(self._path, error) from error

    def close(self) -> None:
        """Write out what is waiting. Raises BadInput when there is no room for it."""
        if self._file and self._path:
            try:
                self._file.close()
            except OSError as error:
                raise _not_kept(self._path, error) from error


class Kept(Rejects):
    """Rejects that are held until somebody takes them, to be written with what else was found."""

    def __init__(self) -> None:
        super().__init__(None, Balance())
        self._held: list[tuple[str, int, str, bytes]] = []

    def add(self, path: str, line: int, reason: str, raw: bytes = b"") -> None:
        """Reject one line (or one document, by its first line)."""
        super().add(path, line, reason, raw)
        self._held.append((path, line, reason, raw))

    def take(self) -> list[tuple[str, int, str, bytes]]:
        """What was rejected since this was last asked: path, line, reason, raw bytes."""
        held, self._held = self._held, []
        return held


def _open(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        return path.open("ab")
    except OSError as error:
        raise _not_kept(path, error) from error


def _not_kept(path: Path, error: OSError) -> BadInput:
    reason = (error.strerror or "it cannot be written").lower()
    return BadInput(f"what is rejected cannot be kept in {path}: {reason}", hint="name a file with --rejects")
