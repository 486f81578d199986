"""A unit's queue: what must I do now?"""

from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from tocsin.access.policy import Actor
from tocsin.cases import queries
from tocsin.cases.views import QueueGroup, QueueRow
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.doors.web.paging import Paging
from tocsin.doors.web.words import count_words

GROUPS: dict[QueueGroup, str] = {
    "overdue": "Overdue",
    "due today": "Due today",
    "new": "New",
    "waiting": "Waiting for others",
}


@guards("queue.read")
def queue(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The cases of the actor's units, most urgent first, a page at a time."""
    rows = queries.queue(actor)
    query, group = request.GET.get("q", "").strip()[:200], request.GET.get("group", "")
    chosen = [row for row in rows if matches(row, query.lower(), group)]
    paging = Paging(request, len(chosen), reverse("queue") + "?" + urlencode({"q": query, "group": group}))
    shown = chosen[paging.first : paging.last]
    items = [{"value": "", "text": "Any"}, *({"value": name, "text": text} for name, text in GROUPS.items())]
    context = {
        "units": " and ".join(unit.name for unit in actor.units),
        "units_many": len(actor.units) > 1,
        "sentence": queue_sentence(rows),
        "total": len(rows),
        "groups": [
            (name, text, [r for r in shown if r.group == name])
            for name, text in GROUPS.items()
            if any(r.group == name for r in shown)
        ],
        "counts": Counter(row.group for row in chosen),
        "query": query,
        "group": group,
        "group_items": items,
        "duties": queries.clocks_of(actor),
    }
    return page(request, "queue", context | paging.context())


def matches(row: QueueRow, query: str, group: str) -> bool:
    """Does the row belong to the group, and do its words hold the query?"""
    if group and row.group != group:
        return False
    words = f"{row.title} {row.kind_words} {row.owner_name} {row.case_id} {row.unit_name}"
    return query in words.lower()


def queue_sentence(rows: Sequence[QueueRow]) -> str:
    """The page's answer: how much is due, and what first."""
    if not rows:
        return "Nothing waits for you."
    counts = Counter(row.group for row in rows)
    parts = [f"{counts[group]:,} {words}" for group, words in SAID.items() if counts[group]]
    listed = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
    return f"{count_words(len(rows), 'case')}: {listed}."


SAID: dict[QueueGroup, str] = {
    "overdue": "overdue",
    "due today": "due today",
    "new": "new",
    "waiting": "waiting for others",
}
