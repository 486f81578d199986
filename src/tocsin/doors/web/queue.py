"""A unit's queue: what must I do now? And the groups below the threshold, and both as a file."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse

from tocsin.access.policy import Actor
from tocsin.cases import bulk, filters, queries, queueing, states
from tocsin.cases.decisions import UNDO_FOR
from tocsin.cases.models import Case, SavedFilter
from tocsin.cases.passing import LEAST_BUSY
from tocsin.cases.queueing import QueuePage
from tocsin.cases.units import current_pack
from tocsin.cases.views import QueueGroup
from tocsin.doors.web import deciding
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.doors.web.paging import Paging
from tocsin.doors.web.reports import Echo, cell
from tocsin.doors.web.words import count_words

GROUPS: dict[QueueGroup, str] = {
    "overdue": "Overdue",
    "due today": "Due today",
    "new": "New",
    "waiting": "Waiting for others",
}
SAID: dict[QueueGroup, str] = {
    "overdue": "overdue",
    "due today": "due today",
    "new": "new",
    "waiting": "waiting for others",
}
COLUMNS = (
    *("case_id", "group", "score", "title", "kind", "severity", "status", "unit", "owner", "due_at"),
    *("evidence_until", "reports", "members", "opened_at"),
)
SEVERITIES = ("low", "medium", "high", "critical")


@guards("queue.read")
def queue(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The cases of the actor's units, most urgent first, a page at a time."""
    return show(request, actor, Typed(), is_group=False)


