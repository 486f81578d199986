"""`tocsin dns`: a Knot hidden primary that is kept in step with the exchange's signed list of names.

One loop: look at the exchange, bring what changed into Knot, which notifies its secondaries at once. Whatever
was killed, lost or changed by hand, the zone's mark tells; then it is loaded anew from what is kept here.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import httpx

from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.problems import Conflict, NotGenuine, NotSignedIn, Problem, Unreachable
from tocsin.sift import asking, calling
from tocsin.sift.blockstore import BlockStore, opened
from tocsin.sift.knot import Knot, KnotRefused, OutOfStep
from tocsin.sift.origins import is_address
from tocsin.sift.policies import ClassCount
from tocsin.sift.primary_list import Fresh, NameList
from tocsin.sift.primary_settings import Settings
from tocsin.sift.sqlite import alone
from tocsin.wire import rpz

MOST_AT_ONCE = 20_000  # names changed by updates; more by the zone file
LOOK_AFTER = 2.0  # seconds until Knot is asked again what it holds
FILE_AFTER = 10.0  # seconds without a change until the zone file is written anew
FILE_LATEST = 600.0  # seconds that it may lag behind where changes never cease
AWAY_AFTER = 5.0  # the longest pause while the exchange or Knot is away

Say = Callable[[str], None]


class DnsBusy(Conflict):
    """Another `tocsin dns` works in this folder."""

    slug = "dns-busy"
    hint = "one is enough: it keeps all secondaries in step"


@dataclass
class Step:
    """One change that reached Knot: how many names, how long each part took (seconds), and when (POSIX).

    `classes` says of the listed names among them, of all where the zone was loaded anew, which class gets
    what, and why.
    """

    number: int
    gone: int
    come: int
    fetched: float
    committed: float
    classes: tuple[ClassCount, ...] = ()
    at: float = field(default_factory=time.time)


def run(
    settings: Settings,
    key: str,
    say: Say,
    is_asked: Callable[[], bool],
    *,
    once: bool = False,
    show: Callable[[Step], None] = lambda _: None,
) -> None:
    """Keep Knot in step until asked to stop; with `once` until it is, and raise what prevents that.

    Raises DnsBusy, KnotMissing, BadInput.
    """
    with opened(settings.exchange) as store:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone(settings.home / "dns.lock", DnsBusy()):
            primary = Primary(settings, key, store, say, show)
            try:
                if once:
                    primary.turn()
                    return
                while not is_asked():
                    pause = primary.patient_turn()
                    ends = time.monotonic() + pause
                    while (left := ends - time.monotonic()) > 0 and not is_asked():
                        time.sleep(min(left, 0.25))
            finally:
                primary.close()


class Primary:
    """The loop's state: the list, Knot, and what of the one is in the other."""

    def __init__(
        self, settings: Settings, key: str, store: BlockStore, say: Say, show: Callable[[Step], None]
    ) -> None:
        self.settings, self.key, self.say, self.show = settings, key, say, show
        self.policy = settings.policy
        self.knot = Knot(settings)
        self.knot.prepare()
        self.list = NameList(store, settings.zone, say)
        self.client: httpx.Client | None = None
        self.met = ("", b"")
        self.held = ""  # the mark of what Knot holds; empty: not known
        self.left_out: frozenset[str] = frozenset()
        self.was_empty = False  # Knot's zone was emptied, because the list had expired
        self.file_mark = ""
        self.file_due = self.file_latest = 0.0
        self.look_at = 0.0
        self.faults = 0
        self.fault = ""

    def patient_turn(self) -> float:
        """One turn; a fault is told when it begins and when it ends. Gives the seconds to wait."""
        try:
            self.turn()
        except (Unreachable, NotGenuine, NotSignedIn, KnotRefused) as problem:
            self.faults += 1
            if problem.detail != self.fault:
                self.fault = problem.detail
                self.say(problem.detail + (f" ({problem.hint})" if problem.hint else ""))
            return min(AWAY_AFTER, self.settings.every * (1 << min(self.faults, 10)))
        if self.fault:
            self.say("in order again")
        self.faults, self.fault = 0, ""
        return self.settings.every

    def turn(self) -> None:
        """Look at the exchange, then bring Knot in step, also when it is away. Raises Unreachable."""
        began = time.monotonic()
        away: Problem | None = None
        fresh: Fresh | None = None
        try:
            fresh = self.list.follow(self._client(), *self.met)
        except (Unreachable, NotGenuine, NotSignedIn) as problem:
            self._hang_up()
            away = problem
        self._bring(fresh, time.monotonic() - began)
        if away is not None:
            stays = "no list was ever fetched"
            if self.list.statement is not None:
                stays = f"list {self.list.number} stays until {self.list.statement.expires}"
            raise type(away)(away.detail, hint="; ".join(filter(None, (away.hint, stays))))

    def close(self) -> None:
        """Leave the zone file as Knot's zone is."""
        self._hang_up()
        if self.held and self.held != self.file_mark:
            self._write_file()

    def _bring(self, fresh: Fresh | None, fetched: float) -> None:
        if self.list.statement is None:
            return
        left_out, before = _names_unblocked(), self.held
        wanted = self._mark(left_out)
        at = time.monotonic()
        if before == wanted and at < self.look_at:
            if self.held != self.file_mark and at >= self.file_due:
                self._write_file()
            return
        self.look_at = at + LOOK_AFTER
        gone, come = self._difference(fresh, left_out)
        if before == wanted or gone is None or come is None:
            held = self.knot.mark()  # a look, or we do not know what Knot holds
            if held != wanted:
                if before == wanted:
                    self.say(f"Knot holds {held}, not {wanted}: the zone is loaded anew")
                self._load(wanted, left_out)
                took, names = time.monotonic() - at, [n for n in self.list.names if n not in left_out]
                self.show(Step(self.list.number, 0, len(names), fetched, took, self._told(names)))
            self._holds(wanted, left_out)
            return
        self.held = ""
        try:
            self.knot.change(gone, come, wanted)
        except OutOfStep:
            self._load(wanted, left_out)
        self._holds(wanted, left_out)
        if before == self.file_mark:
            self.file_latest = at + FILE_LATEST
        self.file_due = min(at + FILE_AFTER, self.file_latest)
        took, listed = time.monotonic() - at, self.list.names
        told = self._told(
            [*(name for name, _ in come), *(n for n in gone if n in listed and n not in left_out)]
        )
        self.show(Step(self.list.number, len(gone), len(come), fetched, took, told))

    def _difference(
        self, fresh: Fresh | None, left_out: frozenset[str]
    ) -> tuple[Sequence[str] | None, Sequence[tuple[str, str]] | None]:
        """What leaves the zone, and what comes into it and leads where; None: more than can be told by names.

        A name whose new class gets nothing leaves it.
        """
        if not self.held or self.was_empty or self.list.has_expired:
            return None, None
        if fresh is not None and (fresh.gone is None or fresh.come is None):
            return None, None
        gone = list(fresh.gone or ()) if fresh else []
        new = [name for name in fresh.come or () if name not in left_out] if fresh else []
        gone += sorted(name for name in left_out - self.left_out if name in self.list.names)
        new += sorted(name for name in self.left_out - left_out if name in self.list.names)
        if len(gone) + len(new) > MOST_AT_ONCE:
            return None, None
        targets = [(name, self.policy.name(self.list.names[name]).target) for name in dict.fromkeys(new)]
        gone += [name for name, target in targets if target is None]
        return gone, [(name, target) for name, target in targets if target is not None]

    def _load(self, mark: str, left_out: frozenset[str]) -> None:
        self.held = ""
        self.knot.load(self._groups(left_out), mark)
        self._holds(mark, left_out)
        self.file_mark = mark

    def _holds(self, mark: str, left_out: frozenset[str]) -> None:
        """Knot holds this now."""
        self.held, self.left_out, self.was_empty = mark, left_out, self.list.has_expired

    def _write_file(self) -> None:
        self.knot.write(self._groups(self.left_out), self.held)
        self.file_mark = self.held

    def _groups(self, left_out: frozenset[str]) -> list[rpz.Group]:
        """The names of the zone by class, each class with where its names lead; one that gets nothing not."""
        by_class: dict[str, list[str]] = {}
        for name, kind in {} if self.list.has_expired else self.list.names.items():
            if name not in left_out:
                by_class.setdefault(kind, []).append(name)
        targets = ((kind, self.policy.name(kind).target) for kind in sorted(by_class))
        return [(kind, to, sorted(by_class[kind])) for kind, to in targets if to is not None]

    def _told(self, names: Iterable[str]) -> tuple[ClassCount, ...]:
        return self.policy.counted(True, Counter(self.list.names[name] for name in names))

    def _mark(self, left_out: frozenset[str]) -> str:
        """What the zone shall be, in few letters: the list's number, and a digest of what else shapes it."""
        shape = (self.settings.exchange, self.policy, self.list.has_expired, *sorted(left_out))
        return f"list-{self.list.number}.{sha256_hex(repr(shape).encode())[:16]}"

    def _client(self) -> httpx.Client:
        if self.client is None:
            fresh = calling.client(self.settings.exchange, self.key)
            try:
                self.met = calling.introduced(fresh, self.say, ())
            except BaseException:
                fresh.close()
                raise
            self.client = fresh
        return self.client

    def _hang_up(self) -> None:
        if self.client is not None:
            self.client.close()
            self.client = None


def _names_unblocked() -> frozenset[str]:
    """The names that `tocsin unblock` leaves out on this machine."""
    return frozenset(value for value in asking.unblocked() if not is_address(value))
