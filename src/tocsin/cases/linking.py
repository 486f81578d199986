"""Linking: a report joins an open case that shares one of its keys, or opens one.

Set-based: a batch of 500 reports costs the same number of queries as one.
"""

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence

import msgspec

from tocsin.access.models import Member
from tocsin.cases import clocks, states, triage, words
from tocsin.cases.hints import hints_of
from tocsin.cases.keys import Key, keys_of
from tocsin.cases.models import Case
from tocsin.cases.opening import Desk, Placed, arrival_status, clear_desk, new_case
from tocsin.cases.suggesting import suggest
from tocsin.intake.models import Report
from tocsin.intake.services import set_status
from tocsin.journal.acts import act
from tocsin.kernel.time import now
from tocsin.store import bulk, locks
from tocsin.store.rows import fetch
from tocsin.wire import report as wire

BATCH = 1_000
LINKED = "SELECT report_id, case_id FROM cases_link WHERE detached_at IS NULL AND report_id = ANY(%s)"
FOUND = "SELECT case_id, origin FROM cases_caseorigin WHERE origin = ANY(%s)"
FINDABLE = """
(closed_at IS NULL OR outcome_code = ANY(%s) OR id = ANY(%s)) AND id = ANY(%s) ORDER BY id
"""
_decoder = msgspec.json.Decoder(wire.Report)


def link_reports(report_pks: Iterable[int], at: dt.datetime | None = None) -> None:
    """Link new reports and refresh the cases of known ones. Running it twice changes nothing."""
    todo = iter(sorted(set(report_pks)))
    while batch := list(itertools.islice(todo, BATCH)):
        with act() as recorded:
            locks.in_turn("linking")
            _link(Desk.laid(recorded, at or now()), batch)


def _link(desk: Desk, report_pks: Sequence[int]) -> None:
    reports = reports_at_hand(report_pks)
    known: dict[int, int] = {row[0]: row[1] for row in bulk.select(LINKED, list(report_pks))}
    new = [report for report in reports if report.pk not in known]
    content = {report.pk: read(report) for report in reports}
    incoming = [(report, content[report.pk][0]) for report in divert(desk, new)]
    cases = find_cases(desk, incoming, known.values())
    placed = [place(desk, report, keys, cases) for report, keys in incoming]
    for case_pk in set(known.values()):
        reopen_if_closed(desk, cases[case_pk])
    touched = {id(item.case): item.case for item in placed}
    touched |= {id(cases[case_pk]): cases[case_pk] for case_pk in known.values()}
    if touched:
        again = [(cases[known[report.pk]], report) for report in reports if report.pk in known]
        clear_desk(desk, placed, list(touched.values()), known=again)
        joined = [(item.case, item.report) for item in placed]
        triage.assess(desk, list(touched.values()), [*joined, *again])
        suggest(desk, [(case, content[report.pk][1]) for case, report in (*joined, *again) if case.is_open])


def reports_at_hand(report_pks: Sequence[int]) -> list[Report]:
    """The reports in order, each with its member."""
    reports = fetch(Report, "id = ANY(%s) ORDER BY id", list(report_pks))
    wanted = list({report.member_id for report in reports})
    members = {member.pk: member for member in fetch(Member, "id = ANY(%s)", wanted)}
    for report in reports:
        report.member = members[report.member_id]
    return reports


def divert(desk: Desk, new: Sequence[Report]) -> list[Report]:
    """Set aside what is no matter for police; gives the rest."""
    rest, diverted = [], []
    for report in new:
        kind = desk.pack.kinds.get(report.kind)
        if kind is None or kind.handling == "case" or report.lane == Report.Lane.RESTRICTED:
            rest.append(report)
        elif report.status != states.DIVERTED:
            diverted.append(report)
            body = desk.pack.body_for(report.kind)
            to, does = (body.name, body.words) if body is not None else ("", "")
            reason = words.DIVERTED[kind.handling].format(kind=kind.words, body=to, does=does)
            desk.recorded.record("cases:report:diverted", report.report_id, {"reason": reason, "to": to})
    if diverted:
        clocks.insert(clocks.acknowledged(desk.pack, report, None) for report in diverted)
        set_status([report.pk for report in diverted], states.DIVERTED, desk.at)
    return rest


def report_keys(report: Report) -> list[Key]:
    """The keys of a report, from its content as received."""
    return read(report)[0]


def read(report: Report) -> tuple[list[Key], list[Key]]:
    """The keys and the hints of a report, from its content as received."""
    told = _decoder.decode(bytes(report.content))
    flood = bool(told.vector)
    keys = keys_of(
        member_id=report.member.member_id,
        lane=report.lane,
        kind=report.kind,
        severity=report.severity,
        origins=told.origins,
        target=report.target,
        first_seen_at=report.first_seen_at,
        is_flood=flood,
        names=told.names,
    )
    hints = hints_of(
        lane=report.lane,
        kind=report.kind,
        severity=report.severity,
        origins=told.origins,
        first_seen_at=report.first_seen_at,
        fingerprint=told.fingerprint,
        is_flood=flood,
        names=told.names,
    )
    return keys, hints


def find_cases(
    desk: Desk, incoming: Sequence[tuple[Report, list[Key]]], known: Iterable[int]
) -> dict[int | str, Case]:
    """The cases at hand, locked: by primary key, and by each key of `incoming` that one can be found under.

    An open case comes before one that may be reopened, the older before the newer.
    """
    texts = {key.text for _, keys in incoming for key in keys}
    origins = bulk.select(FOUND, list(texts)) if texts else []
    known, wanted = set(known), {case_pk for case_pk, _ in origins}
    wanted |= known
    rows = (
        fetch(Case, FINDABLE, list(desk.pack.reopenable), list(known), list(wanted), lock=True)
        if wanted
        else []
    )
    desk.seat(rows)
    by_pk = {case.pk: case for case in rows}
    cases: dict[int | str, Case] = {case.pk: case for case in rows}
    # Those that are not at hand were closed for good.
    desk.found = {(case_pk, origin) for case_pk, origin in origins if case_pk in by_pk}
    order = sorted(desk.found, key=lambda pair: (not by_pk[pair[0]].is_open, by_pk[pair[0]].opened_at))
    for case_pk, origin in order:
        if by_pk[case_pk].is_open or by_pk[case_pk].outcome_code in desk.pack.reopenable:
            cases.setdefault(origin, by_pk[case_pk])
    return cases


def place(desk: Desk, report: Report, keys: list[Key], cases: dict[int | str, Case]) -> Placed:
    """Give a report its case, opening or reopening one where needed; the next reports find it there."""
    match = next((key for key in keys if key.text in cases), None)
    if match is None:
        placed = Placed(report, keys, new_case(desk, report), "opened the case", 100)
    else:
        placed = Placed(report, keys, cases[match.text], match.reason, match.strength)
        reopen_if_closed(desk, placed.case)
    for key in keys:
        cases.setdefault(key.text, placed.case)
    return placed


def reopen_if_closed(desk: Desk, case: Case) -> None:
    """A case closed for want of a suspect opens again when more comes in that matches."""
    if case.is_open or case.outcome_code not in desk.pack.reopenable:
        return
    was = case.outcome_code
    case.closed_at, case.outcome_code, case.owner, case.owner_name, case.owned_at = None, "", None, "", None
    case.status = arrival_status(case.investigating_unit)
    desk.reopened.append(case)
    content = {"outcome_code": was, "unit": case.investigating_unit.name}
    desk.recorded.record("cases:case:reopened", case.case_id, content)
