"""Campaigns of many origins: the exchange itself joins the open cases that one campaign made.

Footprints are compared in the background (`cases.campaigns`), never while a report waits. What is strong is
joined, as an officer would (`cases.moving`), with the reason and its strength, and can be taken back as any
joining; what is weak, or what people already work on, is a suggestion. A person's no is final: cases that
somebody parted are neither joined nor suggested again.
"""

import datetime as dt
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import Exists, OuterRef, Q, QuerySet

from tocsin.access.models import Member
from tocsin.cases import footprints, suggesting
from tocsin.cases.campaigns import Found, find_campaigns
from tocsin.cases.footprints import Evidence, Footprint
from tocsin.cases.keys import Key
from tocsin.cases.models import Case, Link, Move, OneTimeLink
from tocsin.cases.moving import Hand, move, reports_in
from tocsin.cases.opening import BY_HAND, Desk
from tocsin.cases.responders import Responder
from tocsin.intake.models import Report
from tocsin.journal.acts import act
from tocsin.kernel.time import now
from tocsin.store import locks

WINDOW = dt.timedelta(days=30)  # of attacks that are compared; members may report as late as that
MOST_CASES = 4_000  # of one look, the newest first: every pair of a kind is weighed
HEARD = "it belongs to a campaign that other networks met too"  # all that a reporter is told

Pair = frozenset[int]


def gather_campaigns(at: dt.datetime | None = None, since: dt.datetime | None = None) -> int:
    """Join the open cases of each campaign; gives how many were joined to another. Twice is once.

    `since` is from when on attacks are compared, by default for `WINDOW`.
    """
    at = at or now()
    universe, by_kind = look(since or at - WINDOW)
    joined = 0
    for found in by_kind.values():
        campaigns = find_campaigns(found, universe)
        for group in campaigns.groups:
            joined += join(group, at)
        suggest_weak(campaigns, at)
    return joined


def look(since: dt.datetime) -> tuple[int, dict[str, list[Footprint]]]:
    """The bits of all members that report, and the footprints of open cases by what they are mostly about."""
    reports = Report.objects.filter(member=OuterRef("pk"))
    members = Member.objects.filter(Exists(reports)).order_by("pk").values_list("pk", flat=True)
    bit_of = {pk: bit for bit, pk in enumerate(members)}
    cases = comparable().order_by("-opened_at", "-pk").values_list("pk", flat=True)[:MOST_CASES]
    links = Link.objects.filter(case__in=list(cases), detached_at__isnull=True)
    rows = links.filter(report__first_seen_at__gte=since).values_list(
        "case_id", "report__member_id", "report__kind", "report__first_seen_at", "report__count"
    )
    kinds: dict[int, Counter[str]] = defaultdict(Counter)
    told = []
    for case, member, kind, seen, count in rows.iterator(10_000):
        if member in bit_of:
            kinds[case][kind] += 1
            day = seen.astimezone(dt.UTC).date().toordinal()
            told.append((case, bit_of[member], day, math.log(max(count, 1))))
    by_kind: dict[str, list[Footprint]] = defaultdict(list)
    for one in footprints.footprints(told):
        by_kind[kinds[one.cases[0]].most_common(1)[0][0]].append(one)
    return (1 << len(bit_of)) - 1, by_kind


def comparable() -> QuerySet[Case]:
    """Open cases above the threshold that enough members met; never of the restricted lane."""
    ordinary = Case.objects.filter(closed_at__isnull=True, lane=Report.Lane.ORDINARY)
    return ordinary.filter(member_count__gte=footprints.LEAST_MEMBERS).exclude(severity="info")


def join(group: dict[int, Evidence], at: dt.datetime) -> int:
    """Join a campaign's cases with the one that stays, where that is the exchange's to do; gives how many.

    Each joining is an act of its own, so that nobody waits for a whole campaign to move.
    """
    cases = list(comparable().filter(pk__in=group))
    if len(cases) < 2:
        return 0
    stays = staying(cases)
    others = sorted(cases, key=lambda case: (case.opened_at, case.pk))
    return sum(join_two(stays.pk, case.pk, group[case.pk], at) for case in others if case.pk != stays.pk)


