"""Whose business a value is: what stood on the exchange's lists, or everything where there is no exchange."""

import ipaddress
import re
from collections.abc import Callable, Iterable
from functools import lru_cache

_QUESTION = re.compile(r"(?:/[A-Z0-9-]+){2}$")  # BIND writes type and class behind the name


class Listed:
    """The names that stood on the exchange's list, as far as this machine knows.

    `wild` are those whose subdomains were listed too. Without any list every trigger counts as listed, which
    is good for a look and never for sending.
    """

    def __init__(self, names: Iterable[str] | None, wild: Iterable[str] = ()) -> None:
        self._names = None if names is None else frozenset(names)
        self._wild = frozenset(wild)
        self.name_of: Callable[[str, str], str | None] = lru_cache(maxsize=100_000)(self._name_of)

    @property
    def is_known(self) -> bool:
        """Whether there is a list at all."""
        return self._names is not None

    def named(self, name: str, *, is_told: bool = False) -> str | None:
        """The listed name by which `name` is refused; None where no list is known, unless a log `is_told`."""
        if self._names is None:
            return normalised(name) if is_told else None
        name = normalised(name)
        if name in self._names:
            return name
        labels = name.split(".")
        parents = (".".join(labels[start:]) for start in range(1, len(labels)))
        return next((parent for parent in parents if parent in self._wild), None)

    def _name_of(self, name: str, trigger: str) -> str | None:
        """The listed name that made a resolver rewrite `name`; None where another policy did.

        BIND writes the trigger with the policy zone behind it, and for a wildcard the name that was asked
        instead of the wildcard; Unbound writes the trigger alone.
        """
        name, trigger = normalised(_QUESTION.sub("", name)), normalised(trigger)
        told = trigger.removeprefix("*.")
        if self._names is None:
            return name if trigger.startswith(name + ".") else told
        labels = told.split(".")
        for end in range(len(labels), 0, -1):
            candidate = ".".join(labels[:end])
            if candidate in self._names:
                return candidate
        if not trigger.startswith(name):
            return None
        parents = name.split(".")
        suffixes = (".".join(parents[start:]) for start in range(1, len(parents)))
        return next((suffix for suffix in suffixes if suffix in self._wild), None)


class Wanted:
    """The names and addresses that are counted; all of them where no list is known (None)."""

    def __init__(self, names: dict[str, bool] | None, addresses: frozenset[str] | None) -> None:
        self.addresses = addresses
        self.names = Listed(names, (name for name, wild in (names or {}).items() if wild))

    def find(self, text: str) -> str | None:
        """The value that a refused name or address was refused by; None where it is none of ours."""
        text = normalised(text.strip())
        if not text:
            return None
        if kind_of(text) == "name":
            return self.names.named(text, is_told=True)
        address = ipaddress.ip_address(text).compressed
        return address if self.addresses is None or address in self.addresses else None


def kind_of(value: str) -> str:
    """`address` or `name`."""
    if not (value[-1:].isdigit() or ":" in value):
        return "name"
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return "name"
    return "address"


def normalised(name: str) -> str:
    """A name in lower case without its final dot."""
    return name.lower().removesuffix(".")
