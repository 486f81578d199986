"""Telling members what happened to their reports: a projection of the journal into rows."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tocsin.access.policy import Actor, require
from tocsin.cases import words
from tocsin.cases.member_reports import concerns
from tocsin.cases.models import Link
from tocsin.cases.units import current_pack
from tocsin.intake.models import Report
from tocsin.journal import queries as journal
from tocsin.journal.acts import act
from tocsin.kernel.time import now
from tocsin.notices import mailing
from tocsin.notices.delivering import deliveries_of
from tocsin.notices.gathering import items_of
from tocsin.notices.kinds import EVENTS
from tocsin.notices.models import Delivery, Item, Notice

SOURCES = ("intake:report:", "cases:")
KNOWN_AT_ONCE = "intake:report:"  # the receipt has said so already: kept, but not shown as new
QUIET = frozenset({"intake:report:updated", "cases:case:opened", "cases:report:detached"})
BATCH = 2_000


def tell(first_seq: int, last_seq: int) -> int:
    """Make the notices of the entries from first_seq to last_seq; gives how many there are.

    Idempotent: one notice at most for each entry and report. Nothing in it tells of another member.
    """
    found = [
        entry
        for entry in journal.entries(first_seq, last_seq)
        if entry.event.startswith(SOURCES) and (entry.event not in QUIET or entry.event in EVENTS)
    ]
    wanted = {entry.seq for entry in found}
    history = [item for item in journal.history({entry.subject for entry in found}) if item.seq in wanted]
    reports = reports_of({item.subject for item in history})
    todo, told = iter(_notices(history, reports)), 0
    waiting = items_of(history, reports) if mailing.is_on() else []
    calls = deliveries_of(history, reports)
    with act():
        Item.objects.bulk_create(waiting, batch_size=BATCH, ignore_conflicts=True)
        Delivery.objects.bulk_create(calls, batch_size=BATCH, ignore_conflicts=True)
        while batch := list(itertools.islice(todo, BATCH)):
            Notice.objects.bulk_create(batch, ignore_conflicts=True)
            told += len(batch)
    return told


def _notices(history: Sequence[journal.HistoryItem], reports: dict[str, list[Report]]) -> Iterable[Notice]:
    pack = current_pack()
    for item in history:
        said = words.say(pack, item, "reporter") if item.event not in QUIET else None
        if said is None:
            continue
        for report in reports[item.subject]:
            if concerns(item.content or {}, report):
                yield Notice(
                    member=report.member,
                    report=report,
                    entry_seq=item.seq,
                    event=item.event,
                    words=said.words,
                    at=item.at,
                    seen_at=item.at if item.event.startswith(KNOWN_AT_ONCE) else None,
                )


def reports_of(subjects: Iterable[str]) -> dict[str, list[Report]]:
    """The reports that each subject, a report or a case, is about."""
    wanted, found = set(subjects), defaultdict[str, list[Report]](list)
    columns = ("pk", "report_id", "member__member_id", "member__name")
    for report in Report.objects.filter(report_id__in=wanted).select_related("member").only(*columns):
        found[report.report_id].append(report)
    links = Link.objects.filter(case__case_id__in=wanted, detached_at__isnull=True)
    for link in links.select_related("case", "report__member").defer("report__content"):
        found[link.case.case_id].append(link.report)
    return found


def mark_seen(actor: Actor, notice_ids: Sequence[int] | None = None) -> int:
    """Mark the actor's notices as seen, all of them where none are named; gives how many."""
    require(actor, "report.list")
    mine = Notice.objects.filter(member__in=actor.members, seen_at__isnull=True)
    if notice_ids is not None:
        mine = mine.filter(pk__in=notice_ids)
    with act():
        return mine.update(seen_at=now())
