"""From the journal to endpoints: in the journal's order, tried again for three days, then dead and kept."""

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from django.conf import settings
from django.db.models import Exists, OuterRef

from tocsin.cases import reach, words
from tocsin.cases.member_reports import concerns
from tocsin.cases.units import current_pack
from tocsin.intake.models import Report
from tocsin.journal.acts import act
from tocsin.journal.queries import HistoryItem
from tocsin.kernel.time import now, rfc3339
from tocsin.notices import audiences, calling
from tocsin.notices.kinds import EVENTS, OF_PEOPLE
from tocsin.notices.models import Delivery, Endpoint

FIRST_RETRY = dt.timedelta(seconds=5)
LONGEST_WAIT = dt.timedelta(hours=6)
GIVES_UP_AFTER = dt.timedelta(days=3)
KEPT_FOR = dt.timedelta(days=30)
AT_ONCE = 8  # calls at a time
ROUND_SECONDS = 10.0  # the worker has other work
MOST_REPORTS = 100  # that one message names
MOST_STORED = 500  # messages of one statement


def deliveries_of(history: Sequence[HistoryItem], reports: dict[str, list[Report]]) -> list[Delivery]:
    """The messages of these entries, for every endpoint that they concern."""
    by_member: dict[int, list[Endpoint]] = defaultdict(list)
    by_unit: dict[int, list[Endpoint]] = defaultdict(list)
    for endpoint in Endpoint.objects.filter(member__suspended_at__isnull=True):
        if endpoint.member_id is not None:
            by_member[endpoint.member_id].append(endpoint)
        elif endpoint.unit_id is not None:
            by_unit[endpoint.unit_id].append(endpoint)
    if not by_member and not by_unit:
        return []
    cases = audiences.cases_of({item.subject for item in history})
    made: list[Delivery] = []
    for item in history:
        if item.event not in EVENTS or item.event in OF_PEOPLE:
            continue
        mine: dict[int, list[Report]] = defaultdict(list)
        for report in reports[item.subject]:
            if report.member_id in by_member and concerns(item.content or {}, report):
                mine[report.member_id].append(report)
        for member, found in mine.items():
            made += [_delivery(one, item, _of_member(item, found)) for one in by_member[member]]
        case = cases.get(item.subject)
        if case is not None and case.lane == "ordinary" and reach.named_in_seal(case) is None:
            data = {"case_id": case.case_id, "status": case.status, "url": _address("cases", case.case_id)}
            data["words"] = _said(item, "unit")
            made += [_delivery(one, item, data) for one in by_unit.get(case.investigating_unit_id, ())]
    return made


def _of_member(item: HistoryItem, reports: Sequence[Report]) -> dict[str, Any]:
    """What a member's machine is told: its own reports, and nothing of any other's."""
    return {
        "words": _said(item, "reporter"),
        "report_count": len(reports),
        "reports": [
            {"report_id": report.report_id, "url": _address("reports", report.report_id)}
            for report in reports[:MOST_REPORTS]
        ],
    }


def _said(item: HistoryItem, listener: words.Listener) -> str:
    said = words.say(current_pack(), item, listener)
    return said.words if said else ""


def _address(place: str, subject: str) -> str:
    return f"{settings.PUBLIC_URL}/{place}/{subject}"


def _delivery(endpoint: Endpoint, item: HistoryItem, data: dict[str, Any]) -> Delivery:
    return message(endpoint, item.event, item.seq, item.at, data)


def message(endpoint: Endpoint, kind: str, position: int, at: dt.datetime, data: dict[str, Any]) -> Delivery:
    """One message, not stored yet: of this kind, at this position of the journal."""
    told = {"type": kind, "timestamp": rfc3339(at), "position": position, "data": data}
    body = msgspec.json.encode(told).decode()
    return Delivery(endpoint=endpoint, entry_seq=position, event=kind, body=body, made_at=at)


def keep(messages: Sequence[Delivery]) -> None:
    """Store messages to be sent; one that is there already stays as it is."""
    with act():
        Delivery.objects.bulk_create(messages, batch_size=MOST_STORED, ignore_conflicts=True)


def deliver_due(at: dt.datetime | None = None) -> int:
    """Call every endpoint that has something waiting, oldest first; gives how many messages were taken."""
    taken, ends = 0, time.monotonic() + ROUND_SECONDS
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while True:
            found = _first_waiting(at or now())
            if not found:
                return taken
            calls = [_call(delivery, at or now()) for delivery in found]
            outcomes = list(pool.map(lambda call: calling.send(call, at or now()), calls))
            for delivery, outcome in zip(found, outcomes, strict=True):
                taken += _note(delivery, outcome, at or now())
            if time.monotonic() > ends:
                return taken


def _first_waiting(at: dt.datetime) -> list[Delivery]:
    """Of each endpoint that may be called now, what waits first."""
    waiting = Delivery.objects.filter(endpoint=OuterRef("pk"), state=Delivery.State.WAITING)
    due = Endpoint.objects.filter(Exists(waiting), dead_at__isnull=True, next_at__lte=at)
    first = []
    for endpoint in due.order_by("next_at")[: 10 * AT_ONCE]:
        found = endpoint.deliveries.filter(state=Delivery.State.WAITING).order_by("entry_seq").first()
        if found is not None:
            found.endpoint = endpoint
            first.append(found)
    return first


def _call(delivery: Delivery, at: dt.datetime) -> calling.Call:
    endpoint = delivery.endpoint
    secrets = [endpoint.secret]
    if endpoint.old_until is not None and endpoint.old_until > at:
        secrets.append(endpoint.old_secret)
    message_id = f"{endpoint.hook_id}.{delivery.entry_seq}"
    return calling.Call(endpoint.url, message_id, delivery.body, tuple(secrets))


def _note(delivery: Delivery, outcome: calling.Outcome, at: dt.datetime) -> bool:
    """Write down what came of a call: taken, or when the endpoint is tried next, or that it is dead."""
    endpoint = delivery.endpoint
    with act():
        Delivery.objects.filter(pk=delivery.pk).update(
            state=Delivery.State.DELIVERED if outcome.is_taken else Delivery.State.WAITING,
            attempts=delivery.attempts + 1,
            status=outcome.status,
            error=outcome.error[:200],
            ended_at=at if outcome.is_taken else None,
        )
        if outcome.is_taken:
            endpoint.attempts, endpoint.failing_since, endpoint.next_at = 0, None, at
        else:
            endpoint.failing_since = endpoint.failing_since or at
            wait = min(FIRST_RETRY * 2 ** min(endpoint.attempts, 16), LONGEST_WAIT)
            endpoint.attempts, endpoint.next_at = endpoint.attempts + 1, at + wait
            if at - endpoint.failing_since > GIVES_UP_AFTER:
                endpoint.dead_at = at
        endpoint.save(update_fields=["attempts", "failing_since", "next_at", "dead_at"])
    return outcome.is_taken


def forget(at: dt.datetime | None = None) -> int:
    """Drop what was taken long ago; gives how many."""
    old = Delivery.objects.filter(state=Delivery.State.DELIVERED, ended_at__lt=(at or now()) - KEPT_FOR)
    with act():
        return old.delete()[0]
