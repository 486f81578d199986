"""Lists of cases that a machine reads page after page: each goes on behind a row, never at a number.

A page begins right behind the last row of the one before, by the order's own columns. A case that comes in
between shifts nothing: no row is skipped and none is given twice, as long as its own place stays what it was.
"""

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import DateTimeField, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from tocsin.access.policy import Actor, require
from tocsin.cases import queueing, reach, sealing, terms
from tocsin.cases.models import Case
from tocsin.cases.queueing import Bench, Wish
from tocsin.cases.unusual import unusual
from tocsin.cases.views import QueueGroup, QueueRow
from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import now

NEVER = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
UNDECIDED: QueueGroup = "new"  # what the groups below the threshold are, all of them


@dataclass(frozen=True)
class QueuePlace:
    """Behind which row a queue goes on: its group, score, due time and key; read as it stood `at`."""

    at: dt.datetime
    group: QueueGroup
    score: int
    due_at: dt.datetime
    pk: int


def queue_from(
    actor: Actor, wish: Wish, place: QueuePlace | None, limit: int, *, is_group: bool = False
) -> tuple[list[QueueRow], QueuePlace | None]:
    """The next rows of the queue, or of the groups below the threshold, and where to go on (None: the end).

    The hour of the first page holds for all of them, so that no case changes its group between two pages.
    Raises NotSignedIn, NotAllowed.
    """
    at = place.at if place is not None else now()
    bench = queueing.lay(actor, wish, at, is_group=is_group)
    groups: Sequence[QueueGroup] = (UNDECIDED,) if is_group else queueing.GROUPS
    if place is not None:
        groups = groups[groups.index(place.group) :]
    picked: list[tuple[QueueGroup, Case]] = []
    for group in groups:
        if bench.wish.group not in ("", group) or len(picked) > limit:
            continue
        behind = place if place is not None and place.group == group else None
        sets = bench.sets if is_group else queueing.within(bench, group)
        picked += [(group, case) for case in _behind(sets, behind, limit + 1 - len(picked))]
    rows: list[QueueRow] = []
    for group, some in itertools.groupby(picked[:limit], key=lambda pair: pair[0]):
        rows += _rows(bench, [case for _, case in some], group, is_group=is_group)
    if len(picked) <= limit:
        return sealing.masked(actor, rows), None
    group, last = picked[limit - 1]
    return sealing.masked(actor, rows), QueuePlace(at, group, last.score, last.due_at or NEVER, last.pk)


def _behind(sets: Sequence[QuerySet[Case]], place: QueuePlace | None, room: int) -> list[Case]:
    """So many cases behind the place, of several disjoint sets, in the order of the queue."""
    found: list[Case] = []
    for some in sets:
        ordered = some.annotate(due=Coalesce("due_at", Value(NEVER), output_field=DateTimeField()))
        if place is not None:
            ordered = ordered.filter(
                Q(score__lt=place.score)
                | Q(score=place.score, due__gt=place.due_at)
                | Q(score=place.score, due=place.due_at, pk__gt=place.pk)
            )
        rows = ordered.select_related("investigating_unit").order_by(F("score").desc(), "due", "pk")
        found += rows[:room]
    return sorted(found, key=lambda case: (-case.score, case.due_at or NEVER, case.pk))[:room]


def _rows(bench: Bench, cases: Sequence[Case], group: QueueGroup, *, is_group: bool) -> list[QueueRow]:
    rows = queueing.rows_of(bench, cases, group)
    if not is_group:
        return rows
    said = unusual(cases)
    return [replace(row, unusual_words=said.get(case.pk, "")) for case, row in zip(cases, rows, strict=True)]


@dataclass(frozen=True)
class Search:
    """What a machine looks for among all cases that it may see, open and closed; empty wants nothing."""

    words: str = ""
    number: str = ""
    status: str = ""
    severity: str = ""
    kind: str = ""
    owner: str = ""
    is_open: bool | None = None


def search_from(actor: Actor, search: Search, before: int | None, limit: int) -> list[Case]:
    """The newest cases that fit, those before this key where one is given. Raises NotSignedIn, NotAllowed."""
    require(actor, "case.read")
    if len(search.words) > 200:
        raise BadInput("search for at most 200 characters")
    found = reach.visible_to(actor).select_related("investigating_unit", "support_unit")
    for name in ("status", "severity", "kind"):
        if value := getattr(search, name):
            found = found.filter(**{name: value})
    if search.number:
        found = found.filter(foreign_number__number=search.number, foreign_number__unit__in=actor.units)
    if search.owner:
        found = found.filter(owner_name__icontains=search.owner)
    if search.is_open is not None:
        found = found.filter(closed_at__isnull=search.is_open)
    if search.words:
        found = found.filter(terms.matching(search.words))
    if before is not None:
        found = found.filter(pk__lt=before)
    return list(found.order_by("-pk")[:limit])
