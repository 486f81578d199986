"""A line of enquiry, a threat to life, many reports, and units that end: the case goes where it belongs."""

import datetime as dt

import msgspec
import pytest
from django.test import Client
from tests.cases.town import NOON, Town

from tocsin import reference
from tocsin.access.models import Role, Unit
from tocsin.cases import clocks
from tocsin.cases.audit import check_cases
from tocsin.cases.models import Case, Clock
from tocsin.cases.services import (
    Responder,
    accept_case,
    load_units,
    redirect_case,
    state_enquiry,
    state_threat_to_life,
)
from tocsin.cases.succeeding import succeed
from tocsin.journal.models import Entry
from tocsin.kernel.problems import BadInput, Conflict

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
LAST_DAY = dt.date(2026, 12, 31)
EVE = dt.datetime(2026, 12, 31, 12, tzinfo=dt.UTC)
AFTER = dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC)


def by(town: Town, name: str, case: Case) -> Responder:
    """Somebody, as who they are to the case."""
    return Responder.of(town.actor(name), case)


def test_a_line_of_enquiry_takes_the_case_to_the_force_where_it_is(town: Town) -> None:
    """The victim's force supports it; owner and clocks are as after a redirect; who said why is journaled."""
    case = town.case_of(town.report())
    accept_case(case, by(town, "olive", case), NOON)
    due = Clock.objects.get(case=case, clock_id=clocks.UPDATE, ended_at=None).due_at
    olive = by(town, "olive", case)
    for _ in range(2):
        state_enquiry(case, olive, "essex", "a lead", NOON + HOUR)
    case.refresh_from_db()
    assert (case.investigating_unit.unit_id, case.support_unit.unit_id) == ("essex", "kent")
    assert (case.route_rule, case.owner_name, case.coordinator) == (
        "line-of-enquiry",
        "",
        town.people["cora"],
    )
    assert Clock.objects.get(case=case, clock_id=clocks.UPDATE, ended_at=None).due_at == due
    assert Entry.objects.filter(event="cases:case:pointed").count() == 1
    assert list(check_cases()) == []


def test_what_was_stated_outlives_later_reports(town: Town) -> None:
    """The rules see it whenever they decide anew: a second region does not take the case away."""
    case = town.case_of(town.report())
    state_enquiry(case, by(town, "olive", case), "essex", "a lead", NOON)
    town.report("lakes")
    case.refresh_from_db()
    assert (case.member_count, case.investigating_unit.unit_id) == (2, "essex")


def test_a_line_abroad_is_the_nations_and_a_life_the_force_of_the_victim(town: Town) -> None:
    """And a threat to life comes before both."""
    case = town.case_of(town.report())
    case = state_enquiry(case, by(town, "olive", case), "abroad", "the host is there", NOON)
    assert (case.investigating_unit.unit_id, case.route_rule) == ("nca-nccu", "enquiry-abroad")
    case = state_threat_to_life(case, by(town, "cora", case), "it runs a ventilator", NOON + HOUR)
    assert (case.investigating_unit.unit_id, case.route_rule) == ("kent", "threat-to-life")
    assert "in danger" in case.route_told
    assert list(check_cases()) == []


def test_a_threat_to_life_hastens_what_is_due(town: Town) -> None:
    """Taking the case is due within hours from then on; what is due sooner stays as it is."""
    case = town.case_of(town.report())
    before = Clock.objects.get(case=case, clock_id=clocks.ACCEPT).due_at
    state_threat_to_life(case, by(town, "olive", case), "it runs a ventilator", NOON + HOUR)
    after = Clock.objects.get(case=case, clock_id=clocks.ACCEPT)
    assert after.due_at == after.next_step_at == NOON + 5 * HOUR < before
    case.refresh_from_db()
    assert case.due_at == after.due_at
    assert list(check_cases()) == []


def test_what_is_refused(town: Town) -> None:
    """Without a reason, to no unit, of what is closed to it."""
    case = town.case_of(town.report())
    for where, said in (("essex", " "), ("atlantis", "a lead"), ("iwf", "a lead"), ("", "a lead")):
        with pytest.raises(BadInput):
            state_enquiry(case, by(town, "olive", case), where, said, NOON)
    restricted = town.case_of(town.report(lane="restricted", kind="abusive-content/violence"))
    with pytest.raises(Conflict):
        state_enquiry(restricted, Responder.exchange(restricted), "essex", "a lead", NOON)


def test_many_reports_of_one_force_are_a_matter_for_its_region(town: Town) -> None:
    """At the pack's threshold and not before; at once or one by one."""
    pks = [town.report(origins=("203.0.113.7",), link=False).pk for _ in range(100)]
    from tocsin.cases.linking import link_reports

    link_reports(pks[:99], NOON)
    case = Case.objects.get()
    assert (case.route_rule, case.investigating_unit.unit_id) == ("victim-force", "kent")
    link_reports(pks[99:], NOON + HOUR)
    case.refresh_from_db()
    assert (case.route_rule, case.investigating_unit.unit_id) == ("many-reports", "erocu")
    assert list(check_cases()) == []


