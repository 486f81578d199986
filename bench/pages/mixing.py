"""Twenty people who work at once: each goes from page to page of their own and reads 1 to 5 seconds.

That is what load tools of the field mean by concurrent users (Locust's `between(1, 5)`). wrk cannot tell
pages apart and Locust is no dependency of ours, so this is httpx on asyncio, a connection for each person.
A figure is the time from asking until the last byte, and so has what the client itself costs in it (about a
millisecond).
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

READS = 1.0, 5.0  # seconds
WARM = 10.0  # seconds at most, and a third of all: what the first readers wait for is not counted
REACH_MS = 150
SEED = 20
# Who is there, and how many of them: by the names of `bench.pages.listed`.
PEOPLE = {"rita": 6, "olive": 6, "saul": 1, "cora": 1, "opal": 1, "adam": 1, "": 2, "key": 2}

Page = tuple[str, str, str]  # person, words, address


def mixed(
    url: str, listed: Sequence[Page], headers: Mapping[str, str], seconds: float
) -> list[dict[str, Any]]:
    """A row for each page that was asked for, and one for all of them together."""
    spent: dict[str, list[float]] = defaultdict(list)
    wrong: dict[str, int] = defaultdict(int)
    asyncio.run(_all(url, listed, headers, seconds, spent, wrong))
    rows = [_row(words, spent[words], wrong[words]) for _, words, _ in listed if spent[words]]
    everything = [one for ones in spent.values() for one in ones]
    return [*rows, _row("all pages", everything, sum(wrong.values()))]


async def _all(
    url: str,
    listed: Sequence[Page],
    headers: Mapping[str, str],
    seconds: float,
    spent: dict[str, list[float]],
    wrong: dict[str, int],
) -> None:
    began = time.perf_counter()
    visits = [
        _visit(
            url,
            own,
            headers[person],
            began,
            seconds,
            random.Random(f"{SEED} {person} {number}"),
            spent,
            wrong,
        )
        for person, count in PEOPLE.items()
        if (own := [page for page in listed if page[0] == person])
        for number in range(count)
    ]
    await asyncio.gather(*visits)


async def _visit(
    url: str,
    own: Sequence[Page],
    header: str,
    began: float,
    seconds: float,
    dice: random.Random,
    spent: dict[str, list[float]],
    wrong: dict[str, int],
) -> None:
    """One person: all of the own pages in an order that is drawn anew each time round."""
    async with httpx.AsyncClient(base_url=url, headers=dict([header.split(": ", 1)]), timeout=60) as client:
        await asyncio.sleep(dice.uniform(0, READS[1]))
        while True:
            for _, words, address in dice.sample(own, len(own)):
                asked = time.perf_counter()
                if asked - began > seconds:
                    return
                answer = await client.get(address)
                if asked - began > min(WARM, seconds / 3):
                    spent[words].append(time.perf_counter() - asked)
                    wrong[words] += answer.status_code != 200
                await asyncio.sleep(dice.uniform(*READS))


def _row(words: str, spent: Sequence[float], errors: int) -> dict[str, Any]:
    ordered = sorted(spent)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3, 1)

    return {
        "what": f"in the mix: {words}",
        "requests": len(ordered),
        "errors": errors,
        "p50_ms": at(0.5),
        "p95_ms": at(0.95),
        "p99_ms": at(0.99),
        "reached": not errors and at(0.95) <= REACH_MS,
    }
