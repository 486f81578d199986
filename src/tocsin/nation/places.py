"""Providers of very different sizes: their networks, their machines, and how well they keep time and logs.

All addresses are special-purpose ones that no real network uses: members live in the upper half of
198.18.0.0/15 (RFC 2544) and in 2001:db8::/32 (RFC 3849), attackers in the lower half.
"""

import ipaddress
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tocsin.nation import words
from tocsin.nation.shape import Shape

Form = Literal["rfc3164", "iso", "rfc5424"]
Habit = Literal["daily", "late", "never"]

FILES: dict[Form, str] = {"rfc3164": "auth.log", "iso": "sshd.iso.log", "rfc5424": "sshd.5424.log"}
_FORMS: tuple[Form, ...] = ("rfc3164", "iso", "rfc5424")
_HOMES = ipaddress.IPv4Network("198.19.0.0/16")
_ZIPF = 0.9


@dataclass(frozen=True)
class Host:
    """A machine with an sshd: `generation` 6 to 9 is OpenSSH's, which words its lines differently."""

    name: str
    form: Form
    generation: int


@dataclass(frozen=True)
class Provider:
    """A provider as it is. `weight` is its size beside the largest (1.0), `clock_offset` how many seconds its
    machines are ahead of the true time, `rotates_at` the hour (UTC) at which its logs rotate."""

    number: int
    key: str
    name: str
    force: str
    networks: tuple[str, str]
    weight: float
    hosts: tuple[Host, ...]
    time_zone: str
    clock_offset: int
    clock_error_ms: int | None
    rotates_at: int
    keeps_previous: bool
    kept_days: int
    habit: Habit
    delay_days: int

    @property
    def domain(self) -> str:
        """Where its mail goes."""
        return f"{self.key}.example"

    def customer(self, dice: random.Random) -> str:
        """An address of a customer of its own."""
        network = ipaddress.IPv4Network(self.networks[0])
        return str(network[dice.randrange(1, network.num_addresses - 1)])


def make(shape: Shape, forces: list[str]) -> list[Provider]:
    """The providers, the largest first; the seat of each is in one of the forces."""
    dice = shape.dice("providers")
    names, networks, habits = words.providers(dice, shape.providers), _networks(), _habits(shape)
    return [
        _provider(dice, number, name, next(networks), forces, habits[number])
        for number, name in enumerate(names)
    ]


def _provider(
    dice: random.Random, number: int, name: str, networks: tuple[str, str], forces: list[str], habit: Habit
) -> Provider:
    key = words.key_of(name)
    offset = dice.choices(
        (0, dice.randint(-2, 2), dice.randint(-90, 90), dice.randint(-400, 400)), (3, 4, 2, 1)
    )[0]
    return Provider(
        number=number,
        key=key,
        name=name,
        # The first providers fill the forces, the others settle anywhere.
        force=forces[number] if number < len(forces) else dice.choice(forces),
        networks=networks,
        weight=(number + 1) ** -_ZIPF,
        hosts=tuple(_hosts(dice, number, key)),
        time_zone=dice.choice(("Europe/London", "Europe/London", "UTC")),
        clock_offset=offset,
        clock_error_ms=None if dice.random() < 0.3 else max(50, abs(offset) * 1500),
        rotates_at=dice.choice((0, 0, 6)),
        keeps_previous=dice.random() < 0.3,
        kept_days=dice.choice((7, 14, 28, 28, 90, 365)),
        habit=habit,
        delay_days={"daily": 0, "late": dice.randint(2, 20), "never": 0}[habit],
    )


def _habits(shape: Shape) -> dict[int, Habit]:
    """A fifth report late, a tenth never; of five providers one each at least. The largest is prompt."""
    others = list(range(1, shape.providers))
    shape.dice("habits").shuffle(others)
    least = 1 if shape.providers >= 5 else 0
    late, never = (max(least, round(shape.providers * share)) for share in (0.2, 0.1))
    habits: dict[int, Habit] = dict.fromkeys(range(shape.providers), "daily")
    habits |= dict.fromkeys(others[:late], "late")
    return habits | dict.fromkeys(others[late : late + never], "never")


def _hosts(dice: random.Random, number: int, key: str) -> Iterator[Host]:
    """Large providers have more machines; the same file name never stands for two."""
    for which in range(3 if number < 3 else 2 if number < 20 else 1):
        form = _FORMS[(number + which) % len(_FORMS)]
        yield Host(
            f"{key}-ssh{which + 1}",
            form,
            6 if form == "rfc3164" and dice.random() < 0.4 else dice.choice((8, 9)),
        )


def _networks() -> Iterator[tuple[str, str]]:
    """Networks in order of size, which together fill the members' half exactly."""
    at = int(_HOMES.network_address)
    for number in range(400):
        width = 20 if number < 1 else 21 if number < 4 else 23 if number < 16 else 25
        yield f"{ipaddress.IPv4Address(at)}/{width}", f"2001:db8:{0x1000 + number:x}::/48"
        at += 1 << (32 - width)