def test_many_reports_that_come_at_once_go_to_the_region_at_once(town: Town) -> None:
    """A case that opens with a hundred reports was never the force's."""
    from tocsin.cases.linking import link_reports

    link_reports([town.report(origins=("203.0.113.7",), link=False).pk for _ in range(100)], NOON)
    assert Case.objects.get().route_rule == "many-reports"


@pytest.fixture
def ending(town: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """Kent Police ends with 2026; Essex Police succeeds it, and has joined."""
    pack = reference.pack("gb")
    kent = msgspec.structs.replace(pack.units["kent"], valid_to=LAST_DAY, successor_ids=("essex",))
    changed = msgspec.structs.replace(pack, units=pack.units | {"kent": kent})
    monkeypatch.setattr("tocsin.reference.pack", lambda country: changed)
    load_units()
    Unit.objects.filter(unit_id="essex").update(joined_at=NOON)
    return town


def test_cases_of_a_unit_that_has_ended_move_to_its_successor(ending: Town) -> None:
    """Not on its last day; on the next, with the reason, and no clock stopped. Twice is once."""
    free = ending.case_of(ending.report(origins=("203.0.113.1",), received_at=EVE))
    taken = ending.case_of(ending.report(origins=("203.0.113.2",), received_at=EVE))
    accept_case(taken, by(ending, "olive", taken), EVE)
    dues = dict(Clock.objects.filter(clock_id=clocks.UPDATE).values_list("case", "due_at"))
    assert succeed(EVE) == 0
    assert succeed(AFTER) == 2 and succeed(AFTER) == 0
    for case in (free, taken):
        case.refresh_from_db()
        assert (case.investigating_unit.unit_id, case.support_unit.unit_id) == ("essex", "essex")
        assert case.route_told == "Kent Police ended on 31 December 2026, and Essex Police succeeds it"
        assert case.owner_name == ""
    running = Clock.objects.filter(clock_id=clocks.UPDATE, ended_at=None)
    assert dict(running.values_list("case", "due_at")) == dues
    assert Entry.objects.filter(event="cases:case:succeeded").count() == 2
    assert list(check_cases()) == []


def test_who_works_at_the_successor_keeps_the_case(ending: Town) -> None:
    """People move with their force: status, owner and clocks stay."""
    case = ending.case_of(ending.report(received_at=EVE))
    accept_case(case, by(ending, "olive", case), EVE)
    Role.objects.create(person=ending.people["olive"], name="officer", unit=ending.unit("essex"))
    before = list(Clock.objects.filter(case=case).order_by("pk").values())
    succeed(AFTER)
    case.refresh_from_db()
    assert (case.investigating_unit.unit_id, case.owner_name, case.status) == ("essex", "Olive", "X-ACC")
    assert list(Clock.objects.filter(case=case).order_by("pk").values()) == before
    assert list(check_cases()) == []


def test_a_case_that_a_person_redirected_moves_too_and_a_new_one_never_arrives_there(ending: Town) -> None:
    """A unit that is no more has no case, whoever sent it there."""
    case = ending.case_of(ending.report("colne", received_at=EVE))
    redirect_case(case, by(ending, "edna", case), ending.unit("kent"), "theirs", EVE)
    succeed(AFTER)
    case.refresh_from_db()
    assert case.investigating_unit.unit_id == "essex"
    fresh = ending.case_of(ending.report("medway", origins=("203.0.113.9",), received_at=AFTER))
    assert fresh.investigating_unit.unit_id == "essex"
    assert succeed(AFTER) == 0


def test_a_unit_that_ends_without_successor_leaves_its_cases_to_the_nation(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No case is ever nobody's."""
    case = town.case_of(town.report(received_at=EVE))
    pack = reference.pack("gb")
    kent = msgspec.structs.replace(pack.units["kent"], valid_to=LAST_DAY)
    changed = msgspec.structs.replace(pack, units=pack.units | {"kent": kent})
    monkeypatch.setattr("tocsin.reference.pack", lambda country: changed)
    load_units()
    assert succeed(AFTER) == 1
    case.refresh_from_db()
    assert case.investigating_unit.unit_id == "nca-nccu"


def test_the_page_states_and_says_where_the_case_went(town: Town, client: Client) -> None:
    """The form is there for the unit; what is missing is said; the support unit still reads along."""
    case = town.case_of(town.report())
    client.force_login(town.people["olive"])
    address = f"/cases/{case.case_id}"
    assert "State a line of enquiry" in client.get(address).content.decode()
    slip = client.post(f"{address}/enquiry", {"what": "enquiry", "where": "essex"}, follow=True)
    assert "Not stated: say how you know it" in slip.content.decode()
    sent = {"what": "enquiry", "where": "essex", "said": "the host is in Colchester"}
    answer = client.post(f"{address}/enquiry", sent, follow=True).content.decode()
    assert "Stated. Essex Police has the case." in answer
    assert "stated a line of enquiry, Essex Police: the host is in Colchester" in answer
    edna = Client()
    edna.force_login(town.people["edna"])
    threat = {"what": "threat", "said": "a hospital"}
    assert "Kent Police has the case" in edna.post(f"{address}/enquiry", threat, follow=True).content.decode()
