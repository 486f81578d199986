"""Taking reports."""

import msgspec
import pytest
from tests.exchange import a_key, a_member, a_report, spelled

from tocsin.access.policy import NOBODY
from tocsin.intake import queries, services
from tocsin.intake.models import EarlierVersion, Report, ReportHolding
from tocsin.inventory.models import Holding
from tocsin.journal import keys
from tocsin.journal.acts import act
from tocsin.journal.models import Entry
from tocsin.journal.queries import audit
from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.hashing import commitment
from tocsin.kernel.problems import BadInput, NotSignedIn
from tocsin.kernel.time import now
from tocsin.proof import merkle, signing
from tocsin.wire import report as wire

pytestmark = pytest.mark.django_db


def holds(receipt: wire.Receipt) -> bool:
    """The offline check, step by step."""
    signing.check_head(receipt.head, keys.public_key())
    committed = commitment(bytes.fromhex(receipt.salt), bytes(receipt.content)).hex()
    path = [bytes.fromhex(node) for node in receipt.path]
    leaf = merkle.leaf_hash(canonical_bytes(receipt.entry))
    root = merkle.root_from_path(leaf, receipt.entry.seq, receipt.head.tree_size, path)
    return committed == receipt.entry.commitment and root.hex() == receipt.head.root


def test_every_report_of_a_batch_gets_a_receipt_that_holds_offline() -> None:
    """Three batches of odd sizes: each receipt opens its commitment and leads to its signed head."""
    actor = a_key()
    for size in (1, 2, 7, 300):
        accepted = services.submit(actor, [spelled(a_report()) for _ in range(size)])
        assert accepted.states == ["new"] * size
        assert accepted.refusals == []
        assert all(holds(receipt) for receipt in accepted.receipts)
    assert audit() == []


def test_a_report_sent_again_changes_nothing_and_gives_the_stored_receipt() -> None:
    """The same count, or a lower one: known, with the same receipt to the byte."""
    actor, report = a_key(), a_report(count=9)
    first = services.submit(actor, [spelled(report)])
    services.submit(actor, [spelled(a_report())])
    again = services.submit(actor, [spelled(report)])
    lower = services.submit(actor, [spelled(msgspec.structs.replace(report, count=3))])
    assert again.states == lower.states == ["known"]
    assert msgspec.json.encode(again.receipts[0]) == msgspec.json.encode(first.receipts[0])
    assert lower.receipts == again.receipts
    assert Report.objects.get(attack_id=report.attack_id).count == 9


def test_a_higher_count_is_a_new_version_and_the_earlier_one_is_kept() -> None:
    """The report keeps its id; the replaced content stays beside its entry."""
    actor, report = a_key(), a_report(count=9)
    first = services.submit(actor, [spelled(report)]).receipts[0]
    accepted = services.submit(actor, [spelled(msgspec.structs.replace(report, count=10))])
    assert accepted.states == ["updated"]
    assert accepted.receipts[0].report_id == first.report_id
    assert holds(accepted.receipts[0])
    stored, earlier = Report.objects.get(report_id=first.report_id), EarlierVersion.objects.get()
    assert (stored.version, stored.count, earlier.version, earlier.entry_seq) == (2, 10, 1, first.entry.seq)
    assert bytes(earlier.content) == bytes(first.content)
    assert queries.receipt(stored) == accepted.receipts[0]
    events = Entry.objects.filter(subject=first.report_id).order_by("seq").values_list("event", flat=True)
    assert list(events) == ["intake:report:received", "intake:report:updated"]
    assert audit() == []


def test_one_attack_twice_in_a_batch_is_one_report_of_the_highest_count() -> None:
    """The position with the highest count is new, the others known, all with one receipt."""
    actor, report = a_key(), a_report()
    counts = (5, 9, 9, 2)
    batch = [spelled(msgspec.structs.replace(report, count=count)) for count in counts]
    accepted = services.submit(actor, batch)
    assert accepted.states == ["known", "new", "known", "known"]
    assert len({receipt.entry.seq for receipt in accepted.receipts}) == 1
    assert Report.objects.get().count == 9


