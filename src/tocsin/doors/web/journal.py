"""The journal's page: its latest signed head, and the check of a receipt."""

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from tocsin.access.policy import Actor
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import FieldError, page
from tocsin.journal import keys
from tocsin.journal import queries as journal
from tocsin.kernel.problems import BadInput, NotFound, NotGenuine
from tocsin.kernel.time import parse_rfc3339
from tocsin.proof import merkle, receipts
from tocsin.wire.report import Receipt, TreeHead

LARGEST = 1_000_000  # bytes of a receipt; real ones have a few thousand


@dataclass(frozen=True)
class Check:
    """One thing that must hold, in words."""

    words: str
    holds: bool


@dataclass(frozen=True)
class Verdict:
    """What became of the check of a receipt."""

    receipt: Receipt
    checks: tuple[Check, ...]

    @property
    def is_genuine(self) -> bool:
        """Does everything hold?"""
        return all(check.holds for check in self.checks)

    @property
    def at(self) -> dt.datetime:
        """When the report was received, as its entry says; only for a genuine receipt."""
        return parse_rfc3339(self.receipt.entry.at)


@guards("journal.read", "GET", "POST")
def journal_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Can I trust this? A receipt that is sent is checked and forgotten."""
    context = _head()
    if request.method != "POST":
        return page(request, "journal", context)
    upload = request.FILES.get("file")
    text = upload.read(LARGEST + 1) if upload is not None else request.POST.get("receipt", "").encode()
    try:
        if not text.strip():
            raise BadInput("choose a receipt file, or paste a receipt")
        if len(text) > LARGEST:
            raise BadInput("that is too large for a receipt")
        context["verdict"] = verdict_on(receipts.read(text))
    except BadInput as problem:
        errors = [FieldError("receipt", problem.detail[0].upper() + problem.detail[1:])]
        shown = "" if upload is not None else text.decode()
        return page(request, "journal", {**context, "errors": errors, "text": shown}, status=422)
    return page(request, "journal", context)


def verdict_on(receipt: Receipt) -> Verdict:
    """The receipt's own proof, then what only the exchange can say: that today's journal continues it."""
    try:
        receipts.check(receipt, keys.public_key())
    except NotGenuine as problem:
        return Verdict(receipt, (Check(problem.detail, holds=False),))
    return Verdict(
        receipt,
        (
            Check("the report is exactly what the journal entry committed to", holds=True),
            Check("the entry stands in the tree that the receipt names", holds=True),
            Check("the head of that tree carries this exchange’s signature", holds=True),
            Check(
                "today’s journal continues that tree, with nothing changed or dropped",
                _continues(receipt.head),
            ),
        ),
    )


def _continues(head: TreeHead) -> bool:
    try:
        latest = journal.latest_head()
        path = [bytes.fromhex(node) for node in journal.consistency(head.tree_size, latest.tree_size)]
    except (BadInput, NotFound):  # the journal is shorter than a head that this exchange signed
        return False
    old, new = bytes.fromhex(head.root), bytes.fromhex(latest.root)
    return merkle.is_consistent(head.tree_size, old, latest.tree_size, new, path)


def _head() -> dict[str, object]:
    try:
        head = journal.latest_head()
    except NotFound:
        return {"head": None}
    return {"head": head, "head_at": parse_rfc3339(head.at), "public_key": keys.public_key().hex()}
