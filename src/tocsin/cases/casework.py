"""One case, as its unit, its coordinator or an officer with a one-time link sees it."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tocsin.access.policy import Actor, may, require
from tocsin.cases import clocks, parts, reach, sealing, states, words
from tocsin.cases.answers import missing_logs, prepared_reason, prepared_words
from tocsin.cases.models import Case, Clock, Decision, Link, OneTimeLink, Outcome
from tocsin.cases.nationwide import current_units
from tocsin.cases.newest import Newest, case_facts, networks_of, newest_of
from tocsin.cases.responders import Responder
from tocsin.cases.units import current_pack
from tocsin.cases.views import (
    Act,
    AnswerForm,
    CaseView,
    ClockView,
    HelpChoice,
    HoldingView,
    LinkView,
    OneTimeLinkView,
    OutcomeChoice,
    OutcomeView,
    PacketView,
    StatusChoice,
    UnitChoice,
)
from tocsin.inventory.models import Holding
from tocsin.journal import queries as journal
from tocsin.kernel.problems import NotAllowed, NotFound
from tocsin.kernel.time import now
from tocsin.reference.values import Pack
from tocsin.store import fence

LINKS = 50
MOST_CLOCKS = 30
BUTTONS: tuple[Act, ...] = ("accept", "assess", "answer", "withdraw", "redirect", "detach", "ask", "update")


def fetch_case(actor: Actor, case_id: str) -> Case:
    """The case, for whoever may see it. Raises NotFound for anybody else: they may not know of it."""
    require(actor, "case.read")
    found = (
        reach.visible_to(actor)
        .select_related("investigating_unit", "support_unit", "coordinator", "owner")
        .filter(case_id=case_id)
        .first()
    )
    if found is None:
        sealing.raise_if_sealed(actor, case_id)
        raise NotFound("there is no such case, or it is not yours to see")
    fence.judge([found.pk])
    return found


@dataclass(frozen=True)
class CaseReading:
    """A case with its page, and what was read for it: its newest reports and its logs.

    `sees` says whether the reader may know what the reports say; `newest` is None where not.
    """

    case: Case
    view: CaseView
    sees: bool
    newest: Newest | None
    logs: tuple[Holding, ...]


def case_view(actor: Actor, case_id: str, at: dt.datetime | None = None, links_page: int = 1) -> CaseView:
    """One case on one page, with one page of its linked reports. Raises NotSignedIn, NotAllowed, NotFound."""
    return read_case(actor, case_id, at, links_page).view


def read_case(actor: Actor, case_id: str, at: dt.datetime | None = None, links_page: int = 1) -> CaseReading:
    """The same, with the case itself and what was read for its page."""
    case = fetch_case(actor, case_id)
    try:
        by: Responder | None = Responder.of_seen(actor, case)
    except NotAllowed:
        by = None  # the support unit reads along
    sees = reach.reads_lane(actor, case)
    return _read(case, by, at or now(), actor=actor, sees=sees, links_page=links_page)


def case_by_link(link: OneTimeLink, at: dt.datetime | None = None) -> CaseView:
    """The case that a one-time link opens; before a name was given, the one act is to accept."""
    by = Responder(link.officer_name, link.case.investigating_unit, None, link)
    return _read(link.case, by, at or now(), actor=None, sees=True).view


def _read(
    case: Case,
    by: Responder | None,
    at: dt.datetime,
    *,
    actor: Actor | None,
    sees: bool,
    links_page: int = 1,
) -> CaseReading:
    pack = current_pack()
    status = pack.statuses.get(case.status)
    newest = newest_of(case) if sees else None
    networks = newest.networks if newest is not None else ()
    logs = logs_of(case)
    holdings = tuple(parts.holding_view(pack, log, at) for log in logs) if sees else ()
    outcome = outcome_of(pack, case)
    acts = allowed_acts(pack, case, by, actor, outcome, at)
    view = CaseView(
        case_id=case.case_id,
        sentence=sentence(pack, case, networks, holdings),
        title=case.title,
        kind=case.kind,
        kind_words=words.capital(pack.kind_words(case.kind)),
        severity=case.severity,
        lane=case.lane,
        status=case.status,
        status_words=status.words if status else case.status,
        opened_at=case.opened_at,
        closed_at=case.closed_at,
        owner=parts.owner_view(case),
        route=parts.route_view(pack, case),
        unit_words=parts.unit_words(case),
        coordinator_name=case.coordinator.name if case.coordinator else "",
        proposal_words=proposal(case),
        report_count=case.report_count,
        member_count=case.member_count,
        networks=networks,
        clocks=clock_views(pack, case, at),
        holdings=holdings,
        links=link_views(pack, case, links_page) if sees else (),
        timeline=parts.timeline(pack, journal.history([case.case_id]), "unit"),
        decisions=tuple(
            parts.decision_view(pack, decision)
            for decision in Decision.objects.filter(case=case).select_related("unit").order_by("at")
        ),
        outcome=outcome,
        one_time_links=one_time_links(case, at) if by is not None and by.party == "coordinator" else (),
        acts=acts,
        form=answer_form(pack, case, by, acts, newest, logs),
    )
    return CaseReading(case, view, sees, newest, logs)


def sentence(pack: Pack, case: Case, networks: tuple[str, ...], holdings: tuple[HoldingView, ...]) -> str:
    """What it is about, in one line."""
    reports = words.many(case.report_count, "report")
    members = words.many(case.member_count, "provider")
    where = f" from {words.many(len(networks), 'network')}" if networks else ""
    first = min((held.delete_at for held in holdings if held.delete_at and not held.is_gone), default=None)
    held = f"; logs held until {words.when(pack, first)}" if first else ""
    return f"{reports} from {members} about {pack.kind_words(case.kind)}{where}{held}."


def proposal(case: Case) -> str:
    """What the exchange proposes; a person decides."""
    if case.severity == "info" and case.is_open:
        return (
            "Proposed: keep as intelligence, because everything in this group stayed below the threshold. "
            "Nobody is under a clock; one decision answers the whole group."
        )
    return ""


def holding_views(pack: Pack, case: Case, at: dt.datetime) -> tuple[HoldingView, ...]:
    """The logs behind the case, as a page says them."""
    return tuple(parts.holding_view(pack, log, at) for log in logs_of(case))


def logs_of(case: Case) -> tuple[Holding, ...]:
    """The logs behind the case, the first to be destroyed first."""
    return tuple(clocks.holdings_of(case).select_related("member").order_by("delete_at", "pk"))


def clock_views(pack: Pack, case: Case, at: dt.datetime) -> tuple[ClockView, ...]:
    """The case's clocks, running ones first, the first due first; of its reports' those that still run."""
    found = Clock.objects.filter(case=case).select_related("report").exclude(clock_id=clocks.ACKNOWLEDGE)
    running = list(found.filter(ended_at__isnull=True).order_by("due_at", "pk")[:MOST_CLOCKS])
    ended = list(
        found.filter(ended_at__isnull=False, report__isnull=True).order_by("-ended_at", "pk")[:MOST_CLOCKS]
    )
    unit = case.investigating_unit
    return tuple(
        parts.clock_view(pack, clock, unit, at, clock.report.report_id if clock.report else None)
        for clock in (*running, *ended)
    )


def link_views(pack: Pack, case: Case, number: int = 1) -> tuple[LinkView, ...]:
    """A page of the case's reports with their reasons, the newest first, those taken out last on each."""
    links = (
        Link.objects.filter(case=case)
        .select_related("report__member", "detached_by")
        .defer("report__content", "report__salt")
        .order_by("-linked_at", "-pk")
    )
    pages = max(1, -(-case.report_count // LINKS))
    first = (min(max(1, number), pages) - 1) * LINKS
    kept = links.filter(detached_at__isnull=True)
    if first > case.report_count // 2:  # what is nearer the end is counted from there
        last = max(0, case.report_count - first - LINKS)
        inside = list(kept.reverse()[last : case.report_count - first])[::-1]
    else:
        inside = list(kept[first : first + LINKS])
    outside = links.filter(detached_at__isnull=False).order_by("-detached_at", "-pk")[:LINKS]
    return tuple(parts.link_view(pack, link) for link in (*inside, *outside))


def outcome_of(pack: Pack, case: Case) -> OutcomeView | None:
    """The outcome that stands, or the one taken back last."""
    found = Outcome.objects.filter(case=case).select_related("unit").order_by("given_at").last()
    return parts.outcome_view(pack, found) if found else None


def one_time_links(case: Case, at: dt.datetime) -> tuple[OneTimeLinkView, ...]:
    """The links made for this case, newest first."""
    links = case.one_time_links.select_related("made_by").order_by("-made_at")
    return tuple(parts.one_time_link_view(link, at) for link in links)


def allowed_acts(
    pack: Pack,
    case: Case,
    by: Responder | None,
    actor: Actor | None,
    outcome: OutcomeView | None,
    at: dt.datetime,
) -> frozenset[Act]:
    """The buttons: what the state table and the policy let this actor do now."""
    if by is None:
        return frozenset()
    if by.link is not None and not by.link.officer_name:
        return frozenset({"accept"}) if case.is_open else frozenset()
    found = set(states.acts(pack, case.status, by.party))
    if "accept" in found:  # judging a case that nobody has is taking it
        found |= {"assess", "answer", "ask", "update"}
    if outcome is None or outcome.withdrawn_at is not None or at > outcome.may_withdraw_until:
        found.discard("withdraw")
    if case.report_count < 2:
        found.discard("detach")
    if by.link is not None:
        found -= {"redirect", "detach"}
    allowed: set[Act] = {name for name in BUTTONS if name in found and (actor is None or _may(actor, name))}
    can_link = actor is not None and may(actor, "link.make") and by.party == "coordinator"
    if can_link and case.is_open and not case.investigating_unit.has_joined:
        allowed.add("make_link")
    return frozenset(allowed)


def _may(actor: Actor, act: str) -> bool:
    return may(actor, f"case.{'answer' if act == 'withdraw' else act}")


def answer_form(
    pack: Pack,
    case: Case,
    by: Responder | None,
    acts: Iterable[str],
    newest: Newest | None,
    logs: Sequence[Holding],
) -> AnswerForm:
    """The choices for the forms, with words that have filled themselves; empty where nothing may be done."""
    acts = set(acts)
    status = states.ACCEPTED if "accept" in acts else case.status
    facts = case_facts(case, newest) if {"answer", "assess"} & acts and by is not None else None
    unit_id = by.unit.unit_id if by is not None else ""
    return AnswerForm(
        statuses=tuple(
            StatusChoice(target, pack.statuses[target].words, prepared_reason(pack.statuses[target], facts))
            for target in (states.targets(pack, "assess", status) if "assess" in acts else ())
        ),
        outcomes=tuple(
            OutcomeChoice(
                row.outcome_code,
                row.title,
                prepared_words(row, facts),
                row.needs_help,
                row.needs_receiving_body,
            )
            for row in pack.outcomes.values()
            if "answer" in acts and row.offered and (not row.only_units or unit_id in row.only_units)
        )
        if facts is not None
        else (),
        help_choices=help_choices(pack, logs) if facts and "answer" in acts else (),
        units=unit_choices(case) if "redirect" in acts else (),
    )


def help_choices(pack: Pack, logs: Sequence[Holding]) -> tuple[HelpChoice, ...]:
    """What could have helped: the pack's list, and every type of log that none of the reporters held."""
    codes = [*pack.help, *missing_logs(pack, {log.log_type for log in logs})]
    return tuple(HelpChoice(code, pack.help_words(code)) for code in codes)


def unit_choices(case: Case) -> tuple[UnitChoice, ...]:
    """Where the case could go instead."""
    units = current_units(now().date()).exclude(pk=case.investigating_unit_id)
    return tuple(UnitChoice(*row) for row in units.values_list("unit_id", "name"))


def packet(case: Case, at: dt.datetime | None = None) -> PacketView:
    """The case to print and send by the unit's published route. Raises NotAllowed for the restricted lane."""
    at, pack = at or now(), current_pack()
    if case.lane != "ordinary":
        raise NotAllowed(
            "a restricted report is not printed by the exchange",
            hint="make a one-time link: only the police unit and the hotline read it",
        )
    facts = case_facts(case)
    kind = pack.kinds.get(case.kind)
    networks, holdings = networks_of(case), holding_views(pack, case, at)
    return PacketView(
        case_id=case.case_id,
        made_at=at,
        sentence=sentence(pack, case, networks, holdings),
        unit=parts.unit_view(case.investigating_unit),
        support_unit=parts.unit_view(case.support_unit),
        route_reason=words.capital(case.route_reason),
        coordinator_name=case.coordinator.name if case.coordinator else "",
        severity=case.severity,
        kind_words=words.capital(pack.kind_words(case.kind)),
        offence_words=" ".join(filter(None, (kind.offence_code, kind.offence_title))) if kind else "",
        law_words=kind.legal_ref if kind else "",
        first_seen_at=facts.first_seen_at if facts else case.opened_at,
        last_seen_at=facts.last_seen_at if facts else case.opened_at,
        attempts=facts.attempts if facts else 0,
        networks=networks,
        links=tuple(view for view in link_views(pack, case) if view.detached_at is None),
        holdings=holdings,
        clocks=tuple(view for view in clock_views(pack, case, at) if view.is_running),
        national_service_words=pack.info.national_service_words,
        report_count=case.report_count,
    )
