"""Taking reports: checked outside the transaction, written in bulk, each with an entry and a receipt."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from tocsin.access.models import Member
from tocsin.access.policy import Actor, require
from tocsin.intake import queries
from tocsin.intake.models import EarlierVersion, Report, ReportHolding
from tocsin.intake.rules import MAX_BATCH, BadReport, Checked, check
from tocsin.inventory import services as inventory
from tocsin.journal.acts import Stamp, act, current
from tocsin.journal.chain import Placement
from tocsin.kernel.hashing import commitment, new_salt
from tocsin.kernel.ids import new_id
from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import now
from tocsin.store import bulk
from tocsin.wire import report as wire

RECEIVED = "intake:report:received"
UPDATED = "intake:report:updated"

CONTENT_COLUMNS = (
    "kind",
    "origin",
    "target",
    "service",
    "severity",
    "lane",
    "count",
    "first_seen_at",
    "last_seen_at",
    "updated_at",
    "version",
    "content",
    "salt",
    "entry_seq",
)
NEW_COLUMNS = ("id", "report_id", "member_id", "attack_id", "received_at", "status", *CONTENT_COLUMNS)
EARLIER_COLUMNS = ("report_id", "version", "content", "salt", "entry_seq")
SET_STATUS = "UPDATE intake_report SET status = %s, updated_at = %s WHERE id = ANY(%s)"
ACKNOWLEDGED = "X-ACK"

State = Literal["new", "updated", "known"]


@dataclass(slots=True)
class Version:
    """One attack of a batch: the highest version sent, and what the exchange knew of it before."""

    checked: Checked
    position: int
    state: State = "new"
    before: Report | None = None
    report_id: str = ""
    pk: int = 0
    salt: bytes = b""
    stamp: Stamp = field(default_factory=Stamp)


def submit(actor: Actor, raw_reports: Sequence[bytes | msgspec.Raw]) -> wire.Accepted:
    """Take a batch of reports of the key's member; each gets a receipt at once, or a refusal with its reason.

    Idempotent by attack: the same or a lower count changes nothing and gives the stored receipt. One refusal
    stops no other report. Raises NotSignedIn, NotAllowed, BadInput for too large a batch.
    """
    require(actor, "report.submit")
    member = actor.members[0]
    if len(raw_reports) > MAX_BATCH:
        raise BadInput(f"a batch may have {MAX_BATCH:,} reports")
    good, refusals = check_all(raw_reports)
    versions = highest_versions(good)
    if not versions:
        return wire.Accepted([], [], refusals)
    with act(outermost=True) as recorded:
        lock_member(member)
        find_known(member, versions.values())
        written = [version for version in versions.values() if version.state != "known"]
        held = record_held(member, written)
        prepare_ids(written)
        for version in written:
            version.salt = new_salt()
            committed = commitment(version.salt, version.checked.content)
            event = RECEIVED if version.state == "new" else UPDATED
            version.stamp = recorded.record_committed(event, version.report_id, committed)
        placements: list[Placement] = []
        if written:
            recorded.when_placed(lambda _: write_rows(member, written, held))
            recorded.when_placed(placements.append)
    receipts = fresh_receipts(written, placements[0]) if placements else {}
    receipts |= stored_receipts(versions.values())
    return answer(good, versions, receipts, refusals)


def set_status(report_pks: Iterable[int], status: str, at: dt.datetime) -> None:
    """Push an exchange status down to reports; readers by `updated_since` see it. Only inside an act.

    Nothing is written before the act is placed. Whatever changes a report does so under the journal's head,
    so that no two acts wait for each other's reports, and carries the act's own instant, by which readers
    follow; `at` is when the caller decided it, which an entry's content may say.
    """
    pks = list(report_pks)

    def write(placement: Placement) -> None:
        bulk.change(SET_STATUS, status, bulk.spelled(placement.last_at), pks)

    current().when_placed(write)


def check_all(
    raw_reports: Sequence[bytes | msgspec.Raw],
) -> tuple[list[tuple[int, Checked]], list[wire.Refusal]]:
    """Judge every report of a batch; what is good keeps its position."""
    at, good, refusals = now(), [], []
    for position, raw in enumerate(raw_reports):
        try:
            good.append((position, check(raw, at)))
        except BadReport as problem:
            refusals.append(wire.Refusal(position, problem.slug, problem.title, problem.detail))
    return good, refusals


def highest_versions(good: Sequence[tuple[int, Checked]]) -> dict[str, Version]:
    """One version an attack: where a batch repeats one, the first with the highest count stands."""
    versions: dict[str, Version] = {}
    for position, checked in good:
        attack_id = checked.report.attack_id
        kept = versions.get(attack_id)
        if kept is None or checked.report.count > kept.checked.report.count:
            versions[attack_id] = Version(checked, position)
    return versions


def lock_member(member: Member) -> None:
    """One batch of a member at a time, so that two copies of it cannot both be new."""
    Member.objects.select_for_update(no_key=True).values_list("pk").get(pk=member.pk)


def find_known(member: Member, versions: Iterable[Version]) -> None:
    """Say of every version whether it is new, updated or known. No other batch of the member runs beside."""
    by_attack = {version.checked.report.attack_id: version for version in versions}
    known = bulk.keys_where(Report, "attack_id", list(by_attack), member_id=member.pk)
    for before in Report.objects.filter(pk__in=known) if known else ():
        version = by_attack[before.attack_id]
        version.before, version.report_id, version.pk = before, before.report_id, before.pk
        version.state = "updated" if version.checked.report.count > before.count else "known"


def record_held(member: Member, written: Sequence[Version]) -> dict[tuple[str, str], int]:
    """Upsert the holdings that the batch mentions; gives their primary keys by what identifies them."""
    told = dict.fromkeys(holding for version in written for holding in version.checked.report.holdings)
    rows = inventory.record_holdings(member, list(told))
    return {(row.source_id, row.log_type): row.pk for row in rows}


def prepare_ids(written: Sequence[Version]) -> None:
    """Give every new report its id and its primary key."""
    fresh = [version for version in written if version.state == "new"]
    for version, pk in zip(fresh, bulk.reserve_ids(Report, len(fresh)), strict=True):
        version.report_id, version.pk = new_id("report"), pk


def write_rows(member: Member, written: Sequence[Version], held: dict[tuple[str, str], int]) -> None:
    """Write reports, replaced versions and joins to holdings, now that positions are known."""
    new, replaced, earlier = [], [], []
    joins: list[tuple[int, int, bool]] = []
    for version in written:
        at = version.stamp.stored_at
        row = content_row(version, at)
        if version.before is None:
            report = version.checked.report
            new.append((version.pk, version.report_id, member.pk, report.attack_id, at, ACKNOWLEDGED, *row))
        else:
            before = version.before
            replaced.append((*row, version.pk))
            earlier.append((before.pk, before.version, before.content, before.salt, before.entry_seq))
        joins += joined(version, held)
    bulk.insert(Report, NEW_COLUMNS, new)
    bulk.update(Report, CONTENT_COLUMNS, replaced)
    bulk.insert(EarlierVersion, EARLIER_COLUMNS, earlier)
    join_holdings(joins)


def joined(version: Version, held: dict[tuple[str, str], int]) -> Iterable[tuple[int, int, bool]]:
    """(report, holding, whether they may be joined already) for each holding that the report names."""
    told, again = version.checked.report.holdings, version.before is not None
    pks = [held[holding.source_id, holding.log_type] for holding in told]
    return [(version.pk, pk, again) for pk in (pks if len(pks) < 2 else dict.fromkeys(pks))]


def content_row(version: Version, at: str) -> tuple[object, ...]:
    """The values of CONTENT_COLUMNS. A report that was ever restricted stays so."""
    checked, before = version.checked, version.before
    report = checked.report
    was_restricted = before is not None and before.lane == Report.Lane.RESTRICTED
    return (
        report.kind,
        report.origins[0] if report.origins and not report.vector else "",  # a flood's are forged
        report.targets[0] if report.targets else "",
        report.service,
        report.severity,
        Report.Lane.RESTRICTED.value if was_restricted else report.lane,
        report.count,
        bulk.spelled(checked.first_seen_at),
        bulk.spelled(checked.last_seen_at),
        at,
        before.version + 1 if before is not None else 1,
        checked.content,
        version.salt,
        version.stamp.seq,
    )


def join_holdings(joins: Sequence[tuple[int, int, bool]]) -> None:
    """Join reports and holdings; only an updated report may have been joined before."""
    bulk.insert(ReportHolding, ("report_id", "holding_id"), [(r, h) for r, h, again in joins if not again])
    again = [ReportHolding(report_id=r, holding_id=h) for r, h, again in joins if again]
    ReportHolding.objects.bulk_create(again, ignore_conflicts=True)


def fresh_receipts(written: Sequence[Version], placement: Placement) -> dict[str, wire.Receipt]:
    """Receipts from the placement alone: no tile is read."""
    assert placement.head is not None  # noqa: S101 (an act with entries is always signed)
    receipts, paths = {}, placement.paths()
    for version in written:
        report, offset = version.checked.report, version.stamp.seq - placement.first_seq
        receipts[report.attack_id] = wire.Receipt(
            schema="tocsin-receipt/1",
            report_id=version.report_id,
            attack_id=report.attack_id,
            content=msgspec.Raw(version.checked.content),
            salt=version.salt.hex(),
            entry=placement.entries[offset],
            path=paths[offset],
            head=placement.head,
        )
    return receipts


def stored_receipts(versions: Iterable[Version]) -> dict[str, wire.Receipt]:
    """The receipts of reports that were known already."""
    known = [
        version.before for version in versions if version.state == "known" and version.before is not None
    ]
    return {receipt.attack_id: receipt for receipt in queries.receipts(known)}


def answer(
    good: Sequence[tuple[int, Checked]],
    versions: dict[str, Version],
    receipts: dict[str, wire.Receipt],
    refusals: list[wire.Refusal],
) -> wire.Accepted:
    """The batch's answer in the order in which it was sent."""
    given, states = [], []
    for position, checked in good:
        version = versions[checked.report.attack_id]
        given.append(receipts[checked.report.attack_id])
        states.append(version.state if version.position == position else "known")
    return wire.Accepted(given, states, refusals)
