"""Two cases that are one, one that is two, and taking it back: ordinary acts, each with its reason."""

import datetime as dt
from collections.abc import Sequence

from tocsin.cases import clocks, states
from tocsin.cases.decisions import record, refuse_coordinator
from tocsin.cases.linking import report_keys
from tocsin.cases.models import Case, Link, Move
from tocsin.cases.moving import Hand, move, reports_in
from tocsin.cases.opening import SEVERITIES, Desk, new_case, push_status
from tocsin.cases.responders import EXCHANGE, Responder
from tocsin.intake.models import Report
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed
from tocsin.kernel.time import now
from tocsin.store import locks


def merge_cases(case: Case, other: Case, by: Responder, reason: str, at: dt.datetime | None = None) -> Case:
    """Move all reports of the other case into this one; the other closes as joined. Twice is once.

    Raises BadInput without a reason; Conflict where one of them is closed, the lanes differ, or the other has
    an owner that this one lacks; NotAllowed where another unit has the other case.
    """
    at, reason = at or now(), given(reason, "joining two cases needs a reason")
    with act() as recorded:
        locks.in_turn("linking")
        refuse_coordinator(by)
        case, other = lock_both(case, other)
        if (
            Move.objects.filter(
                kind=Move.Kind.MERGE, source=other, target=case, undone_at__isnull=True
            ).exists()
            and not other.is_open
        ):
            return case
        refuse_merge(case, other, by)
        reports = reports_in(other)
        told = f"{by.signature}: {reason}"
        desk = Desk.laid(recorded, at)
        move(desk, Hand(Move.Kind.MERGE, by, other, case, reports, reason, told))
        content = {"other": other.case_id, "count": len(reports), "reason": reason}
        record(recorded, "cases:case:absorbed", case, by, content)
    return case


def refuse_merge(case: Case, other: Case, by: Responder) -> None:
    """Say why two cases cannot be joined. Raises Conflict, NotAllowed."""
    if case.pk == other.pk:
        raise Conflict("a case cannot be joined with itself")
    if not case.is_open or not other.is_open:
        raise Conflict("both cases must be open", hint="a later report reopens what may be reopened")
    if case.lane != other.lane:
        raise Conflict("what is restricted never meets what is not")
    if (case.severity == "info") != (other.severity == "info"):
        raise Conflict("one of them is a group below the threshold and waits for one decision of its own")
    if other.investigating_unit_id not in (by.unit.pk, case.investigating_unit_id):
        raise NotAllowed("another unit has the other case", hint="ask it to pass that case on first")
    if other.owner_name and not case.owner_name:
        raise Conflict("the other case has an owner, this one has none", hint="join this one into that one")


def split_case(
    case: Case, by: Responder, report_pks: Sequence[int], reason: str, at: dt.datetime | None = None
) -> Case:
    """Take some reports out of a case, with a reason, into a case of their own; gives that one.

    Their clocks go with them; nothing they are owed is lost. Asking again for the same gives the same case.
    Raises BadInput without reports or a reason; Conflict where the case is closed, where they are not in it,
    or where nothing would be left.
    """
    at, reason = at or now(), given(reason, "taking a report out needs a reason")
    wanted = sorted(set(report_pks))
    if not wanted:
        raise BadInput("choose the reports that do not belong to the case")
    with act() as recorded:
        locks.in_turn("linking")
        refuse_coordinator(by)
        case = lock_both(case)[0]
        reports = reports_in(case, wanted)
        if len(reports) < len(wanted):
            return split_before(case, wanted)
        if len(reports) == case.report_count:
            raise Conflict(
                "it is the only report of its case"
                if len(reports) == 1
                else "nothing would be left of the case"
            )
        if not case.is_open:
            raise Conflict("the case is closed")
        record_split(desk := Desk.laid(recorded, at), case, by, reports, reason)
        fresh = new_case(desk, max(reports, key=lambda report: SEVERITIES.index(report.severity)))
        kind = Move.Kind.DETACH if len(reports) == 1 else Move.Kind.SPLIT
        move(desk, Hand(kind, by, case, fresh, reports, reason, f"taken out of another case: {reason}"))
    return fresh


def split_before(case: Case, report_pks: Sequence[int]) -> Case:
    """The case that exactly these reports were split into. Raises Conflict where they were not."""
    found = Move.objects.filter(source=case, undone_at__isnull=True).select_related("target").order_by("-pk")
    for made in found.filter(kind__in=(Move.Kind.SPLIT, Move.Kind.DETACH), links__report=report_pks[0]):
        stays = made.links.filter(detached_at__isnull=True).values_list("report_id", flat=True)
        if sorted(stays) == list(report_pks):
            return made.target
    raise Conflict(
        "the report is not in this case" if len(report_pks) == 1 else "not all of them are in this case"
    )


