"""Search: the words, names and addresses that a case is found by, kept in a table of their own.

A term is bytes, so that both engines order it alike and a prefix is a range of the index. An address is its
number in hex behind `4:` or `6:`, so that 203.0.113.0/24 is a range too; a name is kept with each domain
above it. Terms are filled by a background task when a case changes; `tocsin admin search rebuild` makes them
anew.
"""

import datetime as dt
import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence

from django.db.models import Exists, OuterRef, Q, QuerySet

from tocsin.cases.keys import normal
from tocsin.cases.models import (
    Case,
    CaseOrigin,
    CrimeNumber,
    Decision,
    ForeignNumber,
    Link,
    Outcome,
    Share,
    Term,
)
from tocsin.cases.units import current_pack
from tocsin.intake.models import Report
from tocsin.journal.acts import act
from tocsin.journal.queries import contents, entries
from tocsin.kernel.time import now
from tocsin.store import bulk

LONGEST = 64  # bytes of a term
COMMON = 1_000  # terms; what begins more of them is no way to begin a search
MOST_WORDS = 8  # of one search
NOT_YET_FILLED = dt.timedelta(hours=1)  # what came in since may not have its terms yet
MOST_TARGETS = 200  # of one case
LOOKED_THROUGH = 2_000  # reports of one member, the newest changes first, that words are looked for in
BATCH = 1_000
WORD = re.compile(r"[^\W_]+(?:[._@'-][^\W_]+)*")
REFERENCE = re.compile(r"[^\W_]+(?:/[^\W_]+)+")  # 42/12345/26, as crime numbers are spelled
PARTIAL = re.compile(r"(\d{1,3})(?:\.(\d{1,3}))?(?:\.(\d{1,3}))?\.$")
PLACES = ("origin", "target", "service", "kind", "report_id", "attack_id")


def matching(text: str) -> Q:
    """Cases that every word finds: an address, a prefix, or the beginning of a word, name or id."""
    found = Q()
    for word in text.split()[:MOST_WORDS]:
        found &= one_word(word)
    return found


def one_word(word: str) -> Q:
    """Cases that one word finds."""
    if word.lower().startswith(("report_", "attack_")):
        return of_report_id(word)
    first, last = range_of(word)
    found = Term.objects.filter(text__gte=first, text__lt=last).order_by()
    if found[:COMMON].count() < COMMON:
        return Q(pk__in=found.values("case"))
    # What half the cases say is asked of each case in turn, until the page is full.
    return Q(Exists(found.filter(case=OuterRef("pk"))))


def of_report_id(word: str) -> Q:
    """The case of a report, by its id; ids are looked up where they stand, and need no terms."""
    place = "report_id" if word.startswith("report_") else "attack_id"
    links = Link.objects.filter(**{f"report__{place}": word}, detached_at__isnull=True)
    return Q(pk__in=links.values("case"))


def range_of(word: str) -> tuple[bytes, bytes]:
    """The terms that a word finds: from the first, up to and without the last."""
    network = network_of(word)
    if network is None:
        start = cut(word.lower().strip(".,;:!?()\"'"))
        return start, start + b"\xff"
    if network.num_addresses == 1:
        exact = address_term(network.network_address)
        return exact, exact + b"\x00"
    return address_term(network.network_address), address_term(network.broadcast_address) + b"\x00"


