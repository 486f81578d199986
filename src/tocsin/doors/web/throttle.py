"""How often somebody may try: counted in Django's cache, by address, person, key or account.

The cache is this process's memory unless `CACHES` says otherwise, so several processes each keep a count of
their own: a limit is exact for one process and at most that many times as wide for several.
"""

from tocsin.access.limits import Limit, TooManyAttempts, add, reached, start_anew, take

__all__ = [
    "ACCOUNT",
    "ADDRESS",
    "CODE",
    "INVITATIONS",
    "LINKS",
    "PAIR",
    "TooManyAttempts",
    "check",
    "check_code",
    "check_link",
    "count_failure",
    "count_invitation",
    "count_wrong_code",
    "count_wrong_link",
    "forget",
]

PAIR = Limit(5, 900)  # one address guessing at one account
ADDRESS = Limit(50, 900)  # one address guessing at many accounts
ACCOUNT = Limit(100, 900)  # many addresses guessing at one account: wide, or it would lock its owner out
CODE = Limit(10, 900)  # six digits, three of which are right at a time: 33,000 years to an even chance
INVITATIONS = Limit(60, 3600)  # one person inviting
LINKS = Limit(30, 900)  # one address trying one-time links that are none


def check(address: str, account: str) -> None:
    """Raises TooManyAttempts where a limit of signing in is reached."""
    for place, limit in _counters(address, account):
        reached("sign-in", place, limit)


def count_failure(address: str, account: str) -> None:
    """One more failure; each counter starts its time with its first."""
    for place, limit in _counters(address, account):
        add("sign-in", place, limit)


def forget(address: str, account: str) -> None:
    """A success: this pair begins anew; the wide counters stay."""
    start_anew("sign-in", _counters(address, account)[0][0])


def check_code(person: int) -> None:
    """Raises TooManyAttempts where somebody guesses at a person's second factor."""
    reached("code", str(person), CODE)


def count_wrong_code(person: int) -> None:
    """One more wrong code."""
    add("code", str(person), CODE)


def check_link(address: str) -> None:
    """Raises TooManyAttempts where an address has tried too many links that are none."""
    reached("link", address, LINKS)


def count_wrong_link(address: str) -> None:
    """One more link that is none."""
    add("link", address, LINKS)


def count_invitation(person: int) -> None:
    """One more invitation. Raises TooManyAttempts where that is one too many."""
    take("invitation", str(person), INVITATIONS)


def _counters(address: str, account: str) -> list[tuple[str, Limit]]:
    places = ((address, account, PAIR), (address, "", ADDRESS), ("", account, ACCOUNT))
    return [(f"{who}\n{what}", limit) for who, what, limit in places]