def record_split(desk: Desk, case: Case, by: Responder, reports: Sequence[Report], reason: str) -> None:
    """Journal what leaves a case: of a single report by its id, of several by their list."""
    content = {"case_id": case.case_id, "reason": reason}
    if len(reports) == 1:
        record(desk.recorded, "cases:report:detached", case, by, content | {"report": reports[0].report_id})
        return
    ids = [report.report_id for report in reports]
    record(desk.recorded, "cases:case:split", case, by, content | {"reports": ids, "count": len(ids)})


def undo_move(made: Move, by: Responder, reason: str, at: dt.datetime | None = None) -> Case:
    """Take a move back: its reports return to the case they came from; gives that one. Twice is once.

    A case that the move had closed goes on as it was, with its owner and its clocks. Reports that have gone
    elsewhere since stay there; what the exchange joined, it never joins again, and reports that came in since
    about the same go back too. Raises BadInput without a reason; Conflict where nothing can go back.
    """
    at, reason = at or now(), given(reason, "taking it back needs a reason")
    with act() as recorded:
        locks.in_turn("linking")
        refuse_coordinator(by)
        made = Move.objects.select_for_update().get(pk=made.pk)
        source, target = lock_both(made.source, made.target)
        if made.undone_at is not None:
            return source
        reports = reports_in(
            target, list(made.links.filter(detached_at__isnull=True).values_list("report_id", flat=True))
        )
        if made.person_name == EXCHANGE:
            reports += came_in_since(made, target, reports)
        refuse_undo(made, source, target, reports)
        desk = Desk.laid(recorded, at)
        if not source.is_open:
            restore(desk, source, made, by, reason)
        told = f"{by.signature} took it back: {reason}"
        move(desk, Hand(Move.Kind.UNDO, by, target, source, reports, reason, told))
        made.undone_at = at
        made.save()
        content = {"other": source.case_id, "count": len(reports), "reason": reason}
        record(recorded, "cases:case:parted", target, by, content)
    return source


def came_in_since(made: Move, target: Case, moved: Sequence[Report]) -> list[Report]:
    """Reports that joined the target since, only because it was found by the keys of those `moved`.

    An officer who joins two cases vouches for what follows; when the exchange was wrong, all of it was.
    """
    texts = {key.text for report in moved for key in report_keys(report)}
    links = Link.objects.filter(
        case=target, detached_at__isnull=True, move__isnull=True, linked_at__gte=made.at
    )
    since = reports_in(target, list(links.values_list("report_id", flat=True)))
    return [report for report in since if report_keys(report)[0].text in texts]


def refuse_undo(made: Move, source: Case, target: Case, reports: Sequence[Report]) -> None:
    """Say why a move cannot be taken back. Raises Conflict."""
    if made.kind == Move.Kind.UNDO:
        raise Conflict("what was taken back is not taken back again", hint="move the reports once more")
    if not reports:
        raise Conflict("its reports have gone elsewhere since")
    if not target.is_open:
        raise Conflict("the case that has the reports is closed")
    last = Move.objects.filter(source=source).order_by("-pk").first()
    if not source.is_open and (source.status != states.DUPLICATE or last is None or last.pk != made.pk):
        raise Conflict("the case that they came from is closed")


def restore(desk: Desk, source: Case, made: Move, by: Responder, reason: str) -> None:
    """Let a case that a move had closed go on: status, owner, and the clocks that ended with it."""
    states.check(desk.pack, "unmerge", source.status, made.status_before, by.party)
    clocks.resume(source, source.closed_at or made.at)
    source.status, source.closed_at = made.status_before, None
    source.save()
    push_status(source, desk.at)
    record(desk.recorded, "cases:case:restored", source, by, {"reason": reason})


def moves_to_undo(case: Case) -> list[Move]:
    """The last moves into and out of a case that may still be taken back, the newest first."""
    found = Move.objects.filter(undone_at__isnull=True).exclude(kind=Move.Kind.UNDO)
    both = (found.filter(source=case) | found.filter(target=case)).select_related("source", "target")
    return [made for made in both.order_by("-pk")[:5] if made.target.is_open]


def lock_both(*cases: Case) -> list[Case]:
    """The cases as they are now, locked in one order whoever asks, each with its unit."""
    pks = [case.pk for case in cases]
    rows = Case.objects.select_for_update().filter(pk__in=pks).order_by("pk")
    found = {row.pk: row for row in rows}
    return [found[pk] for pk in pks]


def given(reason: str, otherwise: str) -> str:
    """The reason, trimmed. Raises BadInput where there is none."""
    if not reason.strip():
        raise BadInput(otherwise)
    return reason.strip()
