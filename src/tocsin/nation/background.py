"""Ordinary life in a log: sign-ins, slips, jobs with an old password, monitors, cron."""

import random
from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from tocsin.nation import sshd, words
from tocsin.nation.campaigns import DAY
from tocsin.nation.places import Host, Provider
from tocsin.nation.shape import Shape

Reason = Literal["mistyped password", "job with an old password", "monitoring"]

SIGN_INS_A_DAY = 400  # at the largest provider's first machine; most of them by programs
_SIGN_INS_LEAST = 4
_PEOPLE = ("amy", "bilal", "carys", "dev", "elin", "femi", "git", "hari")


class Innocent(msgspec.Struct, frozen=True):
    """Somebody harmless who looks like an attacker on one day."""

    provider: str
    origin: str
    target: str
    day: int
    reason: Reason


class Event(NamedTuple):
    """One connection: when it begins (second of the day), on which machine, and its lines."""

    at: float
    host: Host
    lines: list[sshd.Message]


class Life:
    """The ordinary days of one provider."""

    def __init__(self, shape: Shape, member: Provider) -> None:
        self._shape, self._member = shape, member
        dice = shape.dice("life", member.key)
        self._away = [f"198.51.100.{dice.randrange(1, 255)}" for _ in range(3)]
        self._job = self._two_days(dice) if dice.random() < 0.1 * shape.noise else range(0)
        self._job_from, self._monitor_from = member.customer(dice), member.customer(dice)
        self._monitor = self._two_days(dice) if dice.random() < 0.12 * shape.noise else range(0)

    def day(self, number: int) -> Iterator[Event | Innocent]:
        """What happens on that day; an Innocent is told before their connections."""
        dice = self._shape.dice("day", self._member.key, number)
        first = self._member.hosts[0]
        for host in self._member.hosts:
            yield from self._sign_ins(dice, host)
            yield from self._machine(dice, host)
        for _ in range(self._shape.noise):
            yield from self._slips(dice, first, number)
        if number in self._job:
            yield Innocent(self._member.key, self._job_from, first.name, number, "job with an old password")
            for hour in range(24):
                lines = sshd.guesses(first.generation, self._job_from, 40_000 + hour, "root", 1)
                yield Event(hour * 3600 + 60, first, lines)
        if number in self._monitor:
            yield Innocent(self._member.key, self._monitor_from, first.name, number, "monitoring")
            for turn in range(48):
                yield Event(
                    turn * 1800 + 7, first, sshd.look(first.generation, self._monitor_from, 50_000 + turn, 1)
                )

    def _sign_ins(self, dice: random.Random, host: Host) -> Iterator[Event]:
        count = _SIGN_INS_LEAST + round(SIGN_INS_A_DAY * self._member.weight * dice.uniform(0.7, 1.3))
        origins = [self._member.customer(dice) for _ in range(4)]
        for _ in range(count):
            lines = sshd.sign_in(
                host.generation, dice.choice(origins), dice.randrange(1024, 65_536), dice.choice(_PEOPLE),
                by_key=True,
            )  # fmt: skip
            yield Event(_working_second(dice), host, lines)

    def _slips(self, dice: random.Random, host: Host, number: int) -> Iterator[Event | Innocent]:
        """A few wrong passwords a week; three and more in a row are rare."""
        for _ in range(dice.choice((0, 0, 0, 1, 1, 2))):
            origin = dice.choice([*self._away, self._member.customer(dice)])
            count = dice.choices((1, 2, 3, 4), (70, 24, 4, 2))[0]
            yield Innocent(self._member.key, origin, host.name, number, "mistyped password")
            port, person = dice.randrange(1024, 65_536), dice.choice(_PEOPLE)
            yield Event(_working_second(dice), host, sshd.slips(host.generation, origin, port, person, count))

    def _machine(self, dice: random.Random, host: Host) -> Iterator[Event]:
        """Cron every hour, now and then sudo, and once in a while an attacker's name that is no UTF-8."""
        opened = ("CRON", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)")
        for hour in range(24):
            yield Event(
                hour * 3600 + 17 * 60,
                host,
                [opened, ("CRON", "pam_unix(cron:session): session closed for user root")],
            )
        for _ in range(dice.randrange(3)):
            person = dice.choice(_PEOPLE)
            line = (
                f"  {person} : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/{dice.choice(words.ACCOUNTS)}"
            )
            yield Event(_working_second(dice), host, [("sudo", line)])

    def _two_days(self, dice: random.Random) -> range:
        start = dice.randrange(self._shape.days)
        return range(start, min(start + 2, self._shape.days))


def _working_second(dice: random.Random) -> float:
    """Most of it in the day, some of it at night."""
    if dice.random() < 0.15:
        return dice.random() * DAY
    return dice.triangular(7 * 3600, 21 * 3600, 13 * 3600)
