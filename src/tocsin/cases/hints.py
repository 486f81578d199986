"""What two reports have in common that is too weak to act upon: it suggests that a person looks.

The same network or the same shape of flood a day apart at most, and names under one registered domain. What
more than a few cases share is a hub, whatever it is, and suggests nothing.
"""

import datetime as dt
from functools import lru_cache

from tocsin.cases.keys import MAX_KEYS, Key, glues, hubs, network_of, normal, room_of, sites

MOST_SHARED = 5  # cases that may have a hint in common before it is a hub
ONE_DAY = dt.timedelta(days=1)


def hints_of(
    *,
    lane: str,
    kind: str,
    severity: str,
    origins: tuple[str, ...],
    first_seen_at: dt.datetime,
    fingerprint: str = "",
    is_flood: bool = False,
    names: tuple[str, ...] = (),
) -> list[Key]:
    """The hints of a report; two reports that share one differ in no more than a day where days matter."""
    if severity == "info":
        return []
    room, found = room_of(lane), []
    met = networks(origins) if not is_flood else []
    for days in day_pairs(first_seen_at.astimezone(dt.UTC).date()):
        if is_flood and fingerprint:
            words = f"a flood of the same shape within a day: {fingerprint}"
            found.append(Key(f"{room}flood/{fingerprint}/{days}", words, 45))
        for network in met:
            words = f"the same kind of attack from the same network, {network}, within a day"
            found.append(Key(f"{room}net/{network}/{kind}/{days}", words, 40))
    words = "is about a site under the same domain, "
    found += [Key(f"{room}domain/{domain}", words + domain, 50) for domain in domains(sites(names))]
    return found


@lru_cache(maxsize=1_000)
def day_pairs(day: dt.date) -> tuple[str, str]:
    """The day with the one before and with the one after: equal for some pair within a day, never beyond."""
    return f"{day - ONE_DAY}+{day}", f"{day}+{day + ONE_DAY}"


def networks(origins: tuple[str, ...]) -> list[str]:
    """The /24 or /48 of each origin that says something, each once."""
    useful = [origin for origin in map(normal, origins) if glues(origin)][:MAX_KEYS]
    found = dict.fromkeys(network_of(origin) for origin in useful)
    return [network for network in found if network is not None]


def domains(names: list[str]) -> list[str]:
    """The registered domain of each name that lies under one, each once."""
    found = dict.fromkeys(registered(name) for name in names)
    return [domain for domain in found if domain is not None]


def registered(name: str) -> str | None:
    """The domain that somebody registered, or rents as a whole, above a name; None where it is an address.

    `secure.bank-login.co.uk` lies under `bank-login.co.uk`, `a.b.github.io` under `b.github.io`.
    """
    labels = name.split(".")
    if labels[-1].isdigit() or ":" in name:
        return None
    for start in range(len(labels) - 2, -1, -1):
        domain = ".".join(labels[start:])
        if domain not in hubs():
            return domain
    return None
