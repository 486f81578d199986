"""A unit's queue: what must I do now? Ordered, filtered, counted and paged in the database.

Four groups by what the clocks say (overdue, due today, new, waiting); within each the highest score first.
The groups below the threshold are a list of their own. No page reads more than its fifty rows, and no count
goes on beyond a thousand: whoever has more filters them.
"""

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace

from django.db.models import Q, QuerySet

from tocsin.access.policy import Actor, require
from tocsin.cases import reach, sealing, terms, words
from tocsin.cases.models import Case
from tocsin.cases.overviews import first_due
from tocsin.cases.units import current_pack
from tocsin.cases.unusual import unusual
from tocsin.cases.views import QueueGroup, QueueRow, UnitChoice
from tocsin.intake.models import Report
from tocsin.inventory import rules as inventory
from tocsin.kernel.time import now
from tocsin.reference import calendars
from tocsin.reference.values import Pack
from tocsin.store import fence

GROUPS: tuple[QueueGroup, ...] = ("overdue", "due today", "new", "waiting")
SIZE = 50
MOST = 1_000  # cases of a group that are counted and paged through
ORDER = ("-score", "due_at", "pk")


@dataclass(frozen=True)
class Wish:
    """What the reader of a queue wants to see; empty fields want nothing in particular."""

    group: str = ""
    words: str = ""
    status: str = ""
    severity: str = ""
    kind: str = ""
    unit: str = ""
    owner: str = ""  # `me`, `nobody`, or a part of a name
    days: str = ""  # evidence is destroyed within so many days

    @property
    def is_any(self) -> bool:
        """Does it want nothing in particular?"""
        return self == Wish()

    def given(self) -> dict[str, str]:
        """What it wants, field by field."""
        return {item.name: value for item in fields(self) if (value := getattr(self, item.name))}


