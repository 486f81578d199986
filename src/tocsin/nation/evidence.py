"""One provider's evidence, day by day: logs that rotate, by a clock that may be wrong, and complaints."""

import gzip
import os
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from tocsin.nation import documents, headers, sshd
from tocsin.nation.background import Event, Innocent, Life
from tocsin.nation.campaigns import DAY, MALWARE, PHISHING, SCANNING, SPAM, Strike, instant
from tocsin.nation.places import FILES, Host, Provider
from tocsin.nation.shape import Shape
from tocsin.nation.truth import TrueAttack

_ALWAYS_THERE = {"systemd-logind": 612}  # one process for as long as the machine runs
LOST_DAYS = 1 / 80  # of a machine's days, the log of which nobody has
_ROOT = "intrusions/privileged-account-compromise"
_OTHER = "intrusions/unprivileged-account-compromise"

Line = tuple[float, str, int, str]  # by the machine's clock: seconds since 1970, program, process, message


class Desk:
    """Writes what one provider has, and tells what of it is true.

    `attacks` and `innocents` grow while days are written; `lines` counts them.
    """

    def __init__(self, shape: Shape, member: Provider, folder: Path) -> None:
        self._shape, self._member, self._folder = shape, member, folder
        self._life = Life(shape, member)
        self._pages: dict[tuple[str, int], list[Line]] = defaultdict(list)
        self._writers = {
            host.name: headers.writer(host.form, host.name, member.time_zone) for host in member.hosts
        }
        dice = shape.dice("lost", member.key)
        self._lost = {
            (host.name, day)
            for host in member.hosts
            for day in range(shape.days)
            if dice.random() < LOST_DAYS * shape.noise
        }
        self.attacks: list[TrueAttack] = []
        self.innocents: list[Innocent] = []
        self.lines = 0

    def write(self, strikes: Iterable[Strike]) -> None:
        """Everything, from the first day to the last."""
        by_day: dict[int, list[Strike]] = defaultdict(list)
        for strike in strikes:
            by_day[strike.day].append(strike)
        for day in range(self._shape.days):
            self._live(day)
            for number, strike in enumerate(by_day[day]):
                self._suffer(strike, number)
            if day:
                self._turn_page(day - 1)
        self._turn_page(self._shape.days - 1)

    def _live(self, day: int) -> None:
        for happening in self._life.day(day):
            if isinstance(happening, Innocent):
                self.innocents.append(happening)
            else:
                self._log(day, happening)

    def _suffer(self, strike: Strike, number: int) -> None:
        dice = self._shape.dice("suffer", strike.campaign, strike.provider, strike.day, number)
        if strike.kind in (SPAM, PHISHING, MALWARE):
            self._complain(strike, number)
            self.attacks.append(_true(self._shape, self._member, strike, is_recorded=True))
            return
        host = next(host for host in self._member.hosts if host.name == strike.target)
        kept = [self._log(strike.day, event) for event in _connections(strike, host, dice)]
        self.attacks.append(_true(self._shape, self._member, strike, is_recorded=any(kept)))
        if strike.wins:
            event, account = _entry(strike, host, dice)
            won = replace(strike, kind=_ROOT if account == "root" else _OTHER, start=strike.end, acts=1)
            kept_too = self._log(strike.day, event)
            self.attacks.append(_true(self._shape, self._member, won, is_recorded=kept_too))

    def _log(self, day: int, event: Event) -> bool:
        """Keep one connection's lines on the page that the machine writes on then; whether it is kept."""
        at = self._shape.start(day) + event.at + self._member.clock_offset
        page = self._page_at(at)
        if (event.host.name, page) in self._lost:
            return False
        lines = self._pages[event.host.name, page]
        process = 1000 + int(at * 3) % 60_000  # they are numbered as time goes by
        for turn, (program, message) in enumerate(event.lines):
            lines.append((at + turn * 0.31, program, _ALWAYS_THERE.get(program, process), message))
        return True

    def _page_at(self, at: float) -> int:
        """The number of the day's file that is open at that instant."""
        turned = self._shape.start(0) + self._member.rotates_at * 3600
        return min(max(int((at - turned) // DAY), 0), self._shape.days - 1)

    def _turn_page(self, day: int) -> None:
        """Write the files of a day, and beside them yesterday's where logrotate keeps it."""
        folder = self._day(day)
        for host in self._member.hosts:
            path = folder / FILES[host.form]
            lines = sorted(self._pages.pop((host.name, day), ()))
            if not lines:
                continue
            write = self._writers[host.name]
            path.write_text("".join([write(*line) for line in lines]), encoding="utf-8")
            self._stamp(path, lines[-1][0])
            self.lines += len(lines)
            if self._member.keeps_previous and day:
                self._keep(self._day(day - 1) / path.name, folder / f"{path.name}.1.gz")

    def _keep(self, before: Path, kept: Path) -> None:
        """Yesterday's file, compressed as logrotate does, the same bytes whenever it is done."""
        if before.exists():
            kept.write_bytes(gzip.compress(before.read_bytes(), 6, mtime=0))
            self._stamp(kept, before.stat().st_mtime)

    def _complain(self, strike: Strike, number: int) -> None:
        mail = strike.kind == SPAM
        place = self._day(strike.day) / ("mail" if mail else "xarf")
        place.mkdir(exist_ok=True)
        path = place / f"{number:04}.{'eml' if mail else 'json'}"
        path.write_text((documents.mail if mail else documents.xarf)(self._shape, self._member, strike))
        self._stamp(path, self._shape.start(strike.day) + strike.start)

    def _day(self, day: int) -> Path:
        path = self._folder / f"day-{day + 1:02}"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _stamp(self, path: Path, at: float) -> None:
        """The file was last changed then: the year of RFC 3164 is read from it."""
        os.utime(path, (int(at) + 1, int(at) + 1))


def _connections(strike: Strike, host: Host, dice: random.Random) -> Iterator[Event]:
    """The connections of a strike, spread over its time; never past the end of its day."""
    length, left = strike.end - strike.start, strike.acts
    account, patience = dice.randrange(100), dice.choice((1, 1, 3, 5))
    while left > 0:
        at = strike.start + dice.random() * length
        port = 1024 + int(dice.random() * 64_000)
        if strike.kind == SCANNING:
            tried, lines = 1, sshd.look(host.generation, strike.origin, port, port)
        else:
            tried = min(left, patience)
            lines = sshd.guesses(host.generation, strike.origin, port, sshd.account(account), tried)
            account += 1
        left -= tried
        yield Event(min(at, DAY - 10), host, lines)


def _entry(strike: Strike, host: Host, dice: random.Random) -> tuple[Event, str]:
    """The sign-in that follows the guessing, and its account."""
    account = "root" if dice.random() < 0.5 else "backup"
    port = 1024 + dice.randrange(64_000)
    lines = sshd.sign_in(host.generation, strike.origin, port, account, by_key=False)
    return Event(min(strike.end, DAY - 10), host, lines), account


def _true(shape: Shape, member: Provider, strike: Strike, *, is_recorded: bool) -> TrueAttack:
    return TrueAttack(
        campaign=strike.campaign,
        provider=member.key,
        kind=strike.kind,
        origin=strike.origin,
        target=strike.target,
        service=strike.service,
        day=shape.day(strike.day).isoformat(),
        acts=strike.acts,
        first_at=instant(shape, strike.day, strike.start),
        last_at=instant(shape, strike.day, strike.end),
        is_recorded=is_recorded,
    )