def network_of(word: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The addresses meant by `203.0.113.7`, `203.0.113.0/24` or `203.0.113.`; None for words."""
    partial = PARTIAL.match(word)
    if partial is not None:
        given = [part for part in partial.groups() if part is not None]
        word = ".".join([*given, *["0"] * (4 - len(given))]) + f"/{8 * len(given)}"
    try:
        return ipaddress.ip_network(word, strict=False)
    except ValueError:
        return None


def address_term(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bytes:
    """`4:cb007107`."""
    return f"{address.version}:{address.packed.hex()}".encode()


def cut(text: str) -> bytes:
    """The text as a term."""
    return text.encode()[:LONGEST]


def terms_of_place(place: str) -> Iterator[bytes]:
    """The terms of an address or a name: the name itself and each domain above it."""
    text = normal(place)
    if not text or text.startswith("token:"):
        return  # a customer of a member, which nobody else can read
    try:
        yield address_term(ipaddress.ip_address(text))
        return
    except ValueError:
        pass
    labels = text.split(".")
    for start in range(max(1, len(labels) - 1)):
        yield cut(".".join(labels[start:]))


def terms_of_words(text: str) -> Iterator[bytes]:
    """The words of a text, each by itself, addresses as addresses, and numbers with strokes whole, too."""
    for word in text.split():
        if network_of(word.strip(".,;:()")) is not None:
            yield from terms_of_place(word.strip(".,;:()").split("/")[0])
            continue
        for found in REFERENCE.findall(word.lower()):
            if any(sign.isdigit() for sign in found):
                yield cut(found)
        for found in WORD.findall(word.lower()):
            yield cut(found)
            yield from (cut(part) for part in re.split(r"[._@'-]", found) if len(part) > 2)


def texts_of(cases: Sequence[Case]) -> Iterator[tuple[int, str]]:
    """(case, text): whatever is said of these cases in words."""
    pack = current_pack()
    for case in cases:
        yield case.pk, f"{case.case_id} {case.title} {pack.kind_words(case.kind)} {case.owner_name}"
        yield case.pk, case.investigating_unit.name
    for model, place in ((Decision, "reason"), (Outcome, "words")):
        yield from model.objects.filter(case__in=cases).values_list("case_id", place)
    yield from ForeignNumber.objects.filter(case__in=cases).values_list("case_id", "number")
    yield from CrimeNumber.objects.filter(case__in=cases).values_list("case_id", "number")
    yield from Share.objects.filter(case__in=cases).values_list("case_id", "member__name")


def places_of(cases: Sequence[Case]) -> Iterator[tuple[int, str]]:
    """(case, address or name): where the attacks came from, what they are about, and at whom they went."""
    for case_pk, key in CaseOrigin.objects.filter(case__in=cases).values_list("case_id", "origin"):
        yield case_pk, key.rsplit("/", 1)[-1]
    links = Link.objects.filter(case__in=cases, detached_at__isnull=True).order_by()
    known: dict[int, int] = {}
    targets = links.values_list("case_id", "report__origin", "report__target").distinct()
    for case_pk, origin, target in targets.iterator(BATCH):
        known[case_pk] = known.get(case_pk, 0) + 1
        if known[case_pk] <= MOST_TARGETS:
            yield case_pk, origin
            yield case_pk, target


def fill(case_pks: Iterable[int]) -> None:
    """Make the terms of these cases what they should be. The restricted lane is found by its id alone."""
    todo = sorted(set(case_pks))
    for start in range(0, len(todo), BATCH):
        with act():
            found = Case.objects.filter(pk__in=todo[start : start + BATCH]).select_related(
                "investigating_unit"
            )
            refill(list(found))


def refill(cases: Sequence[Case]) -> None:
    """Delete and insert what differs."""
    open_lane = [case for case in cases if case.lane == Report.Lane.ORDINARY]
    wanted = {(cut(case.case_id.lower()), case.pk) for case in cases}
    wanted |= {(term, pk) for pk, text in texts_of(open_lane) for term in terms_of_words(text)}
    wanted |= {(term, pk) for pk, place in places_of(open_lane) for term in terms_of_place(place)}
    stored = {
        (bytes(text), case_pk): pk
        for pk, text, case_pk in Term.objects.filter(case__in=cases).values_list("pk", "text", "case_id")
    }
    Term.objects.filter(pk__in=[pk for pair, pk in stored.items() if pair not in wanted]).delete()
    bulk.insert(Term, ("text", "case_id"), sorted(wanted - stored.keys()))


def fill_from(first_seq: int, last_seq: int) -> None:
    """Fill the terms of the cases that these journal entries tell of."""
    told = entries(first_seq, last_seq, "cases:")
    linked = [entry.seq for entry in told if entry.event == "cases:report:linked"]
    ids = {entry.subject for entry in told if entry.subject.startswith("case_")}
    ids |= {str(content.get("case_id")) for content in contents(linked).values()}
    fill(Case.objects.filter(case_id__in=ids).values_list("pk", flat=True))


def rebuild() -> int:
    """Make every case's terms anew; gives how many cases."""
    pks = list(Case.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(pks), BATCH):
        fill(pks[start : start + BATCH])
    return len(pks)


def own_reports(found: QuerySet[Report], text: str) -> QuerySet[Report]:
    """Of somebody's own reports those that a text finds: addresses and ids over an index, words in
    those that changed last.

    The terms only narrow down where to look; what a report is found by is its own.
    """
    network = network_of(text)
    if network is None:
        match = Q()
        for place in PLACES:
            match |= Q(**{f"{place}__icontains": text})
        if text.startswith("report_") and len(text) > 20:
            return found.filter(report_id=text)
        newest = found.order_by("-updated_at", "-pk").values_list("pk", flat=True)[:LOOKED_THROUGH]
        near = Report.objects.filter(pk__in=list(newest)).order_by()  # the actor's own, by their keys alone
        return found.filter(pk__in=list(near.filter(match).values_list("pk", flat=True)))
    first, last = range_of(text)
    cases = Term.objects.filter(text__gte=first, text__lt=last).values("case")
    near = found.filter(links__case__in=cases, links__detached_at__isnull=True)
    fresh = found.filter(updated_at__gt=now() - NOT_YET_FILLED)
    kept = [
        pk
        for some in (near, fresh)
        for pk, *places in some.values_list("pk", "origin", "target").iterator(BATCH)
        if any(is_in(network, place) for place in places)
    ]
    return found.filter(pk__in=set(kept))


def is_in(network: ipaddress.IPv4Network | ipaddress.IPv6Network, place: str) -> bool:
    """Is the place an address of this network?"""
    try:
        address = ipaddress.ip_address(normal(place))
    except ValueError:
        return False
    return address.version == network.version and address in network
