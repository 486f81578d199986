"""Reading reports, always through `visible_to(actor)`."""

from collections.abc import Sequence

import msgspec
from django.db.models import QuerySet

from tocsin.access.policy import Actor
from tocsin.intake.models import Report
from tocsin.journal import queries as journal
from tocsin.wire import report as wire


def visible_to(actor: Actor) -> QuerySet[Report]:
    """The reports of the members that somebody acts for; nobody sees none.

    The restricted lane is no exception here, because a member knows what it reported. Units see reports
    through their cases.
    """
    return Report.objects.filter(member__in=[member.pk for member in actor.members])


def receipt(report: Report) -> wire.Receipt:
    """The receipt of a report's current version, made again: the same to the byte as the first."""
    return receipts([report])[0]


def receipts(reports: Sequence[Report]) -> list[wire.Receipt]:
    """The receipts of several reports, in their order."""
    proofs = journal.proofs([report.entry_seq for report in reports])
    return [_receipt(report, proofs[report.entry_seq]) for report in reports]


def _receipt(report: Report, proof: journal.Proof) -> wire.Receipt:
    return wire.Receipt(
        schema="tocsin-receipt/1",
        report_id=report.report_id,
        attack_id=report.attack_id,
        content=msgspec.Raw(bytes(report.content)),
        salt=bytes(report.salt).hex(),
        entry=proof.entry,
        path=proof.path,
        head=proof.head,
    )
