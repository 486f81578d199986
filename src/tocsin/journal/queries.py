"""Reading the journal."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec

from tocsin.journal.models import Content, Entry


class HistoryItem(msgspec.Struct, frozen=True):
    """One line of a timeline. `content` is None where it was erased, or where the noun keeps it itself."""

    seq: int
    at: dt.datetime
    event: str
    subject: str
    content: dict[str, Any] | None


def entries(first_seq: int, last_seq: int, event_prefix: str = "") -> list[Entry]:
    """The entries from first_seq to last_seq, both included, whose event begins so, in order."""
    found = Entry.objects.filter(seq__range=(first_seq, last_seq), event__startswith=event_prefix)
    return list(found.order_by("seq"))


def history(subjects: Iterable[str]) -> list[HistoryItem]:
    """Everything recorded about these subjects, oldest first."""
    found = list(Entry.objects.filter(subject__in=list(subjects)).order_by("seq"))
    kept = contents([entry.seq for entry in found])
    return [HistoryItem(e.seq, e.at, e.event, e.subject, kept.get(e.seq)) for e in found]


def contents(seqs: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The contents that are still kept, by position."""
    rows = Content.objects.filter(entry_id__in=list(seqs)).values_list("entry_id", "content")
    return {seq: msgspec.json.decode(bytes(content)) for seq, content in rows}