def join_two(stays_pk: int, case_pk: int, evidence: Evidence, at: dt.datetime) -> bool:
    """Join one case with the one that stays, or suggest it; neither where a person said no."""
    with act() as recorded:
        locks.in_turn("linking")
        desk, pair = Desk.laid(recorded, at), (stays_pk, case_pk)
        found = {row.pk: row for row in comparable().filter(pk__in=pair).select_for_update().order_by("pk")}
        if len(found) < 2 or apart(pair):
            return False
        stays, case = found[stays_pk], found[case_pk]
        if is_sent_out(case, at) or not may_join(stays, case):
            suggesting.store(desk, {(min(pair), max(pair)): hint(evidence, 59)})
            return False
        desk.seat([stays, case])
        absorb(desk, stays, case, evidence)
    return True


def staying(cases: Sequence[Case]) -> Case:
    """The case that the others join: the only owned one, or else the fullest, the oldest of those."""
    owned = [case for case in cases if case.owner_name]
    free = [case for case in cases if not case.owner_name]
    among = owned if len(owned) == 1 else free or owned
    return min(among, key=lambda case: (-case.report_count, case.opened_at, case.pk))


def may_join(stays: Case, case: Case) -> bool:
    """May the exchange move the case? Not what somebody owns, nor out of the unit that a person chose."""
    if case.owner_name:
        return False
    if stays.owner_name or BY_HAND in (stays.route_rule, case.route_rule):
        return stays.investigating_unit_id == case.investigating_unit_id
    return True


def is_sent_out(case: Case, at: dt.datetime) -> bool:
    """Does somebody outside hold a one-time link to the case that opens it?"""
    return OneTimeLink.objects.filter(case=case, revoked_at__isnull=True, expires_at__gt=at).exists()


def apart(case_pks: Iterable[int]) -> set[Pair]:
    """Pairs of these cases that a person parted, or whose cases before joining a person parted."""
    root = {pk: pk for pk in case_pks}
    fresh = set(root)
    while fresh:
        merges = Move.objects.filter(kind=Move.Kind.MERGE, undone_at__isnull=True, target__in=fresh)
        rows = [row for row in merges.values_list("source_id", "target_id") if row[0] not in root]
        root |= {source: root[target] for source, target in rows}
        fresh = {source for source, _ in rows}
    no = Q(kind=Move.Kind.MERGE, undone_at__isnull=False)
    no |= Q(kind__in=(Move.Kind.SPLIT, Move.Kind.DETACH), undone_at__isnull=True)
    parted = Move.objects.filter(no, source__in=root, target__in=root)
    pairs = parted.values_list("source_id", "target_id")
    return {frozenset((root[source], root[target])) for source, target in pairs}


def absorb(desk: Desk, stays: Case, case: Case, evidence: Evidence) -> None:
    """Move all reports of the case into the one that stays, with the reason; the journal tells both."""
    key, by, reports = hint(evidence, 89), Responder.exchange(stays), reports_in(case)
    move(
        desk,
        Hand(Move.Kind.MERGE, by, case, stays, reports, key.reason, key.reason, key.strength, HEARD),
    )
    content = {"other": case.case_id, "count": len(reports), "reason": key.reason, "strength": key.strength}
    content["unit"] = stays.investigating_unit.name
    desk.recorded.record("cases:case:gathered", stays.case_id, content)


def hint(evidence: Evidence, most: int) -> Key:
    """The evidence as a sentence and a strength, 30 and its weight, from 60 on where it joins."""
    words = [
        f"its attacker met {evidence.shared} of {evidence.members} networks where the other was, "
        f"against {evidence.expected:.0f} by chance"
    ]
    if not evidence.shared:
        words = ["it became part of the campaign as that grew"]
    if evidence.by_days > 0:
        words.append("on the same days")
    if evidence.by_rate > 0:
        words.append("with about as many attempts")
    return Key("", ", ".join(words), min(most, max(60 if most > 59 else 30, 45 + round(evidence.weight))))


def suggest_weak(campaigns: Found, at: dt.datetime) -> None:
    """Suggest what may be one campaign, unless a person said no, or the case has been joined meanwhile."""
    if not campaigns.weak:
        return
    with act() as recorded:
        locks.in_turn("linking")
        parted = apart({pk for one, other, _ in campaigns.weak for pk in (one, other)})
        best = {
            (min(one, other), max(one, other)): hint(evidence, 59)
            for one, other, evidence in campaigns.weak
            if frozenset((one, other)) not in parted
        }
        suggesting.store(Desk.laid(recorded, at), best)