def test_one_refusal_stops_no_other_report() -> None:
    """Refusals name their position; the rest is taken in order."""
    good = [spelled(a_report()) for _ in range(2)]
    accepted = services.submit(a_key(), [b"{", good[0], b'{"attack_id":1}', good[1], b"\xff"])
    assert [refusal.position for refusal in accepted.refusals] == [0, 2, 4]
    assert accepted.states == ["new", "new"]
    assert Report.objects.count() == 2


def test_two_members_may_report_the_same_attack() -> None:
    """Idempotency is scoped to the member; neither learns of the other."""
    report = spelled(a_report())
    one, other = services.submit(a_key(), [report]), services.submit(a_key(), [report])
    assert one.states == other.states == ["new"]
    assert one.receipts[0].report_id != other.receipts[0].report_id


def test_holdings_are_recorded_once_and_joined_to_each_report() -> None:
    """Many reports name one log: one holding, its period spanning all that was said."""
    member = a_member()
    actor = a_key(member)
    early, late = (
        ("2026-11-01T00:00:00Z", "2026-11-10T00:00:00Z"),
        ("2026-11-05T00:00:00Z", "2026-11-20T00:00:00Z"),
    )
    held = [wire.Holding("auth", "portal-login", *period) for period in (early, late, early)]
    services.submit(actor, [spelled(a_report(holdings=(holding,))) for holding in held])
    services.submit(
        actor, [spelled(a_report(holdings=(held[0], wire.Holding("mail", "mail-transport", *late))))]
    )
    auth = Holding.objects.get(member=member, source_id="auth")
    assert (auth.period_from.day, auth.period_to.day) == (1, 20)
    assert Holding.objects.count() == 2
    assert ReportHolding.objects.filter(holding=auth).count() == 4


def test_an_update_may_name_the_same_holding_again() -> None:
    """A join that exists is left alone."""
    actor = a_key()
    report = a_report(
        holdings=(wire.Holding("auth", "portal-login", "2026-11-01T00:00:00Z", "2026-11-10T00:00:00Z"),)
    )
    services.submit(actor, [spelled(report)])
    services.submit(actor, [spelled(msgspec.structs.replace(report, count=99))])
    assert ReportHolding.objects.count() == 1


def test_a_restricted_report_stays_restricted() -> None:
    """A later version cannot lift the restriction."""
    actor, report = a_key(), a_report(lane="restricted")
    services.submit(actor, [spelled(report)])
    services.submit(actor, [spelled(msgspec.structs.replace(report, lane="ordinary", count=99))])
    assert Report.objects.get().lane == "restricted"


def test_a_status_moves_updated_at_past_everything_before() -> None:
    """Whoever follows `updated_since` sees the change, whatever instant the caller named."""
    actor = a_key()
    receipt = services.submit(actor, [spelled(a_report())]).receipts[0]
    newest = services.submit(actor, [spelled(a_report())]).receipts[0]
    report = Report.objects.get(report_id=receipt.report_id)
    with act() as recorded:
        services.set_status([report.pk], "X-INV", report.updated_at)
        recorded.record("test:report:moved", report.report_id, {})
    report.refresh_from_db()
    assert report.status == "X-INV"
    assert report.updated_at > Report.objects.get(report_id=newest.report_id).updated_at


def test_nobody_may_report() -> None:
    """Without a key there is nothing to report for."""
    with pytest.raises(NotSignedIn):
        services.submit(NOBODY, [spelled(a_report())])


def test_too_large_a_batch_is_refused_whole() -> None:
    """A thousand reports are the limit of one request."""
    with pytest.raises(BadInput):
        services.submit(a_key(), [b"{}"] * 1001)


def test_members_see_their_own_reports_alone() -> None:
    """Another member's report is not there."""
    mine, theirs = a_key(), a_key()
    services.submit(mine, [spelled(a_report())])
    assert queries.visible_to(mine).count() == 1
    assert queries.visible_to(theirs).count() == 0
    assert queries.visible_to(NOBODY).count() == 0


def test_the_received_instant_is_the_journals() -> None:
    """What the report says and what the entry says about when is one value."""
    before = now()
    receipt = services.submit(a_key(), [spelled(a_report())]).receipts[0]
    stored = Report.objects.get()
    assert stored.received_at == stored.updated_at == Entry.objects.get(seq=receipt.entry.seq).at
    assert before <= stored.received_at <= now()
