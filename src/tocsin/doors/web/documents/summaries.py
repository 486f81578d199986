"""Summaries to print: a case for its unit, a report for who sent it. They say what the pages say."""

import datetime as dt
from collections.abc import Iterable

from tocsin.cases.papers.facts import spelled
from tocsin.cases.views import (
    CaseView,
    ClockView,
    HoldingView,
    LinkView,
    PacketView,
    ReportView,
    TimelineItem,
)
from tocsin.doors.web.documents import Block, Paper

CAVEAT = (
    "A summary from the exchange. What it says can be checked against the journal: a receipt proves each "
    "report, and the position below says how much of the journal this page knew."
)


def of_case(view: CaseView, position: int) -> Paper:
    """A case as its unit sees it."""
    owner, end = view.owner, view.outcome
    known = (
        ("What", view.kind_words),
        ("Severity", view.severity),
        ("Status", view.status_words),
        ("Opened", spelled(view.opened_at)),
        ("Closed", spelled(view.closed_at) or "open"),
        (
            "Owner",
            f"{owner.name}, {owner.unit_name}, since {spelled(owner.since)}" if owner else "nobody yet",
        ),
        ("Investigating unit", view.route.investigating_unit.name),
        ("Support unit", view.route.support_unit.name),
        ("Why there", view.route.reason),
        ("Networks", "\n".join(view.networks) or "none that can be trusted"),
    )
    outcome = ((end.title, end.words),) if end is not None and end.withdrawn_at is None else ()
    return Paper(
        title=view.title,
        kicker=f"Case {view.case_id}",
        lead=view.sentence,
        foot=f"{view.case_id} · journal position {position}",
        caveat=CAVEAT,
        blocks=(
            Block("The case", "fields", known),
            Block("Outcome", "fields", outcome, empty="No outcome was given yet."),
            Block("Decisions", "fields", tuple(_decided(view)), empty="Nobody has decided yet."),
            _clocks(view.clocks),
            _holdings(view.holdings),
            _reports(view.links, view.report_count),
            _timeline(view.timeline),
        ),
    )


def of_packet(packet: PacketView, address: str, expires_at: dt.datetime, position: int) -> Paper:
    """A case for a unit that has not joined, with the link by which an officer answers it."""
    known = (
        ("What", packet.kind_words),
        ("Severity", packet.severity),
        ("Offence", " ".join(filter(None, (packet.offence_words, packet.law_words))) or "none of its own"),
        ("First and last seen", f"{spelled(packet.first_seen_at)}\n{spelled(packet.last_seen_at)}"),
        ("Attempts", f"{packet.attempts:,}"),
        ("Networks", "\n".join(packet.networks) or "none that can be trusted"),
        ("Why you", packet.route_reason),
        ("Support unit", packet.support_unit.name),
        ("Coordinator", packet.coordinator_name or "not named"),
    )
    link = (
        ("Open", address),
        ("Until", spelled(expires_at)),
        (
            "What it does",
            "It opens this one case, without an account. Keep it to yourself.",
        ),
    )
    return Paper(
        title=f"For {packet.unit.name}",
        kicker=f"Case {packet.case_id}",
        lead=packet.sentence,
        foot=f"{packet.case_id} · journal position {position} · unofficial",
        caveat=packet.national_service_words,
        blocks=(
            Block("Take it and answer it here", "fields", link),
            Block("The case", "fields", known),
            _clocks(clock for clock in packet.clocks if clock.is_running),
            _holdings(packet.holdings),
            _reports(packet.links, packet.report_count),
        ),
    )


def of_report(view: ReportView, position: int) -> Paper:
    """A report as its member sees it: nothing of any other."""
    owner = f"{view.owner.name}, {view.owner.unit_name}" if view.owner else "nobody yet"
    known = (
        ("What", view.what),
        ("Status", f"{view.status_words}\n{view.status_explained}"),
        ("Who has it", owner),
        ("Attempts", f"{view.count:,}"),
        ("First and last seen", f"{spelled(view.first_seen_at)}\n{spelled(view.last_seen_at)}"),
        ("Received", spelled(view.received_at)),
        ("Journal entry", str(view.entry_seq)),
    )
    outcome = ((view.outcome.title, view.outcome.words),) if view.outcome else ()
    return Paper(
        title=view.what,
        kicker=f"Report {view.report_id}",
        lead=view.sentence,
        foot=f"{view.report_id} · journal position {position}",
        caveat=CAVEAT,
        blocks=(
            Block("The report", "fields", known),
            Block("Outcome", "fields", outcome, empty="No outcome was given yet."),
            _clocks(view.clocks),
            _holdings(view.holdings),
            Block("What you sent", "fields", view.sent),
            Block("What stayed with you", "fields", (("", view.held_back),)),
            _timeline(view.timeline),
        ),
    )


def _reports(links: Iterable[LinkView], count: int) -> Block:
    rows = tuple(
        (
            link.report_id,
            link.member_name,
            link.what,
            link.target,
            f"{link.count:,}",
            spelled(link.first_seen_at),
            link.reason,
        )
        for link in links
        if link.detached_at is None
    )
    few = f" ({len(rows):,} of {count:,})" if count > len(rows) else ""
    heads = ("Report", "From", "What", "On", "Attempts", "First seen", "Why here")
    return Block(f"Reports{few}", "table", rows, heads)


def _decided(view: CaseView) -> Iterable[tuple[str, ...]]:
    for one in view.decisions:
        who = f"{spelled(one.at)}\n{one.by}, {one.unit_name}"
        yield who, f"{one.status_words}. {one.reason}"


def _clocks(clocks: Iterable[ClockView]) -> Block:
    rows = tuple(
        (clock.what, spelled(clock.due_at), clock.state, f"{clock.why}; {clock.law.legal_ref}")
        for clock in clocks
    )
    return Block("What is or was due", "table", rows, ("What", "By", "State", "Why"), "Nothing is due.")


def _holdings(holdings: Iterable[HoldingView]) -> Block:
    rows = tuple(
        (
            held.log_words,
            held.member_name,
            f"{spelled(held.period_from)}\n{spelled(held.period_to)}",
            spelled(held.delete_at) or "no date given",
            held.clock_words,
        )
        for held in holdings
    )
    heads = ("Log", "Held by", "Period", "Destroyed", "Clock")
    return Block("Logs that are held", "table", rows, heads, "No log was named.")


def _timeline(items: Iterable[TimelineItem]) -> Block:
    rows = tuple((spelled(item.at), str(item.seq), item.words, item.by or "the exchange") for item in items)
    return Block("What happened", "table", rows, ("When", "Entry", "What", "By"), "Nothing yet.")
