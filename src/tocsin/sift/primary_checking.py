"""Whether a hidden primary with these settings would work, and does: for `tocsin dns --check`."""

import shutil
from collections import Counter
from collections.abc import Iterator

from tocsin.kernel.checkup import Finding
from tocsin.kernel.problems import Problem
from tocsin.sift import calling, policies
from tocsin.sift.blockstore import opened
from tocsin.sift.knot import Knot
from tocsin.sift.primary_list import NameList
from tocsin.sift.primary_settings import Settings

PROGRAMS = ("knotd", "knotc", "knsupdate")


def check(settings: Settings, key: str) -> Iterator[Finding]:
    """One finding for each part: programs, exchange, list, what each class gets, Knot, the secondaries."""
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking:
        yield Finding(
            "programs", "wrong", f"{', '.join(lacking)} not found", "apt-get install knot knot-dnsutils"
        )
    else:
        yield Finding("programs", "good", ", ".join(PROGRAMS))
    yield _exchange(settings, key)
    with opened(settings.exchange) as store:
        names = NameList(store, settings.zone, lambda _: None)
    if names.statement is None:
        yield Finding("list", "missing", "none was fetched so far", "tocsin dns --once fetches it")
    else:
        said = f"{names.number}, {len(names.names):,} names, until {names.statement.expires}"
        yield Finding("list", "wrong" if names.has_expired else "good", said)
    for row in policies.explained(settings.policy.counted(True, Counter(names.names.values()))):
        yield Finding("policy", "good", row)
    if not names.names:
        default = settings.policy.name("").words
        yield Finding("policy", "good", f"{default}; rules for classes: {len(settings.classes)}")
    if not lacking:
        yield _knot(settings, names.number)
    for one in settings.secondary:
        how = "by key" if one.tsig else "by its address, without a key"
        yield Finding(f"secondary {one.address}", "good", f"is notified, and may transfer {how}")
    if not settings.secondary:
        yield Finding("secondaries", "missing", "nobody is notified", "name each resolver as [[secondary]]")


def _exchange(settings: Settings, key: str) -> Finding:
    try:
        with calling.client(settings.exchange, key) as client:
            calling.introduced(client, lambda _: None, ())
            calling.ask(lambda: client.get("/lists/names.rpz.sig"), ())
    except Problem as problem:
        return Finding("exchange", "wrong", problem.detail, problem.hint)
    return Finding("exchange", "good", f"{settings.exchange} knows the key")


def _knot(settings: Settings, number: int) -> Finding:
    try:
        held = Knot(settings).mark()
    except Problem as problem:
        return Finding("Knot", "wrong", problem.detail, problem.hint)
    if not number or held.partition(".")[0] == f"list-{number}":
        return Finding("Knot", "good", f"holds {held.partition('.')[0]} as {settings.zone}")
    return Finding("Knot", "wrong", f"holds {held}, not list-{number}", "tocsin dns brings it in step")
