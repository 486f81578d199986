"""Moving reports from one case to another: what detaching, splitting, attaching, merging and undoing share.

A report is always in exactly one case. Its own clocks go with it and lose nothing; what the case that it
leaves owed sooner than the one that it joins is owed by that one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.cases import clocks, holdings, limits, pausing, shares, states, triage
from tocsin.cases.decisions import record
from tocsin.cases.linking import report_keys
from tocsin.cases.models import Case, CaseOrigin, Clock, Link, Move, OneTimeLink
from tocsin.cases.opening import Desk, Placed, clear_desk, push_status, renew
from tocsin.cases.responders import Responder
from tocsin.intake.models import Report
from tocsin.store.rows import update_rows


@dataclass(frozen=True)
class Hand:
    """Who moves what from where to where, by which act, and why."""

    kind: Move.Kind
    by: Responder
    source: Case
    target: Case
    reports: Sequence[Report]
    reason: str
    told: str  # what the new link gives as its reason
    strength: int = 100
    heard: str = ""  # what reporters hear of it; nothing where it is empty

    @property
    def report_pks(self) -> list[int]:
        """The rows of the reports."""
        return [report.pk for report in self.reports]


def reports_in(case: Case, report_pks: Sequence[int] | None = None) -> list[Report]:
    """The reports of a case, the first received first; of those named, where any are."""
    found = Report.objects.filter(links__case=case, links__detached_at__isnull=True)
    if report_pks is not None:
        found = found.filter(pk__in=list(report_pks))
    return list(found.select_related("member").order_by("pk"))


def move(desk: Desk, hand: Hand) -> Move:
    """Move the reports; both cases are locked. The source, where it is left empty, closes as joined."""
    source, target, by = hand.source, hand.target, hand.by
    took = Link.objects.filter(case=source, report__in=hand.report_pks, detached_at__isnull=True)
    took.update(detached_at=desk.at, detached_by=by.person)
    before = source.status
    placed = [
        Placed(report, report_keys(report), target, hand.told, hand.strength, hand.heard)
        for report in hand.reports
    ]
    clear_desk(desk, placed, [target], left=source)
    pausing.carry(source, target, hand.report_pks)
    made = Move.objects.create(
        kind=hand.kind,
        source=source,
        target=target,
        person=by.person,
        person_name=by.name,
        unit=by.unit,
        reason=hand.reason,
        status_before=before,
        at=desk.at,
    )
    joined = Link.objects.filter(case=target, report__in=hand.report_pks, detached_at__isnull=True)
    joined.update(linked_by=by.person, move=made)
    leave(desk, hand)
    for case in (source, target):
        if pausing.settle(case, desk.at):
            case.save(update_fields=["status"])
            push_status(case, desk.at)
    triage.count_anew([source, target], desk.at)
    return made


def leave(desk: Desk, hand: Hand) -> None:
    """What the case is that the reports have left: counted anew, found by what is left, closed when empty."""
    source = hand.source
    shares.count_anew([source])
    holdings.note_anew([source.pk])
    rest = reports_in(source)
    if rest:
        kept = {key.text for report in rest for key in report_keys(report)}
        gone = {key.text for report in hand.reports for key in report_keys(report)} - kept
        CaseOrigin.objects.filter(case=source, origin__in=gone).delete()
        renew(Desk(desk.recorded, desk.pack, desk.at), [source], [], [source.pk])
        return
    states.check(desk.pack, "merge", source.status, states.DUPLICATE, hand.by.party)
    hand_over_duties(source, hand.target)
    source.status, source.closed_at = states.DUPLICATE, desk.at
    source.save()
    Clock.objects.filter(case=source, ended_at__isnull=True).update(
        ended_at=desk.at, ended_by=clocks.PERSON, next_step_at=None
    )
    OneTimeLink.objects.filter(case=source, revoked_at__isnull=True).update(revoked_at=desk.at)
    content = {"status": states.DUPLICATE, "into": hand.target.case_id, "reason": hand.reason}
    record(desk.recorded, "cases:case:merged", source, hand.by, content)


def hand_over_duties(source: Case, target: Case) -> None:
    """Where both cases owe the same, it is due when the first of them was to be met, breach and all."""
    if not target.is_open:
        return
    duties = Clock.objects.filter(report__isnull=True, ended_at__isnull=True).exclude(clock_id=clocks.WARN)
    owed = {clock.clock_id: clock for clock in duties.filter(case=source).order_by("-due_at")}
    sooner = []
    for clock in duties.filter(case=target):
        other = owed.get(clock.clock_id)
        if other is not None and other.due_at < clock.due_at:
            clock.due_at, clock.breached_at = other.due_at, other.breached_at
            clock.step, clock.next_step_at = other.step, other.next_step_at
            clock.paused_at, clock.due_unpaused = other.paused_at, other.due_unpaused
            clock.pause_used = other.pause_used
            sooner.append(clock)
    update_rows(sooner, ["breached_at", "step", *limits.PAUSED])
