"""The score of a case, and what the queue is ordered by: kept on the case whenever something of it changes.

A score is four parts of 0 to 100 (severity, solvability, harm, linked volume), weighed by the unit that has
the case. What each part is made of is data (`triage.toml`); `cases.explained` says it in words. Everything
here is set-based: a batch of 500 reports costs the same number of queries as one.
"""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import F, Max, Min, OuterRef, Subquery

from tocsin.cases import clocks, networks, shares
from tocsin.cases.models import Case, Clock, Link, UnitWeights
from tocsin.cases.units import current_pack
from tocsin.intake.models import Report, ReportHolding
from tocsin.journal.acts import act
from tocsin.journal.projections import Happened
from tocsin.kernel.time import now
from tocsin.reference.values import Pack, Weights
from tocsin.store.rows import update_rows

if TYPE_CHECKING:
    from tocsin.cases.opening import Desk

DUTIES = (clocks.ACCEPT, clocks.DECIDE, clocks.UPDATE, clocks.TELL)
PARTS = ("severity", "solvability", "harm", "volume")
KEPT = [
    *("due_at", "score", *(f"{part}_part" for part in PARTS)),
    *("evidence_until", "held_until", "names_origin", "is_group", "victim_count"),
]
FEW_REPORTS = 200  # up to so many, a case that says something new is counted anew
BATCH = 1_000
# What may change a duty of a case: a question lets a clock stand still.
CHANGING = ("cases:case:", "cases:report:detached", "cases:question:", "cases:duty:")
# What `assess` has done already in its own act, and what changes neither a duty nor a part.
ELSEWHERE = (
    "cases:case:opened",
    "cases:case:routed",
    "cases:case:reopened",
    "cases:clock:",
    "cases:holding:",
)


class Held(NamedTuple):
    """What is held: the first and the last destruction still to come; can a member name the origin?"""

    first: dt.datetime | None = None
    last: dt.datetime | None = None
    names_origin: bool = False

    def and_also(self, other: "Held") -> "Held":
        """Both together."""
        return Held(
            min(filter(None, (self.first, other.first)), default=None),
            max(filter(None, (self.last, other.last)), default=None),
            self.names_origin or other.names_origin,
        )


def assess(desk: "Desk", cases: Sequence[Case], told: Sequence[tuple[Case, Report]]) -> None:
    """Bring cases up to date to which reports have just been linked, or whose reports say more.

    `told` are those reports with their cases. The cases are locked and stored already.
    """
    told_of: dict[int, list[Report]] = defaultdict(list)
    for case, report in told:
        told_of[case.pk].append(report)
    held = held_by_reports([report for _, report in told], desk.pack, desk.at)
    for case in cases:
        so_far = Held(case.evidence_until, case.held_until, case.names_origin)
        if so_far.first is not None and so_far.first <= desk.at:
            so_far = so_far._replace(first=None)
        for report in told_of[case.pk]:
            so_far = so_far.and_also(held.get(report.pk, Held()))
        note_held(case, so_far)
    store(desk.pack, cases, desk.at)


def count_anew(cases: Sequence[Case], at: dt.datetime) -> None:
    """Bring cases up to date from all that they have: after reports have left them, or once a day."""
    pack = current_pack()
    logs = list(pack.triage.solvability.origin_logs)
    found = ReportHolding.objects.filter(
        report__links__case__in=cases, report__links__detached_at__isnull=True, holding__delete_at__gt=at
    ).order_by()
    rows = found.values_list("report__links__case").annotate(
        first=Min("holding__delete_at"), last=Max("holding__delete_at")
    )
    held = {int(pk): Held(first, last) for pk, first, last in rows}
    naming = found.filter(holding__log_type__in=logs).values_list("report__links__case", flat=True).distinct()
    named = set(naming) | of_own_customers(cases)
    for case in cases:
        note_held(case, held.get(case.pk, Held())._replace(names_origin=case.pk in named))
    store(pack, cases, at)


def of_own_customers(cases: Sequence[Case]) -> set[int]:
    """Of these cases, those with an origin that is a member's own customer or lies in a member's network."""
    links = Link.objects.filter(case__in=cases, detached_at__isnull=True).order_by()
    nets = networks.of_members()
    found = links.values_list("case_id", "report__origin").distinct()
    return {case_pk for case_pk, origin in found if networks.is_named(nets, origin)}


def held_by_reports(reports: Sequence[Report], pack: Pack, at: dt.datetime) -> dict[int, Held]:
    """What is held behind each of these reports."""
    if not reports:
        return {}
    nets = networks.of_members()
    found = {report.pk: Held(names_origin=networks.is_named(nets, report.origin)) for report in reports}
    logs = pack.triage.solvability.origin_logs
    rows = ReportHolding.objects.filter(report__in=list(found), holding__delete_at__gt=at)
    for report_pk, delete_at, log_type in rows.values_list(
        "report_id", "holding__delete_at", "holding__log_type"
    ):
        found[report_pk] = found[report_pk].and_also(Held(delete_at, delete_at, log_type in logs))
    return found


def note_held(case: Case, held: Held) -> None:
    """Put on the case what is held about it."""
    case.evidence_until, case.held_until, case.names_origin = held


