"""What members' reports and trusted persons' words do to indicators: shared, withdrawn, expired."""

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec

from tocsin.access.policy import Actor, require
from tocsin.access.services import subject_of
from tocsin.intake.models import Report
from tocsin.journal.acts import act
from tocsin.kernel.ids import new_id
from tocsin.kernel.problems import BadInput, Conflict
from tocsin.kernel.time import now
from tocsin.sharing import rules
from tocsin.sharing.judging import Obstacles, judge_all
from tocsin.sharing.models import Approval, Assertion, Indicator
from tocsin.sharing.publishing import stix_id_of
from tocsin.store import bulk, locks
from tocsin.store.rows import update_rows
from tocsin.wire import report as wire

APPROVED, REFUSED = "sharing:indicator:approved", "sharing:indicator:refused"
REPORT_WITHDRAWN = "sharing:report:withdrawn"
TURN = "sharing"  # one change of indicators at a time: two reports at once must find each other
LONGEST_REASON = 500

_decoder = msgspec.json.Decoder(wire.Report)
Key = tuple[str, str]
Told = tuple[Report, rules.Claim]


def assert_reports(report_pks: Iterable[int], at: dt.datetime | None = None) -> None:
    """Take each report as its member's word for what it points at, and judge again what it touches.

    Running it twice changes nothing; a higher version of a report renews its word.
    """
    at = at or now()
    with act() as recorded:
        locks.in_turn(TURN)
        # Not locked: report rows are written only under the journal's head, which comes last here too.
        reports = list(
            Report.objects.filter(pk__in=list(report_pks), lane=Report.Lane.ORDINARY).order_by("pk")
        )
        told = [
            (report, claim)
            for report in reports
            for claim in rules.claims_of(_decoder.decode(bytes(report.content)))
        ]
        if told:
            touched = keep_words(told, at)
            judge_all(recorded, touched, at)


def approve(
    indicator: Indicator, actor: Actor, is_yes: bool, reason: str, at: dt.datetime | None = None
) -> Indicator:
    """A trusted person's yes shares alone; a no keeps it from being shared, or withdraws it, until a yes.

    Raises NotSignedIn, NotAllowed, BadInput without a reason, Conflict where nothing could ever share it.
    """
    require(actor, "indicator.approve" if is_yes else "indicator.withdraw")
    if actor.person is None:
        raise BadInput("a person decides this, not a key")
    reason, at = checked_reason(reason), at or now()
    with act() as recorded:
        locks.in_turn(TURN)
        indicator = Indicator.objects.get(pk=indicator.pk)
        if is_yes and (obstacle := Obstacles().of(indicator.kind, indicator.value)):
            raise Conflict(obstacle, hint="nobody can share it")
        Approval.objects.create(indicator=indicator, person=actor.person, is_yes=is_yes, reason=reason, at=at)
        recorded.record(
            APPROVED if is_yes else REFUSED,
            indicator.indicator_id,
            {"by": subject_of(actor.person), "reason": reason},
        )
        judge_all(recorded, [indicator.pk], at)
    indicator.refresh_from_db()
    return indicator


def withdraw(indicator: Indicator, actor: Actor, reason: str, at: dt.datetime | None = None) -> Indicator:
    """Take an indicator off every list at once, until a trusted person says yes. Raises as `approve`."""
    return approve(indicator, actor, False, reason, at)


def withdraw_report(report: Report, reason: str, at: dt.datetime | None = None) -> None:
    """A report was wrong: its words stand no longer, and what stood on them alone is off at once."""
    reason, at = checked_reason(reason), at or now()
    with act() as recorded:
        locks.in_turn(TURN)
        standing = Assertion.objects.filter(report=report, withdrawn_at=None)
        touched = list(standing.order_by("indicator").values_list("indicator_id", flat=True))
        if touched:
            standing.update(withdrawn_at=at)
            recorded.record(REPORT_WITHDRAWN, report.report_id, {"reason": reason})
            judge_all(recorded, touched, at)


def sweep(at: dt.datetime | None = None) -> int:
    """Take off the lists what has expired or meets a new obstacle; gives the number of changes.

    All that is shared is judged again where obstacles changed since: members' networks, warning lists.
    """
    global _looked_at
    at = at or now()
    shared = Indicator.objects.filter(state=Indicator.State.SHARED)
    if not shared.exists():
        return 0
    due = set(shared.filter(valid_until__lte=at).values_list("pk", flat=True))
    obstacles, changed = Obstacles(), 0
    if obstacles.fingerprint != _looked_at:
        rows = shared.values_list("pk", "kind", "value")
        due |= {pk for pk, kind, value in rows.iterator() if obstacles.of(kind, value)}
    if due:
        with act() as recorded:
            locks.in_turn(TURN)
            changed = judge_all(recorded, sorted(due), at)
    _looked_at = obstacles.fingerprint
    return changed


_looked_at: tuple[str, ...] | None = None  # the obstacles by which this process judged all that is shared


def keep_words(told: Sequence[Told], at: dt.datetime) -> list[int]:
    """Store new words and renew known ones; gives the indicators that learned something."""
    indicators = known_or_new(told, at)
    pks = {indicator.pk for indicator in indicators.values()}
    reports = {report.pk for report, _ in told}
    known = {
        (row.indicator_id, row.report_id): row
        for row in Assertion.objects.filter(indicator__in=pks, report__in=reports)
    }
    fresh: list[Assertion] = []
    renewed: list[Assertion] = []
    changed: dict[int, Indicator] = {}
    for report, claim in told:
        indicator = indicators[claim.kind, claim.value]
        before = known.get((indicator.pk, report.pk))
        if before is None:
            word = Assertion(indicator=indicator, report=report, member_id=report.member_id)
            fresh.append(word)
        elif before.entry_seq < report.entry_seq and before.withdrawn_at is None:
            word = before
            renewed.append(word)
        else:
            continue
        word.asserted_at, word.entry_seq, word.unforgeable = at, report.entry_seq, claim.unforgeable
        if indicator.attack_kind != report.kind:
            indicator.attack_kind = report.kind
            changed[indicator.pk] = indicator
    update_rows(list(changed.values()), ["attack_kind"])
    Assertion.objects.bulk_create(fresh)
    Assertion.objects.bulk_update(renewed, ["asserted_at", "entry_seq", "unforgeable"])
    return sorted({word.indicator_id for word in [*fresh, *renewed]})


def known_or_new(told: Sequence[Told], at: dt.datetime) -> dict[Key, Indicator]:
    """The indicators that these claims are about, those that are new stored as held."""
    kinds = {(claim.kind, claim.value): report.kind for report, claim in told}
    values = [value for _, value in kinds]
    found = Indicator.objects.filter(pk__in=bulk.keys_where(Indicator, "value", values))
    known: dict[Key, Indicator] = {(row.kind, row.value): row for row in found}
    fresh = [
        Indicator(
            indicator_id=new_id("indicator"),
            stix_id=stix_id_of(kind, value),
            kind=kind,
            value=value,
            attack_kind=attack_kind,
            reason=rules.ALONE_WORDS,
            asserted_at=at,
            changed_at=at,
        )
        for (kind, value), attack_kind in kinds.items()
        if (kind, value) not in known
    ]
    for row in Indicator.objects.bulk_create(fresh):
        known[row.kind, row.value] = row
    return known


def checked_reason(reason: str) -> str:
    """A reason in one paragraph. Raises BadInput."""
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise BadInput(f"a reason of 1 to {LONGEST_REASON} characters is needed")
    return reason
