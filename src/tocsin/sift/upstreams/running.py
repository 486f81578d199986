"""One import: read what changed, keep it, send it; and reading again what was malformed."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from tocsin.kernel.problems import Unreachable
from tocsin.kernel.time import now
from tocsin.sift.upstreams import misp, sending, stix, store, table
from tocsin.sift.upstreams.values import Context, Document, Source

EVERY = 2.0  # seconds between two lines of progress
Say = Callable[[str], None]


@dataclass
class Result:
    """What one import did."""

    documents: int = 0
    taken: store.Taken = field(default_factory=store.Taken)
    reasons: Counter[str] = field(default_factory=Counter)
    sent: sending.Sent = field(default_factory=sending.Sent)
    waiting: int = 0
    fault: str = ""


def run(source: Source, url: str, key: str | None, say: Say, *, is_dry: bool = False) -> Result:
    """Read a source and send what is new. What was kept stays kept where either side is out of reach.

    With `is_dry` nothing is kept and nothing sent. Raises ImportBusy, and what reading and sending raise.
    """
    with store.opened(url) as kept:
        into = kept.shadow() if is_dry else kept
        result = read(source, into, say)
        if not is_dry and key:
            result.sent = sending.send(into, url, key, say)
        result.waiting = into.count_waiting()
    return result


def read(source: Source, into: store.Store, say: Say) -> Result:
    """Take each document that changed, whole."""
    result, told_at = Result(), time.monotonic()
    try:
        for document in source.documents(lambda name: into.stamp(source.name, name)):
            add(result.taken, into.take(source.name, source.context, document))
            result.documents += 1
            result.reasons.update(reason_of(left.reason) for left in document.left)
            if time.monotonic() - told_at >= EVERY:
                told_at = time.monotonic()
                say(f"read {result.documents:,} so far, {result.taken.new:,} new words")
    except Unreachable as problem:
        result.fault = problem.detail
    return result


def replay(url: str, key: str | None, context: Context, say: Say) -> Result:
    """Read again what was malformed: with another mapping, a name of who says so, or a later version."""
    with store.opened(url) as kept:
        result = Result()
        for reject in kept.rejects():
            document = again(reject, context)
            if any(left.is_malformed for left in document.left):
                result.taken.malformed += 1
                result.reasons.update(reason_of(left.reason) for left in document.left)
                continue
            add(result.taken, kept.mended(reject, document))
            result.documents += 1
        if key:
            result.sent = sending.send(kept, url, key, say)
        result.waiting = kept.count_waiting()
    return result


def again(reject: store.Reject, told: Context) -> Document:
    """One malformed entry, read once more by what is told now, and else by what was told then."""
    then = reject.context
    context = msgspec.structs.replace(
        then,
        upstream=told.upstream or then.upstream,
        is_own=told.is_own or then.is_own,
        tlp=told.tlp or then.tlp,
        days=told.days if told.days is not None else then.days,
    )
    if then.form == "misp":
        return misp.document(reject.document, "", reject.raw, context)
    if then.form == "stix":
        return stix.document(reject.document, "", [msgspec.Raw(reject.raw)], context)
    made = Document(reject.document, "")
    table.read_one(made, msgspec.json.decode(reject.raw, type=dict[str, str]), context, now())
    return made


def add(total: store.Taken, more: store.Taken) -> None:
    """Add one count to another."""
    for name in vars(total):
        setattr(total, name, getattr(total, name) + getattr(more, name))


def reason_of(words: str) -> str:
    """A reason without what it was about, to be counted."""
    return words.partition(": ")[0] if words.startswith(("no ", "neither ")) else words


def told(result: Result, *, is_dry: bool = False) -> list[str]:
    """A result as a terminal shows it."""
    taken, sent = result.taken, result.sent
    lines = [
        f"{result.documents:,} read; words: {taken.new:,} new, {taken.renewed:,} said again, "
        f"{taken.over:,} taken back, {taken.known:,} known; entries: {taken.left:,} left out, "
        f"{taken.malformed:,} malformed"
    ]
    lines += [f"  {count:,} × {reason}" for reason, count in result.reasons.most_common(10)]
    if is_dry:
        return [*lines, f"dry run: {result.waiting:,} would be sent; nothing was kept and nothing was sent"]
    if taken.malformed:
        lines.append("  → what is malformed is kept: tocsin import replay")
    waits = f", {result.waiting:,} wait" if result.waiting else ""
    lines.append(f"{sent.sent:,} sent, {sent.refused:,} refused{waits}")
    return lines