def store(pack: Pack, cases: Sequence[Case], at: dt.datetime | None) -> None:
    """Work out parts, score and first duty of cases, and store those of which anything has changed.

    Without an instant, what is held counts as when it was looked at last.
    """
    if not cases:
        return
    stored = {
        row[0]: row[1:]
        for row in Case.objects.filter(pk__in=[case.pk for case in cases]).values_list("pk", *KEPT)
    }
    due = first_due_at([case.pk for case in cases])
    weights = weights_of_units()
    changed = []
    for case in cases:
        case.due_at = due.get(case.pk)
        weigh(pack, case, weights.get(case.investigating_unit_id, pack.triage.weights.alone), at)
        if stored.get(case.pk) != tuple(getattr(case, name) for name in KEPT):
            changed.append(case)
    update_rows(changed, KEPT)
    shares.note_standing([case.pk for case in cases])


def first_due_at(case_pks: Sequence[int]) -> dict[int, dt.datetime | None]:
    """When the first running duty of each of these cases falls due."""
    running = Clock.objects.filter(case=OuterRef("pk"), ended_at__isnull=True, clock_id__in=DUTIES)
    first = Subquery(running.order_by("due_at").values("due_at")[:1])
    return dict(Case.objects.filter(pk__in=case_pks).values_list("pk", first))


def weigh(pack: Pack, case: Case, weights: Weights, at: dt.datetime | None) -> None:
    """Set the parts and the score of a case from what it says."""
    rules = pack.triage
    case.is_group = case.severity == "info"
    case.severity_part = rules.severity.get(case.severity, 0)
    if at is not None:
        case.solvability_part = solvability(pack, case.held_until, names_origin=case.names_origin, at=at)
    victims = round(rules.harm.victim * math.log2(case.victim_count + 1))
    case.harm_part = min(100, rules.harm.points(case.kind) + victims)
    case.volume_part = (
        doublings(case.report_count, rules.volume.full_reports)
        + doublings(case.member_count, rules.volume.full_members)
    ) // 2
    case.score = score_of(case, weights)


def score_of(case: Case, weights: Weights) -> int:
    """The weighed mean of the parts, rounded down."""
    points = (
        weights.severity * case.severity_part
        + weights.solvability * case.solvability_part
        + weights.harm * case.harm_part
        + weights.volume * case.volume_part
    )
    return points // weights.whole


def solvability(pack: Pack, held_until: dt.datetime | None, *, names_origin: bool, at: dt.datetime) -> int:
    """0 to 100: is a log held, for how long still, and can a member say whose the origin is?"""
    rules = pack.triage.solvability
    points = rules.origin if names_origin else 0
    if held_until is not None and held_until > at:
        share = min(1.0, (held_until - at) / dt.timedelta(days=rules.enough_days))
        points += rules.held + round(rules.lasting * share)
    return min(100, points)


def doublings(count: int, full: int) -> int:
    """0 for one, 100 for `full` and more; each doubling in between counts the same."""
    return min(100, round(100 * math.log2(max(1, count)) / math.log2(full)))


def weights_of_units() -> dict[int, Weights]:
    """The weights that supervisors have set, by the unit's row; a unit without any has the pack's."""
    rows = UnitWeights.objects.filter(undone_at__isnull=True).order_by("at", "pk")
    return {row.unit_id: Weights(row.severity, row.solvability, row.harm, row.volume) for row in rows}


def weigh_unit_anew(unit_pk: int, weights: Weights) -> None:
    """Give every open case of a unit the score that these weights make of its parts."""
    points = (
        F("severity_part") * weights.severity
        + F("solvability_part") * weights.solvability
        + F("harm_part") * weights.harm
        + F("volume_part") * weights.volume
    )
    open_cases = Case.objects.filter(investigating_unit=unit_pk, closed_at__isnull=True)
    open_cases.update(score=points / weights.whole)


def follow(happened: Sequence[Happened]) -> None:
    """Bring up to date what an act has done to cases, at its end and in its transaction."""
    ids = {
        subject
        for event, subject in happened
        if event.startswith(CHANGING) and not event.startswith(ELSEWHERE)
    }
    if ids:
        store(current_pack(), list(Case.objects.filter(case_id__in=ids)), None)


def note_victims(case_id: str, victims: int, at: dt.datetime | None = None) -> None:
    """Victims push their count in: how many are known in a case. Part of the act that found them.

    The number alone comes here, and is shown beside the score; nothing of a person does.
    """
    with act():
        case = Case.objects.select_for_update().filter(case_id=case_id).first()
        if case is not None and case.victim_count != victims:
            case.victim_count = victims
            store(current_pack(), [case], at or now())


def refresh_all(at: dt.datetime | None = None) -> int:
    """Count every open case anew, as days pass and logs are destroyed; gives how many."""
    at, last, total = at or now(), 0, 0
    while True:
        with act():
            found = Case.objects.select_for_update().filter(closed_at__isnull=True, pk__gt=last)
            cases = list(found.order_by("pk")[:BATCH])
            if not cases:
                return total
            count_anew(cases, at)
        last, total = cases[-1].pk, total + len(cases)


def mixed(cases: Iterable[Case]) -> list[Case]:
    """Those whose stored duty or score is not what their clocks and parts say: `tocsin check` asks."""
    cases, weights, pack = list(cases), weights_of_units(), current_pack()
    due = first_due_at([case.pk for case in cases])
    return [
        case
        for case in cases
        if case.due_at != due[case.pk]
        or case.score != score_of(case, weights.get(case.investigating_unit_id, pack.triage.weights.alone))
    ]
