"""Logs that `tocsin watch` follows: every file that a pattern names, as they come and go."""

import glob
import time
from pathlib import Path

import msgspec

from tocsin.sift.engine import UNKNOWN_TARGET, Options
from tocsin.sift.live.following import Followed, Place
from tocsin.sift.live.settings import Files
from tocsin.sift.live.windows import Window

LOOK_AGAIN = 5.0  # seconds until a pattern is looked up again


class Log:
    """One log of a pattern: a source of `Watch`."""

    def __init__(self, path: str, options: Options, place: bytes | None) -> None:
        self.name = f"file {path}"
        self.options = options
        self._followed = Followed(path, msgspec.msgpack.decode(place, type=Place) if place else None)
        self._followed.stand()

    def read(self, budget: int) -> Window | None:
        """The next whole lines."""
        return self._followed.read(budget)

    def place(self) -> bytes | None:
        """How far it was read."""
        return msgspec.msgpack.encode(self._followed.place) if self._followed.place else None

    def settled(self) -> None:
        """Nothing to do: the file is its owner's."""

    def backlog(self) -> int:
        """Bytes that are there and not read."""
        return self._followed.backlog()

    def close(self) -> None:
        """Let the file go."""
        self._followed.close()


class Patterns:
    """The files that the settings name; `fresh` gives those that were not there when it was last asked."""

    def __init__(
        self, settings: tuple[Files, ...], networks: tuple[str, ...], places: dict[str, bytes]
    ) -> None:
        self._settings, self._networks, self._places = settings, networks, places
        self._known: set[str] = set()
        self._looked_at = -LOOK_AGAIN

    def fresh(self) -> list[Log]:
        """Logs that turned up, in order of their names; a plain path is one even before it is there."""
        if time.monotonic() - self._looked_at < LOOK_AGAIN:
            return []
        self._looked_at = time.monotonic()
        found = []
        for files in self._settings:
            options = Options(
                networks=self._networks, year=files.year, tz=files.tz, target=files.target or UNKNOWN_TARGET
            )
            for path in sorted(path for pattern in files.paths for path in _paths(pattern)):
                if path not in self._known:
                    self._known.add(path)
                    found.append(Log(path, options, self._places.get(f"file {path}")))
        return found


def _paths(pattern: str) -> list[str]:
    if not glob.has_magic(pattern):
        return [str(Path(pattern).absolute())]
    return [str(Path(path).absolute()) for path in glob.glob(pattern) if Path(path).is_file()]  # noqa: PTH207 (a pattern may be absolute)
