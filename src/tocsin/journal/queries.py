"""Reading the journal: entries in order, histories, heads, proofs."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.conf import settings

from tocsin.journal.audit import Finding, audit
from tocsin.journal.models import Content, Entry, Head, SignedHead
from tocsin.journal.tree import TreeReader
from tocsin.kernel.problems import BadInput, NotFound
from tocsin.kernel.time import rfc3339
from tocsin.proof import merkle
from tocsin.wire import report as wire

__all__ = [
    "Finding",
    "HistoryItem",
    "audit",
    "consistency",
    "entries",
    "head_at",
    "history",
    "inclusion",
    "latest_head",
    "leaf",
    "proofs",
    "size",
    "wire_entry",
]


class HistoryItem(msgspec.Struct, frozen=True):
    """One line of a timeline. `content` is None where it was erased, or where the noun keeps it itself."""

    seq: int
    at: dt.datetime
    event: str
    subject: str
    content: dict[str, Any] | None


class Proof(msgspec.Struct, frozen=True):
    """An entry, its audit path, and the signed head that the path leads to."""

    entry: wire.Entry
    path: tuple[str, ...]
    head: wire.TreeHead


def size() -> int:
    """How many entries the journal has."""
    return Head.objects.values_list("size", flat=True).get(pk=1)


def entries(first_seq: int, last_seq: int, event_prefix: str = "") -> list[Entry]:
    """The entries from first_seq to last_seq, both included, whose event begins so, in order."""
    found = Entry.objects.filter(seq__range=(first_seq, last_seq)).order_by("seq")
    return [entry for entry in found if entry.event.startswith(event_prefix)]


def history(subjects: Iterable[str]) -> list[HistoryItem]:
    """Everything recorded about these subjects, oldest first."""
    found = list(Entry.objects.filter(subject__in=list(subjects)).order_by("seq"))
    kept = contents([entry.seq for entry in found])
    return [HistoryItem(e.seq, e.at, e.event, e.subject, kept.get(e.seq)) for e in found]


def contents(seqs: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The contents that are still kept, by position."""
    rows = Content.objects.filter(entry_id__in=list(seqs)).values_list("entry_id", "content")
    return {seq: msgspec.json.decode(bytes(content)) for seq, content in rows}


def latest_head() -> wire.TreeHead:
    """The newest signed head. Raises NotFound while the journal is empty."""
    newest = SignedHead.objects.order_by("-tree_size").first()
    if newest is None:
        raise NotFound("the journal is empty: there is no tree head yet")
    return wire_head(newest)


def head_at(tree_size: int) -> wire.TreeHead:
    """The signed head of exactly this size. Raises NotFound."""
    found = SignedHead.objects.filter(pk=tree_size).first()
    if found is None:
        raise NotFound(f"no tree head of size {tree_size} was signed")
    return wire_head(found)


def inclusion(seq: int, tree_size: int) -> list[str]:
    """The audit path of the entry at `seq` in the tree of the first `tree_size` entries, in hex.

    RFC 6962 section 2.1.1. Raises BadInput where there is no such entry or no such tree.
    """
    if not 0 <= seq < tree_size <= size():
        raise BadInput(f"no entry {seq} in a tree of {tree_size}")
    return [node.hex() for node in merkle.inclusion_path(seq, tree_size, TreeReader().root)]


def leaf(seq: int) -> str:
    """The leaf hash of an entry, in hex."""
    return TreeReader().leaf(seq).hex()


def consistency(old: int, new: int) -> list[str]:
    """The proof that the tree of `new` entries extends that of `old`, in hex (RFC 6962 section 2.1.2)."""
    if not 0 < old <= new <= size():
        raise BadInput(f"no proof from a tree of {old} to one of {new}")
    return [node.hex() for node in merkle.consistency_path(old, new, TreeReader().root)]


def proofs(seqs: Sequence[int]) -> dict[int, Proof]:
    """For each position: its entry and path up to the first head that was signed over it.

    That head is the one the receipt was first given with, so a receipt made again is the same to the byte.
    """
    reader, found = TreeReader(), {}
    rows = Entry.objects.filter(seq__in=list(seqs)).order_by("seq")
    head: wire.TreeHead | None = None
    for row in rows:
        if head is None or head.tree_size <= row.seq:
            first = SignedHead.objects.filter(tree_size__gt=row.seq).order_by("tree_size").first()
            if first is None:
                raise NotFound(f"no signed head covers entry {row.seq}")
            head = wire_head(first)
        path = merkle.inclusion_path(row.seq, head.tree_size, reader.root)
        found[row.seq] = Proof(wire_entry(row), tuple(node.hex() for node in path), head)
    return found


def wire_entry(row: Entry) -> wire.Entry:
    """A row as the value whose canonical bytes are the leaf."""
    return wire.Entry(row.seq, rfc3339(row.at), row.event, row.subject, bytes(row.commitment).hex())


def wire_head(row: SignedHead) -> wire.TreeHead:
    """A row as the value that travels."""
    return wire.TreeHead(
        row.origin or settings.ORIGIN,
        row.tree_size,
        bytes(row.root).hex(),
        rfc3339(row.at),
        row.key_id,
        bytes(row.signature).hex(),
    )
