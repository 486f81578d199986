"""What stands beside reports and cases in the store: scores, words, pairs, questions, news, indicators."""

import datetime as dt
import hashlib
import itertools
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bench.pages.rows import restart_ids, write

if TYPE_CHECKING:
    from bench.pages.store import Store

TOKEN = "a-token-that-the-bench-knows"  # of one case's one-time link, and of one guest of a room
KEY = "5" * 64  # the secret of the machine key
PREFIX = "0" * 12
PAIRS = 200  # of Kent's cases that may be one
ASKED = 40  # reports of the largest provider about which a question waits
UNREAD = 30  # its news that nobody has seen
TALLIED = 1_000  # indicators that stopped something


def furnish(store: "Store") -> None:
    """Write all of it; what the product derives is made by the product's own services."""
    _people(store)
    _keys(store)
    _links(store)
    _suggestions(store)
    _questions(store)
    _notices(store)
    _indicators(store)
    _derived()


def _people(store: "Store") -> None:
    """Who looks after others."""
    from tocsin.access import services
    from tocsin.access.models import Member, Unit

    largest = Member.objects.get(pk=store.members[0])
    for name, role, place in (
        ("adam", "administrator", {"member": largest}),
        ("opal", "operator", {}),
    ):
        person = services.add_person(f"{name}@bench.example", name.title(), "a long password of the bench")
        services.give_role(person, role, **place)
        store.people[name] = person
    kent = Unit.objects.get(pk=store.kent)
    for number in range(150):
        officer = services.add_person(f"officer{number}@bench.example", f"Officer {number}", None)
        services.give_role(officer, "officer", unit=kent)


def _keys(store: "Store") -> None:
    from tocsin.access.keys import SCOPES
    from tocsin.access.models import ApiKey

    rows = [(store.members[0], PREFIX, hashlib.sha256(KEY.encode()).digest())]
    rows += [(pk, f"{pk:012x}", hashlib.sha256(str(pk).encode()).digest()) for pk in store.members]
    write(
        ApiKey,
        ("member", "prefix", "digest"),
        rows,
        label="edge",
        scopes=sorted(SCOPES),
        created_at=store.now,
    )


def _links(store: "Store") -> None:
    """One case open to an officer without account, one room open to a guest."""
    from tocsin.cases.models import Guest, OneTimeLink
    from tocsin.cases.rooms import PARTS
    from tocsin.kernel.hashing import sha256

    until = store.now + dt.timedelta(days=14)
    OneTimeLink.objects.create(
        case_id=1 + unjoined(store),
        digest=sha256(TOKEN.encode()),
        made_by=store.people["cora"],
        made_at=store.now,
        expires_at=until,
        officer_name="PC Bell",
        accepted_at=store.now,
    )
    Guest.objects.create(
        case_id=1,
        digest=sha256(TOKEN.encode()),
        name="Ann Guest",
        organisation="Another Force",
        parts=list(PARTS),
        invited_by=store.people["olive"],
        invited_at=store.now,
        expires_at=until,
    )


def unjoined(store: "Store") -> int:
    """An open case of a unit that has not joined."""
    return next(n for n in range(1, store.cases) if store.is_open(n) and store.unit(n) != store.kent)


def _suggestions(store: "Store") -> None:
    """Kent's open cases in pairs, and a pair for each fiftieth case of the others."""
    from tocsin.cases.models import Suggestion

    kents = [n for n in range(0, store.cases, 12) if store.is_open(n)]
    pairs = [(a + 1, b + 1, 40 + a % 40) for a, b in itertools.pairwise(kents)][:PAIRS]
    pairs += [(n + 1, n + 3, 40 + n % 40) for n in range(1, store.cases - 4, 50) if n % 12 and (n + 2) % 12]
    write(
        Suggestion,
        ("case", "other", "strength"),
        pairs,
        reason="the same fingerprint on both sides",
        made_at=store.now,
        state="open",
    )


def _questions(store: "Store") -> None:
    """About reports of the largest provider in open cases."""
    from tocsin.cases.models import Question

    about = (
        (n + 1, pk, f"question_{pk:012}", store.unit(n))
        for n, pk in store.numbered()
        if store.is_open(n) and store.member(n, pk) == store.members[0]
    )
    rows = [row for row, _ in zip(about, range(ASKED), strict=False)]
    write(
        Question,
        ("case", "report", "question_id", "unit"),
        rows,
        code="still-going",
        asked_by_name="Olive",
        asked_at=store.now,
        lapses_at=store.now + dt.timedelta(days=7),
        closed_at=None,
    )


def _notices(store: "Store") -> None:
    """What each provider was told: one thing about every fifth of its reports, the newest of them unseen."""
    from tocsin.notices.models import Notice

    def rows() -> Iterator[tuple[Any, ...]]:
        unread = 0
        for n, pk in store.numbered():
            if pk % 5 == 0 or pk % 7 == 0:
                member, is_new = store.member(n, pk), False
                if member == store.members[0] and unread < UNREAD:
                    unread, is_new = unread + 1, True
                yield member, pk, pk, store.opened_at(n), None if is_new else store.now

    write(
        Notice,
        ("member", "report", "entry_seq", "at", "seen_at"),
        rows(),
        event="cases:case:accepted",
        words="Somebody has it.",
    )


def _indicators(store: "Store") -> None:
    """The origin of each case, which every report of it asserts; a thousand of them stopped something."""
    from tocsin.blocking.models import Tally
    from tocsin.sharing.models import Assertion, Indicator

    write(
        Indicator,
        ("id", "indicator_id", "stix_id", "value", "asserted_at", "changed_at"),
        (
            (
                n + 1,
                f"indicator_{n:012}",
                prepared_uuid(n),
                store.origin(n),
                store.opened_at(n),
                store.opened_at(n),
            )
            for n in range(store.cases)
        ),
        kind="address",
        attack_kind="intrusion-attempts/brute-force",
        state="shared",
        reason="two members report it",
        valid_until=store.now + dt.timedelta(days=30),
    )
    write(
        Assertion,
        ("indicator", "report", "member", "asserted_at"),
        ((n + 1, pk, store.member(n, pk), store.opened_at(n)) for n, pk in store.numbered()),
        withdrawn_at=None,
    )
    write(
        Tally,
        ("indicator", "member", "hour", "hits"),
        (
            (n + 1, member, store.now.replace(minute=0, second=0, microsecond=0), 100 + n)
            for n in range(min(TALLIED, store.cases))
            for member in store.members[:10]
        ),
        source_id="resolver.log",
        clients=None,
        told_at=store.now,
    )
    restart_ids([Indicator])


def prepared_uuid(n: int) -> Any:
    """As the engine keeps it."""
    from django.db import connection

    from tocsin.sharing.models import Indicator

    return Indicator._meta.get_field("stix_id").get_db_prep_save(uuid.UUID(int=n + 1), connection)


def _derived() -> None:
    """Due times and scores of open cases, and the words that all cases are found by."""
    from tocsin.cases import holdings, shares, terms, triage

    holdings.rebuild()
    triage.refresh_all()
    shares.standing_anew()
    terms.rebuild()
