"""What a case can say on a form: one function for each source that the pack's forms may name.

Each gives the text for one field, "" where the exchange does not know it. Only what the reports, the holdings
and the journal hold; the address of a provider's own customer never appears (it came as a token).
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from tocsin.cases import casework, newest
from tocsin.cases.answers import CaseFacts
from tocsin.cases.keys import normal
from tocsin.cases.models import Case, Link
from tocsin.cases.papers.crime_numbers import number_of
from tocsin.cases.views import HoldingView
from tocsin.intake.models import Report
from tocsin.reference.values import Pack

MOST = 200  # origins, reports and logs that a form lists; it says how many more there are


@dataclass(frozen=True)
class Matter:
    """A case, read once for all fields of a form."""

    case: Case
    pack: Pack
    at: dt.datetime
    reports: tuple[Report, ...] = field(default=())

    @classmethod
    def of(cls, case: Case, pack: Pack, at: dt.datetime) -> "Matter":
        """The case with its reports, oldest first."""
        links = Link.objects.filter(case=case, detached_at__isnull=True).select_related("report__member")
        oldest = [link.report for link in links.order_by("linked_at", "pk")[:MOST]]
        reports = tuple(sorted(oldest, key=lambda report: (report.received_at, report.pk)))
        return cls(case, pack, at, reports=reports)

    @cached_property
    def read(self) -> newest.Newest:
        """The newest reports, and where they came from."""
        return newest.newest_of(self.case)

    @cached_property
    def facts(self) -> CaseFacts | None:
        """Sums over all reports; None where the case has none left."""
        return newest.case_facts(self.case, self.read)

    @cached_property
    def networks(self) -> tuple[str, ...]:
        """The networks that the attacks came from."""
        return self.read.networks

    @cached_property
    def holdings(self) -> tuple[HoldingView, ...]:
        """The logs behind it."""
        return casework.holding_views(self.pack, self.case, self.at)


def spelled(at: dt.datetime | None) -> str:
    """`2026-11-20 01:02:03 UTC`, whole seconds; "" for None."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC" if at is not None else ""


def listed(values: list[str], whole: int | None = None) -> str:
    """One a line, each once; the last line says how many more there are."""
    found = list(dict.fromkeys(value for value in values if value))
    more = (whole or len(found)) - len(found[:MOST])
    return "\n".join([*found[:MOST], *([f"and {more:,} more"] if more > 0 else [])])


def account(matter: Matter) -> str:
    """What happened, in sentences that an officer can leave as they are."""
    case, facts = matter.case, matter.facts
    what = matter.pack.kind_words(case.kind)
    lines = [casework.sentence(matter.pack, case, matter.networks, matter.holdings)]
    if facts is not None:
        lines.append(
            f"{facts.attempts_words} attempts ({what}) were counted between "
            f"{spelled(facts.first_seen_at)} and {spelled(facts.last_seen_at)}."
        )
    on = sorted({report.service for report in matter.reports if report.service not in ("", "-")})
    if on:
        lines.append(f"Attacked: {', '.join(on)}.")
    lines.append(
        "Reported by providers from their own logs, which stay with them; each report has a signed receipt."
    )
    return " ".join(lines)


def origins(matter: Matter) -> str:
    """Addresses and names, one a line; a provider's own customers stay the provider's."""
    own = sum(report.origin.startswith("token:") for report in matter.reports)
    shown = [normal(report.origin) for report in matter.reports if not report.origin.startswith("token:")]
    said = "a provider's own customer, whose name it may only disclose to a lawful request" if own else ""
    return listed([*shown, said])


def logs(matter: Matter) -> str:
    """Which logs are held, by whom and until when."""
    return listed(
        [
            f"{held.log_words}, {held.member_name}: {spelled(held.period_from)} to "
            f"{spelled(held.period_to)}; destroyed {spelled(held.delete_at) or 'at a date not given'}"
            for held in matter.holdings
        ]
    )


def offence(matter: Matter) -> str:
    """Code and title of the principal offence."""
    kind = matter.pack.kinds.get(matter.case.kind)
    return " ".join(filter(None, (kind.offence_code, kind.offence_title))) if kind else ""


def law(matter: Matter) -> str:
    """The provision that the kind of attack falls under."""
    kind = matter.pack.kinds.get(matter.case.kind)
    return kind.legal_ref if kind else ""


def online(matter: Matter) -> str:
    """Was it done online? Everything that a computer is attacked with is."""
    kind = matter.pack.kinds.get(matter.case.kind)
    return {"dependent": "yes", "enabled": "yes"}.get(kind.cyber, "") if kind else ""


def member_forces(matter: Matter) -> str:
    """Each organisation with the police area of its seat."""
    units = matter.pack.units
    return listed(
        [
            f"{report.member.name}: {units[report.member.force_id].name}"
            for report in matter.reports
            if report.member.force_id in units
        ]
    )


def receipts(matter: Matter) -> str:
    """Report ids with the journal positions by which anybody can have them proved."""
    lines = [f"{report.report_id} (journal {report.entry_seq})" for report in matter.reports]
    return listed(lines, matter.case.report_count)


def units(matter: Matter) -> str:
    """Who investigates and who supports."""
    case = matter.case
    return f"{case.investigating_unit.name} investigates; {case.support_unit.name} supports the victim"


SOURCES: dict[str, Callable[[Matter], str]] = {
    "members": lambda matter: listed([report.member.name for report in matter.reports]),
    "member_forces": member_forces,
    "offence": offence,
    "law": law,
    "online": online,
    "account": account,
    "first_seen": lambda matter: spelled(matter.facts.first_seen_at) if matter.facts else "",
    "last_seen": lambda matter: spelled(matter.facts.last_seen_at) if matter.facts else "",
    "period": lambda matter: (
        f"{spelled(matter.facts.first_seen_at)} to {spelled(matter.facts.last_seen_at)}"
        if matter.facts
        else ""
    ),
    "attempts": lambda matter: matter.facts.attempts_words if matter.facts else "",
    "services": lambda matter: listed(
        [report.service for report in matter.reports if report.service not in ("", "-")]
    ),
    "origins": origins,
    "networks": lambda matter: listed(list(matter.networks)),
    "severity": lambda matter: matter.case.severity,
    "holdings": logs,
    "receipts": receipts,
    "units": units,
    "crime_number": lambda matter: number_of(matter.case),
    "made_at": lambda matter: spelled(matter.at),
    "investigating": lambda matter: matter.case.investigating_unit.name,
    "subject": lambda matter: matter.case.title,
    # A provider that reads its own logs knows directly; nobody has tested it as a source yet.
    "source_grade": lambda matter: "2",
    "information_grade": lambda matter: "A" if matter.case.member_count else "D",
    "handling_code": lambda matter: "C",
    "handling_words": lambda matter: (
        "TLP:AMBER: for the receiving organisation and those whom it must warn; "
        "never say which provider reported it"
    ),
    "provenance": lambda matter: (
        f"{matter.case.report_count:,} reports of {matter.case.member_count:,} providers through the "
        f"exchange, case {matter.case.case_id}"
    ),
}