@guards("queue.read")
def below(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Groups below the threshold: one decision answers each of them, one press many."""
    return show(request, actor, Typed(), is_group=True)


@guards("queue.read")
def queue_csv(request: HttpRequest, actor: Actor) -> StreamingHttpResponse:
    """All that the filter finds, as a file: every instant UTC."""
    rows = queueing.export(actor, filters.wish_of(request.GET.urlencode()), is_group="below" in request.GET)
    return StreamingHttpResponse(
        csv_lines(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="tocsin-queue.csv"'},
    )


def show(
    request: HttpRequest, actor: Actor, typed: Typed, *, is_group: bool, status: int = 200
) -> HttpResponse:
    """The page; with the default filter where none was asked for, and what was chosen still ticked."""
    kept = filters.filters_of(actor.person) if actor.person is not None else []
    query, used = asked(request, kept)
    wish = filters.wish_of(query)
    number = request.GET.get("page", "1")
    wanted = int(number) if number.isdecimal() and len(number) < 8 else 1
    read = queries.groups_below if is_group else queries.queue
    found = read(actor, wish, wanted)
    address = reverse("queue-below" if is_group else "queue")
    paging = Paging(request, found.total, f"{address}?{filters.query_of(wish) or 'all=1'}")
    context = {
        "units": " and ".join(unit.name for unit in actor.units),
        "units_many": len(actor.units) > 1,
        "is_group": is_group,
        "page": found,
        "groups": grouped(found, is_group=is_group),
        "most": queueing.MOST,
        "sentence": group_sentence(found) if is_group else queue_sentence(found),
        "wish": wish,
        "filter_query": filters.query_of(wish),
        "kept": kept,
        "used": used,
        "here": address,
        "typed": typed,
        "chosen": set(typed.all("case")),
        "errors": typed.errors,
        **form(actor, found, is_group=is_group),
        **pressed(request, actor),
    }
    return page(request, "queue", context | paging.context(), status=status)


def asked(request: HttpRequest, kept: list[SavedFilter]) -> tuple[str, str]:
    """What the address asks for, and the filter's name: the default one where it asks nothing."""
    query = request.GET.urlencode()
    if not query:
        default = next((one for one in kept if one.is_default), None)
        return (default.query, default.name) if default is not None else ("", "")
    wish = filters.query_of(filters.wish_of(query))
    return wish, next((one.name for one in kept if one.query == wish and wish), "")


def grouped(found: QueuePage, *, is_group: bool) -> list[tuple[str, str, int, list[Any]]]:
    """(id, heading, how many, rows on this page) of each group that has any here."""
    if is_group:
        return [("below", "Groups", found.below_count, list(found.rows))] if found.rows else []
    return [
        (name, text, found.counts[name], rows)
        for name, text in GROUPS.items()
        if (rows := [row for row in found.rows if row.group == name])
    ]


def form(actor: Actor, found: QueuePage, *, is_group: bool) -> dict[str, Any]:
    """The choices of filters and of what can be done to many."""
    pack, units = current_pack(), deciding.current_units()
    own = {unit.unit_id for unit in actor.units}
    outcomes = [row for row in pack.outcomes.values() if row.offered]
    return {
        "group_items": [any_item(), *(item(name, text) for name, text in GROUPS.items())],
        "status_items": [any_item(), *(item(code, text) for code, text in found.choices.statuses)],
        "severity_items": [any_item(), *(item(name, name) for name in SEVERITIES)],
        "kind_items": [any_item(), *(item(kind, text) for kind, text in found.choices.kinds)],
        "unit_items": [any_item(), *(item(unit.unit_id, unit.name) for unit in found.choices.units)],
        "decide_items": [
            item(code, pack.statuses[code].words) for code in reasons_first(states.decisions(pack), is_group)
        ],
        "outcome_items": [
            item(row.outcome_code, f"{row.outcome_code} – {row.title}")
            for row in sorted(outcomes, key=lambda row: not row.reopenable)
            if not row.only_units or own & set(row.only_units)
        ],
        "help_items": [item(row.code, row.words) for row in pack.help.values()],
        "duties": queries.clocks_of(actor),
        "redirect_items": [
            item(LEAST_BUSY, "Each to the reporting force with the least to do"),
            *(item(unit.unit_id, unit.name) for unit in units),
        ],
    }


def reasons_first(codes: list[str], is_group: bool) -> list[str]:
    """The decisions, "kept as intelligence" first where groups below the threshold are decided."""
    return sorted(codes, key=lambda code: code != "X-INT") if is_group else codes


def item(value: str, text: str) -> dict[str, str]:
    """A choice of a select."""
    return {"value": value, "text": text[:1].upper() + text[1:]}


def any_item() -> dict[str, str]:
    """The choice of nothing in particular."""
    return {"value": "", "text": "Any"}


def pressed(request: HttpRequest, actor: Actor) -> dict[str, Any]:
    """What the last press did, told once, and the button that takes it back for as long as it may be."""
    told = request.session.pop("pressed", None)
    last = bulk.may_take_back(actor)
    until = last.at + UNDO_FOR if last is not None else None
    return {"told": told, "undo": last, "undo_until": until, "did": bulk.DID}


def queue_sentence(found: QueuePage) -> str:
    """The page's answer: how much is due, and what first."""
    if not found.total:
        return "Nothing waits for you." if not found.below_count else "No case waits for you."
    parts = [
        f"{at_most(found.counts[group])} {words}" for group, words in SAID.items() if found.counts[group]
    ]
    listed = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
    more = "more than " if max(found.counts.values()) >= queueing.MOST else ""
    return f"{more}{count_words(found.total, 'case')}: {listed}.".capitalize()


def group_sentence(found: QueuePage) -> str:
    """How many groups wait for a person's word; nobody is under a clock for them."""
    if not found.below_count:
        return "No group waits for a decision."
    more = "more than " if found.below_count >= queueing.MOST else ""
    waits = "waits" if found.below_count == 1 else "wait"
    said = f"{more}{count_words(found.below_count, 'group')} {waits} for a person’s decision; no clock runs."
    return said[:1].upper() + said[1:]


def at_most(count: int) -> str:
    """`1,000+` where counting stopped."""
    return f"{count:,}+" if count >= queueing.MOST else f"{count:,}"


def csv_lines(rows: Iterable[tuple[QueueGroup, Case]]) -> Iterator[str]:
    """The lines of the file, header first (RFC 4180)."""
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    for group, case in rows:
        values = (
            *(case.case_id, group, case.score, case.title, case.kind, case.severity, case.status),
            *(case.investigating_unit.unit_id, case.owner_name, case.due_at, case.evidence_until),
            *(case.report_count, case.member_count, case.opened_at),
        )
        yield writer.writerow([cell("" if value is None else value) for value in values])
