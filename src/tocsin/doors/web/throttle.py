"""How often somebody may try to sign in: counted in Django's cache, per address and account, then per each.

The cache is this process's memory unless `CACHES` says otherwise, so several processes each keep a count of
their own: a limit is exact for one process and at most that many times as wide for several.
"""

from dataclasses import dataclass

from django.core.cache import cache

from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.problems import Problem


class TooManyAttempts(Problem):
    """Too many attempts to sign in."""

    slug = "too-many-attempts"
    status = 429
    hint = "wait a quarter of an hour, then try again; nobody but you is held up for longer"


@dataclass(frozen=True)
class Limit:
    """So many failures within so many seconds."""

    failures: int
    seconds: int


PAIR = Limit(5, 900)  # one address guessing at one account
ADDRESS = Limit(50, 900)  # one address guessing at many accounts
ACCOUNT = Limit(100, 900)  # many addresses guessing at one account: wide, or it would lock its owner out


def check(address: str, account: str) -> None:
    """Raises TooManyAttempts where a limit is reached."""
    if any(cache.get(key, 0) >= limit.failures for key, limit in _counters(address, account)):
        raise TooManyAttempts()


def count_failure(address: str, account: str) -> None:
    """One more failure; each counter starts its time with its first."""
    for key, limit in _counters(address, account):
        cache.add(key, 0, limit.seconds)
        try:
            cache.incr(key)
        except ValueError:  # it ran out between the two lines
            cache.set(key, 1, limit.seconds)


def forget(address: str, account: str) -> None:
    """A success: this pair begins anew; the wide counters stay."""
    cache.delete(_counters(address, account)[0][0])


def _counters(address: str, account: str) -> list[tuple[str, Limit]]:
    places = ((address, account, PAIR), (address, "", ADDRESS), ("", account, ACCOUNT))
    return [(_key(f"{who}\n{what}"), limit) for who, what, limit in places]


def _key(place: str) -> str:
    # Hashed, so that a cache holds no addresses and no key of arbitrary length.
    return f"sign-in:{sha256_hex(place.encode())[:32]}"
