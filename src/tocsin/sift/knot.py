"""Knot DNS as the hidden primary of one response policy zone, driven by its own programs.

What Knot holds is told by the zone itself: the RNAME of its SOA is a mark, which changes in the same
transaction as the names. So no kill of either side can leave a doubt, and nothing else has to be remembered.
`knsupdate` (RFC 2136) changes names, twelve milliseconds for one or a thousand; a first load and what is
too large for it goes by the zone file and `knotc zone-reload`.
"""

import contextlib
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence

from tocsin.kernel.problems import Problem, Unreachable
from tocsin.sift import knot_conf
from tocsin.sift.primary_settings import Settings, endpoint
from tocsin.wire import rpz

MESSAGE = 60_000  # bytes of one update (RFC 1035 section 4.2.2 allows 65,535)
A_NAME = 24  # bytes of a name's record beside the names in it
PATIENCE = 120.0  # seconds
CONTACT = ".tocsin.invalid."
_status = re.compile(r"status: ([A-Z]+)|error '([A-Z]+)'")


class KnotMissing(Problem):
    """Knot DNS is not installed here."""

    slug = "knot-missing"
    hint = "apt-get install knot knot-dnsutils (knotd, knotc, knsupdate)"


class KnotAway(Unreachable):
    """Knot does not answer."""

    slug = "knot-away"


class KnotRefused(Problem):
    """Knot did not do what it was asked to."""

    slug = "knot-refused"


class OutOfStep(Exception):  # noqa: N818 (no fault: the zone is loaded anew)
    """Knot's zone is not the one that was to be changed."""


class Knot:
    """The Knot that runs, or will run, from the settings' folder."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = settings.home.absolute()
        self.zone_file = self.folder / "zone"
        host, self._port = endpoint(settings.listen[0])
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (it is not bound)
        self._soa = ""  # what its SOA record holds, as far as we know
        self._key = knot_conf.update_key(self.folder)

    def prepare(self) -> None:
        """Write the configuration, and an empty zone where there is none; a Knot that runs reads it."""
        changed = knot_conf.written(self.settings)
        if not self.zone_file.exists():
            self.write((), "new")
        if changed:
            with contextlib.suppress(KnotAway):  # then it reads the configuration when it starts
                self._knotc("reload")

    def mark(self) -> str:
        """The mark of what Knot holds. Raises KnotAway, KnotRefused, KnotMissing."""
        said = self._knotc("zone-read", self.settings.zone, "@", "SOA")
        _, _, data = said.partition(" SOA ")
        if not data.strip():
            raise KnotRefused("Knot does not have the zone", hint=f"see what {self.start_words} says")
        self._soa = data.strip()
        return self._soa.split()[1].removesuffix(CONTACT)

    def load(self, groups: Iterable[rpz.Group], mark: str) -> None:
        """Make the zone these names, by its file."""
        self.write(groups, mark)
        self._knotc("-b", "zone-reload", self.settings.zone)
        held = self.mark()
        if held != mark:
            raise KnotRefused(f"Knot loaded {held}, not {mark}", hint="its log says why")

    def write(self, groups: Iterable[rpz.Group], mark: str) -> None:
        """Write the zone file alone: what Knot compares its journal with when it starts."""
        part = self.zone_file.with_name(f".zone.{os.getpid()}")
        with part.open("w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.writelines(rpz.zone(groups, 1, mark + CONTACT))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.zone_file)

    def change(self, gone: Sequence[str], come: Sequence[tuple[str, str]], mark: str) -> None:
        """Take names out, then put names in, each with where it leads, and the mark with the last of them.

        A name that is there already leads elsewhere from then on (RFC 2136 section 3.4.2.2). Raises OutOfStep
        where the zone is not as `mark`, `load` or `change` left it; KnotAway, KnotRefused.
        """
        if not self._soa:
            raise OutOfStep
        zone = self.settings.zone
        lines = [f"del {name}.{zone}. CNAME" for name in gone]
        lines += [f"add {name}.{zone}. {rpz.TTL} CNAME {target}" for name, target in come]
        messages = list(_messages(lines, max((len(target) for _, target in come), default=0)))
        serial = (int(self._soa.split()[2]) + len(messages)) % (1 << 32)
        fresh = rpz.soa(serial, mark + CONTACT)
        messages[0].insert(0, f"prereq yxrrset {zone}. SOA {self._soa}")
        messages[-1].append(f"add {zone}. {rpz.TTL} SOA {fresh}")
        script = [f"server {self._host} {self._port}", f"zone {zone}."]
        for message in messages:
            script += [*message, "send"]
        self._soa = ""
        done = _run(["knsupdate", "-v", "-t", "10", "-k", str(self._key)], "\n".join(script) + "\n")
        said = (done.stdout + done.stderr).strip()
        if done.returncode == 0 and not said:
            self._soa = fresh
            self._knotc("zone-notify", zone)  # after an update Knot by itself waits a second
            return
        found = _status.search(said)
        if found is None:
            raise KnotAway(f"Knot does not take changes: {_last(said)}", hint=self._restart)
        status = found[1] or found[2]
        if status == "NXRRSET":
            raise OutOfStep
        if status in ("BADKEY", "BADSIG", "BADTIME", "NOTAUTH"):
            raise KnotRefused(f"Knot does not know our key ({status})", hint=self._restart)
        raise KnotRefused(f"Knot did not change its zone ({status})", hint="its log says more")

    @property
    def start_words(self) -> str:
        """How it is started."""
        return f"knotd -c {self.folder}/knot.conf"

    @property
    def _restart(self) -> str:
        return f"start Knot from this folder's configuration: {self.start_words}"

    def _knotc(self, *words: str) -> str:
        done = _run(["knotc", "-s", str(self.folder / "knot.sock"), "-t", str(int(PATIENCE)), *words], "")
        if done.returncode == 0:
            return done.stdout
        said = _last((done.stderr or done.stdout).strip())
        if "to socket" in said or "not running" in said:
            raise KnotAway("Knot does not run here", hint=f"start it: {self.start_words}")
        raise KnotRefused(f"knotc {words[0]}: {said}", hint="Knot's log says more")


def _messages(lines: Sequence[str], longest: int) -> Iterator[list[str]]:
    """Lines in as many lists as there must be updates; one at least."""
    message: list[str] = []
    size = 0
    for line in lines:
        more = len(line) + A_NAME + longest
        if message and size + more > MESSAGE:
            yield message
            message, size = [], 0
        message.append(line)
        size += more
    yield message


def _run(words: list[str], given: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(  # noqa: S603 (Knot's own programs, and no shell reads it)
            words, input=given, capture_output=True, text=True, timeout=PATIENCE + 10, check=False
        )
    except FileNotFoundError:
        raise KnotMissing(f"{words[0]} is not installed here") from None
    except subprocess.TimeoutExpired:
        raise KnotAway(f"{words[0]} got no answer in {PATIENCE:.0f} seconds") from None


def _last(said: str) -> str:
    return said.splitlines()[-1].removeprefix(";; WARNING: ").removeprefix("error: ") if said else "no word"