@dataclass(frozen=True)
class QueuePage:
    """One page: its rows by group, how many each group has (`MOST` means that or more), and the choices."""

    rows: tuple[QueueRow, ...]
    counts: dict[QueueGroup, int]
    below_count: int
    number: int
    pages: int
    choices: "Choices"

    @property
    def total(self) -> int:
        """The cases of all groups."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Choices:
    """What the filters offer."""

    statuses: tuple[tuple[str, str], ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()
    units: tuple[UnitChoice, ...] = ()


@dataclass
class Bench:
    """What one reading works with: who reads, when, and the disjoint sets of cases that are theirs to do."""

    actor: Actor
    wish: Wish
    at: dt.datetime
    pack: Pack
    sets: list[QuerySet[Case]] = field(default_factory=list)


def queue(
    actor: Actor, wish: Wish | None = None, number: int = 1, at: dt.datetime | None = None
) -> QueuePage:
    """A page of the cases that the actor's units must answer. Raises NotSignedIn, NotAllowed."""
    bench = lay(actor, wish or Wish(), at, is_group=False)
    sets = [(group, within(bench, group)) for group in GROUPS if bench.wish.group in ("", group)]
    counts = {group: sum(capped(some) for some in found) for group, found in sets}
    pages = max(1, -(-sum(counts.values()) // SIZE))
    number = min(max(1, number), pages)
    rows: list[QueueRow] = []
    skip, room = (number - 1) * SIZE, SIZE
    for group, found in sets:
        if room and skip < counts[group]:
            got = slice_of(found, skip, min(room, counts[group] - skip))
            rows += rows_of(bench, got, group)
            room -= len(got)
        skip = max(0, skip - counts[group])
    below = lay(actor, Wish(), bench.at, is_group=True)
    return QueuePage(
        rows=tuple(sealing.masked(actor, rows)),
        counts={group: counts.get(group, 0) for group in GROUPS},
        below_count=sum(capped(some) for some in below.sets),
        number=number,
        pages=pages,
        choices=choices(bench),
    )


def groups_below(
    actor: Actor, wish: Wish | None = None, number: int = 1, at: dt.datetime | None = None
) -> QueuePage:
    """A page of the groups below the threshold, the highest score first. Raises NotSignedIn, NotAllowed."""
    bench = lay(actor, wish or Wish(), at, is_group=True)
    count = sum(capped(some) for some in bench.sets)
    pages = max(1, -(-count // SIZE))
    number = min(max(1, number), pages)
    got = slice_of(bench.sets, (number - 1) * SIZE, min(SIZE, count - (number - 1) * SIZE))
    said = unusual(got)
    rows = tuple(
        replace(row, unusual_words=said.get(case.pk, ""))
        for case, row in zip(got, rows_of(bench, got, "new"), strict=True)
    )
    rows = tuple(sealing.masked(actor, list(rows)))
    return QueuePage(rows, {"new": count}, count, number, pages, choices(bench))


def export(
    actor: Actor, wish: Wish | None = None, at: dt.datetime | None = None, *, is_group: bool = False
) -> Iterator[tuple[QueueGroup, Case]]:
    """Every case of the queue that the wish wants, one by one, group after group."""
    bench = lay(actor, wish or Wish(), at, is_group=is_group)
    for group in GROUPS if not is_group else ("new",):
        if bench.wish.group in ("", group):
            for some in within(bench, group) if not is_group else bench.sets:
                some = some.exclude(reach.sealed_from(actor)).select_related("investigating_unit")
                for case in some.order_by(*ORDER).iterator(2_000):
                    yield group, case


def lay(actor: Actor, wish: Wish, at: dt.datetime | None, *, is_group: bool) -> Bench:
    """The open cases for the actor to do: of the own units, and what clocks brought up to them."""
    require(actor, "queue.read")
    units = [unit.pk for unit in actor.units]
    bench = Bench(actor, wish, at or now(), current_pack(), [reach.investigated_by(actor)])
    if reach.units_below(units) and not is_group:
        brought = Q(lane=Report.Lane.ORDINARY) & reach.escalated_to(units)
        bench.sets.append(reach.known_to(actor).filter(brought).exclude(investigating_unit__in=units))
    wanted = conditions(bench) & Q(closed_at__isnull=True, is_group=is_group)
    # What is sealed shows number and clock to who asks for nothing in particular: a filter would say more.
    if not replace(wish, group="").is_any:
        wanted &= ~reach.sealed_from(actor)
    bench.sets = [some.filter(wanted) for some in bench.sets]
    return bench


def conditions(bench: Bench) -> Q:
    """What the wish wants, but for the group."""
    wish, found = bench.wish, Q()
    for name in ("status", "severity", "kind"):
        if value := getattr(wish, name):
            found &= Q(**{name: value})
    if wish.unit:
        found &= Q(investigating_unit__unit_id=wish.unit)
    if wish.owner == "me":
        found &= Q(owner=bench.actor.person)
    elif wish.owner == "nobody":
        found &= Q(owned_at__isnull=True)
    elif wish.owner:
        found &= Q(owner_name__icontains=wish.owner)
    if wish.days.isdecimal() and len(wish.days) < 5:
        found &= Q(evidence_until__range=(bench.at, bench.at + dt.timedelta(days=int(wish.days))))
    if wish.words:
        found &= terms.matching(wish.words)
    return found


def within(bench: Bench, group: QueueGroup) -> list[QuerySet[Case]]:
    """The cases of one group."""
    nation = bench.actor.units[0].country if bench.actor.units else bench.pack.info.home_nation
    night = calendars.end_of_day(bench.at, nation)
    later = Q(due_at__gte=night) | Q(due_at__isnull=True)
    chosen = {
        "overdue": Q(due_at__lte=bench.at),
        "due today": Q(due_at__gt=bench.at, due_at__lt=night),
        "new": later & Q(owned_at__isnull=True),
        "waiting": later & Q(owned_at__isnull=False),
    }[group]
    return [some.filter(chosen) for some in bench.sets]


def capped(found: QuerySet[Case]) -> int:
    """How many there are, `MOST` at most: counting stops there."""
    return found.order_by().values("pk")[:MOST].count()


def slice_of(found: Sequence[QuerySet[Case]], skip: int, room: int) -> list[Case]:
    """So many cases after the first `skip`, in the order of the queue, of several disjoint sets."""
    if room <= 0:
        return []
    if len(found) == 1:
        return list(found[0].select_related("investigating_unit").order_by(*ORDER)[skip : skip + room])
    keys = itertools.chain.from_iterable(
        some.order_by(*ORDER).values_list("score", "due_at", "pk")[: skip + room] for some in found
    )
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    best = sorted(keys, key=lambda row: (-row[0], row[1] or never, row[2]))[skip : skip + room]
    by_pk = Case.objects.select_related("investigating_unit").in_bulk([pk for *_, pk in best])
    return [by_pk[pk] for *_, pk in best]


def rows_of(bench: Bench, cases: Sequence[Case], group: QueueGroup) -> list[QueueRow]:
    """The lines for these cases, in their order."""
    fence.judge(case.pk for case in cases)
    due = first_due(bench.pack, cases, bench.at)
    return [
        QueueRow(
            case_id=case.case_id,
            group=group,
            title=case.title,
            kind_words=words.capital(bench.pack.kind_words(case.kind)),
            severity=case.severity,
            status_words=status_words(bench.pack, case.status),
            unit_name=case.investigating_unit.name,
            owner_name=case.owner_name,
            opened_at=case.opened_at,
            due=due.get(case.pk),
            evidence_days_left=evidence_left(case, bench.at),
            report_count=case.report_count,
            member_count=case.member_count,
            score=case.score,
        )
        for case in cases
    ]


def evidence_left(case: Case, at: dt.datetime) -> int | None:
    """The days until the first log of the case is destroyed; None where no date is known or it has passed."""
    if case.evidence_until is None or case.evidence_until <= at:
        return None
    return inventory.days_left(case.evidence_until, at)


def status_words(pack: Pack, status: str) -> str:
    """The status as people say it."""
    row = pack.statuses.get(status)
    return row.words if row else status


def choices(bench: Bench) -> Choices:
    """What the filters offer: data of the pack, and the actor's own units where there are several."""
    pack = bench.pack
    return Choices(
        statuses=tuple((code, row.words) for code, row in pack.statuses.items() if not row.is_final),
        kinds=tuple(
            sorted(
                (
                    (kind, words.capital(row.words))
                    for kind, row in pack.kinds.items()
                    if row.handling == "case"
                ),
                key=lambda pair: pair[1],
            )
        ),
        units=tuple(UnitChoice(unit.unit_id, unit.name) for unit in dict.fromkeys(bench.actor.units)),
    )
