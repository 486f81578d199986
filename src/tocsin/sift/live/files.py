"""Logs that `tocsin watch` follows: every file that a pattern names, as they come and go."""

import glob
import time
from dataclasses import replace
from pathlib import Path

import msgspec

from tocsin.sift import formats
from tocsin.sift.engine import UNKNOWN_TARGET, Options
from tocsin.sift.live.following import PACKED, Followed, Place, is_rotated
from tocsin.sift.live.settings import Files
from tocsin.sift.live.windows import Window
from tocsin.sift.rulebook import Rulebook

LOOK_AGAIN = 5.0  # seconds until a pattern is looked up again
GONE_AFTER = 3600.0  # seconds that a file of a pattern is away before it is let go
# What only makes sense as a whole: a window of it is no evidence.
WHOLE = {
    "parquet": "a Parquet file is not followed",
    "fail2ban_bans": "fail2ban's database is not followed",
    "flows": "flow records are not followed: a flood is judged by a whole file",
    "crowdsec_alerts": "a list of alerts is not followed",
}
NO_EVIDENCE = {"dnstap": "dnstap is not followed: run `tocsin tally` on what it was written to"}
INSTEAD = "run `tocsin report` on it when it is whole"


class Log:
    """One log of a pattern: a source of `Watch`."""

    def __init__(self, path: str, options: Options, place: bytes | None, *, may_go: bool = False) -> None:
        self.name = f"file {path}"
        self.options = options
        self.path, self._may_go = path, may_go
        self._followed = Followed(path, msgspec.msgpack.decode(place, type=Place) if place else None)
        self._fault = self._refused = ""
        self._is_known = False
        self._away_since: float | None = None
        try:
            self._followed.stand()
        except OSError as error:
            self._fault = (error.strerror or "cannot be read").lower()

    @property
    def fault(self) -> str:
        """Why it is not read, nothing where it is."""
        return self._refused or self._fault or self._followed.fault

    @property
    def lost(self) -> int:
        """How often it went on in a file that did not follow what was read."""
        return self._followed.lost

    def read(self, budget: int) -> Window | None:
        """The next whole lines."""
        if self._refused:
            return None
        try:
            if not self._is_known and (head := self._followed.head()):
                self._is_known, self._refused = True, refusal(head, self.options)
            window = None if self._refused else self._followed.read(budget)
        except OSError as error:
            self._fault = (error.strerror or "cannot be read").lower()
            self._followed.close()  # where it stands is known: it is opened again
            return None
        self._fault = ""
        return window

    def place(self) -> bytes | None:
        """How far it was read."""
        return msgspec.msgpack.encode(self._followed.place) if self._followed.place else None

    def stands_on(self, path: Path) -> bool:
        """Whether a file is the one that was read here, under another name."""
        return self._followed.stands_on(path)

    def settled(self) -> None:
        """Nothing to do: the file is its owner's."""

    def backlog(self) -> int:
        """Bytes that are there and not read."""
        return 0 if self._refused else self._followed.backlog()

    def is_behind(self) -> bool:
        """What is there is given when it is asked for."""
        return False

    def is_gone(self) -> bool:
        """Whether a file that a pattern named was removed long ago, and all of it was read."""
        if not self._may_go or Path(self.path).exists():
            self._away_since = None
            return False
        self._away_since = self._away_since or time.monotonic()
        return time.monotonic() - self._away_since >= GONE_AFTER and not self.backlog()

    def close(self) -> None:
        """Let the file go."""
        self._followed.close()


class Patterns:
    """The files that the settings name; `fresh` gives those that were not there when it was last asked."""

    def __init__(
        self,
        settings: tuple[Files, ...],
        options: Options,
        places: dict[str, bytes],
        mappings: dict[str, Rulebook] | None = None,
    ) -> None:
        self._settings, self._options, self._places = settings, options, places
        self._mappings = mappings or {}
        self._logs: dict[str, Log] = {}
        self._looked_at = -LOOK_AGAIN

    def fresh(self) -> list[Log]:
        """Logs that turned up, in order of their names; a plain path is one even before it is there."""
        if time.monotonic() - self._looked_at < LOOK_AGAIN:
            return []
        self._looked_at = time.monotonic()
        self._let_go()
        found = []
        for files in self._settings:
            for path in sorted(path for pattern in files.paths for path in paths(pattern)):
                if path in self._logs or self._is_left_to_another(path):
                    continue
                may_go = path not in files.paths
                log = Log(path, self._options_of(files), self._places.get(f"file {path}"), may_go=may_go)
                self._logs[path] = log
                found.append(log)
        return found

    def _options_of(self, files: Files) -> Options:
        return replace(
            self._options,
            year=files.year,
            tz=files.tz,
            target=files.target or UNKNOWN_TARGET,
            mapping=self._mappings.get(files.map),
        )

    def _is_left_to_another(self, path: str) -> bool:
        """Whether a log that is followed goes on in this file, or came from it: its lines count there."""
        return any(log.stands_on(Path(path)) for log in self._logs.values())

    def _let_go(self) -> None:
        for path, log in list(self._logs.items()):
            if log.is_gone():
                del self._logs[path]
                if place := log.place():
                    self._places[log.name] = place


def paths(pattern: str) -> list[str]:
    """The logs that a pattern names now, without the rotated files of others; a plain path is always one."""
    if not glob.has_magic(pattern):
        return [str(Path(pattern).absolute())]
    found = [Path(path).absolute() for path in glob.glob(pattern)]  # noqa: PTH207 (a pattern may be absolute)
    folders: dict[Path, set[Path]] = {}
    for path in found:
        folders.setdefault(path.parent, set()).add(path)
    return [str(path) for path in found if path.is_file() and not _is_of_another(path, folders[path.parent])]


def _is_of_another(path: Path, others: set[Path]) -> bool:
    """Whether this is a rotated form of a log that lies beside it."""
    name = path.name
    for ending in PACKED:
        name = name.removesuffix(ending)
    # Only what such a name can come from is looked at: a folder may hold thousands.
    parts = [place for place, sign in enumerate(name) if place and sign in "._-"]
    bases = {name[:place] for place in parts}
    bases |= {name[:place] + name[end:] for place in parts for end in parts if end > place}
    return any((base := path.with_name(other)) in others and is_rotated(base, path) for other in bases)


def refusal(head: bytes, options: Options) -> str:
    """Why a file that begins so is not followed; nothing where it is."""
    if head.startswith(b"PK\x03\x04"):
        return f"an archive is not followed: {INSTEAD}"
    reader = formats.reader_of(head, options.mapping)
    name = getattr(reader, "__name__", "").rpartition(".")[2]
    if name in NO_EVIDENCE:
        return NO_EVIDENCE[name]
    told = WHOLE.get(name)
    return f"{told}: {INSTEAD}" if told else ""
