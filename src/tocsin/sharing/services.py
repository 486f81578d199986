"""What members' reports and trusted persons' words do to indicators: shared, withdrawn, expired."""

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec
from django.db.models import Q

from tocsin.access.models import Member
from tocsin.access.policy import Actor, require
from tocsin.access.services import subject_of
from tocsin.intake.models import Report
from tocsin.journal.acts import act
from tocsin.kernel.ids import new_id
from tocsin.kernel.problems import BadInput, Conflict
from tocsin.kernel.time import now
from tocsin.sharing import records, rules
from tocsin.sharing.judging import Obstacles, judge_all
from tocsin.sharing.models import Approval, Assertion, Indicator
from tocsin.sharing.words import Said, keep_said, keep_words
from tocsin.store import locks
from tocsin.wire import report as wire

APPROVED, REFUSED = "sharing:indicator:approved", "sharing:indicator:refused"
REPORT_WITHDRAWN, WORDS_WITHDRAWN = "sharing:report:withdrawn", "sharing:words:withdrawn"
TURN = "sharing"  # one change of indicators at a time: two reports at once must find each other
LONGEST_REASON = 500

_decoder = msgspec.json.Decoder(wire.Report)


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


def assert_said(member: Member, said: Sequence[Said], at: dt.datetime | None = None) -> int:
    """Take what a member says otherwise than by reports; gives how many words are new.

    Running it twice changes nothing: a word is known by member, reference and what it is about. Raises
    BadInput for a value that is no address or name in its canonical spelling.
    """
    at = at or now()
    with act() as recorded:
        locks.in_turn(TURN)
        touched, fresh = keep_said(member, said, at)
        if touched:
            judge_all(recorded, touched, at)
    return fresh


def withdraw_said(
    member: Member, references: Sequence[str], reason: str, at: dt.datetime | None = None
) -> int:
    """A member takes back what it said under these references; gives how many words that were."""
    reason, at = checked_reason(reason), at or now()
    with act() as recorded:
        locks.in_turn(TURN)
        standing = Assertion.objects.filter(
            member=member, report=None, reference__in=references, withdrawn_at=None
        )
        touched = sorted(set(standing.values_list("indicator_id", flat=True)))
        taken = standing.update(withdrawn_at=at)
        if taken:
            content = {"member": member.member_id, "words": taken, "reason": reason}
            recorded.record(WORDS_WITHDRAWN, new_id("words"), content)
            judge_all(recorded, touched, at)
    return taken


def weigh_anew(at: dt.datetime | None = None) -> int:
    """Count every source's record, and judge again what rests on those that fell; gives the changes."""
    at, changed = at or now(), 0
    fallen = records.count_anew(at)
    shared = Q(state=Indicator.State.SHARED) | Q(standings__state=Indicator.State.SHARED)
    rests = Indicator.objects.filter(shared, assertions__member__in=fallen, assertions__withdrawn_at=None)
    pks = sorted(set(rests.values_list("pk", flat=True))) if fallen else []
    for start in range(0, len(pks), 1_000):
        with act() as recorded:
            locks.in_turn(TURN)
            changed += judge_all(recorded, pks[start : start + 1_000], at)
    return changed


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


def checked_reason(reason: str) -> str:
    """A reason in one paragraph. Raises BadInput."""
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise BadInput(f"a reason of 1 to {LONGEST_REASON} characters is needed")
    return reason
