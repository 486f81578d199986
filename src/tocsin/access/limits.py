"""Limits of how often: so many within so many seconds, counted in Django's cache under hashed names."""

from dataclasses import dataclass

from django.core.cache import cache

from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.problems import Problem


class TooManyAttempts(Problem):
    """Too many attempts."""

    slug = "too-many-attempts"
    status = 429
    hint = "wait a quarter of an hour, then try again; nobody but you is held up for longer"

    def __init__(self, *, seconds: int = 900, hint: str | None = None) -> None:
        self.retry_after = seconds
        super().__init__(hint=hint)


class TooManyRequests(TooManyAttempts):
    """More requests than this exchange takes from one key."""

    slug = "too-many-requests"
    hint = "wait as long as Retry-After says; several reports fit into one request (/reports/batch)"


@dataclass(frozen=True)
class Limit:
    """So many within so many seconds."""

    failures: int
    seconds: int


KEY = Limit(1200, 60)  # requests of one key: ten thousand reports a minute fit into twelve
UNKNOWN_KEY = Limit(60, 60)  # requests of one address with keys that are none


def reached(kind: str, place: str, limit: Limit) -> None:
    """Raises TooManyAttempts where the limit is reached."""
    if cache.get(key_of(kind, place), 0) >= limit.failures:
        raise TooManyAttempts(seconds=limit.seconds)


def add(kind: str, place: str, limit: Limit) -> int:
    """One more, and how many there are; the counter starts its time with its first."""
    key = key_of(kind, place)
    cache.add(key, 0, limit.seconds)
    try:
        return int(cache.incr(key))
    except ValueError:  # it ran out between the two lines
        cache.set(key, 1, limit.seconds)
        return 1


def take(kind: str, place: str, limit: Limit) -> None:
    """One more. Raises TooManyAttempts where that is one too many."""
    if add(kind, place, limit) > limit.failures:
        raise TooManyAttempts(seconds=limit.seconds)


def take_request(prefix: str) -> None:
    """One more request of a key. Raises TooManyRequests."""
    if add("key", prefix, KEY) > KEY.failures:
        raise TooManyRequests(seconds=KEY.seconds)


def start_anew(kind: str, place: str) -> None:
    """Forget what was counted."""
    cache.delete(key_of(kind, place))


def key_of(kind: str, place: str) -> str:
    """The counter's name: hashed, so that a cache holds no addresses and no key of arbitrary length."""
    return f"{kind}:{sha256_hex(place.encode())[:32]}"
