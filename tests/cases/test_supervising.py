"""Who is drowning, and giving cases to somebody else."""

import datetime as dt

import pytest
from django.test import Client
from tests.cases.town import NOON, Town

from tocsin.access.models import Role, Unit
from tocsin.cases import bulk, clocks
from tocsin.cases.audit import check_cases
from tocsin.cases.bulk import Order
from tocsin.cases.models import Case, Clock
from tocsin.cases.sealing import seal_case
from tocsin.cases.services import Responder, accept_case, reassign_case
from tocsin.cases.supervising import Asked, team
from tocsin.journal.models import Entry
from tocsin.kernel.problems import BadInput, Conflict, NotAllowed

pytestmark = pytest.mark.django_db

LATER = NOON + dt.timedelta(hours=1)
SOON = LATER + dt.timedelta(seconds=30)


@pytest.fixture
def busy(town: Town) -> Town:
    """Olive has two cases of three at Kent Police; Oscar works there too and has none."""
    town.person("oscar", "officer", unit="kent")
    for host in (1, 2, 3):
        case = town.case_of(town.report(origins=(f"203.0.113.{host}",)))
        if host < 3:
            accept_case(case, by(town, "olive", case), NOON)
    return town


def by(town: Town, name: str, case: Case) -> Responder:
    """Somebody, as who they are to the case."""
    return Responder.of(town.actor(name), case)


def test_load_is_counted_by_person_and_each_number_opens_to_its_cases(busy: Town) -> None:
    """Whoever has most that is late comes first; nobody's cases are a line of their own."""
    later = NOON + dt.timedelta(days=20)
    clocks.sweep(later)
    view = team(busy.actor("saul"), at=later)
    loads = {load.name: load for load in view.people}
    assert {name: load.open for name, load in loads.items()} == {
        "Olive": 2,
        "Oscar": 0,
        "Saul": 0,
        "Nobody yet": 1,
    }
    assert view.people[0].name == "Olive" and loads["Olive"].late == 2
    assert view.sentence.startswith("3 cases are open, 3 of them overdue, the most (2) with Olive")
    for load in view.people:
        for which, count in (("open", load.open), ("late", load.late), ("today", load.today)):
            shown = team(busy.actor("saul"), Asked(load.key, which), at=later)
            assert shown.total == len(shown.rows) == count
    assert [unit.open for unit in view.units] == [3]


def test_only_a_supervisor_reads_it_and_only_of_their_units(busy: Town) -> None:
    """An officer does not, and what another unit has is not counted."""
    with pytest.raises(NotAllowed):
        team(busy.actor("olive"))
    busy.report("lakes")
    assert team(busy.actor("saul"), at=NOON).total == 3


def test_a_case_is_given_to_another_without_a_clock_being_touched(busy: Town) -> None:
    """Owner, entry, and news for the new owner alone; twice is once."""
    case = Case.objects.filter(owner_name="Olive").first()
    assert case is not None
    before = list(Clock.objects.filter(case=case).order_by("pk").values())
    for _ in range(2):
        reassign_case(case, by(busy, "saul", case), busy.people["oscar"], "Olive is ill", LATER)
    case.refresh_from_db()
    assert (case.owner_name, case.owned_at, case.status) == ("Oscar", LATER, "X-ACC")
    assert list(Clock.objects.filter(case=case).order_by("pk").values()) == before
    assert Entry.objects.filter(event="cases:case:reassigned").count() == 1
    assert list(check_cases()) == []


def test_what_nobody_had_has_an_owner_when_it_is_given(busy: Town) -> None:
    """The duty to name an owner is met, the one to decide begins."""
    case = Case.objects.get(owner_name="")
    reassign_case(case, by(busy, "saul", case), busy.people["oscar"], at=LATER)
    case.refresh_from_db()
    assert (case.status, case.owner_name) == ("X-ACC", "Oscar")
    running = set(Clock.objects.filter(case=case, ended_at=None).values_list("clock_id", flat=True))
    assert clocks.ACCEPT not in running and clocks.DECIDE in running
    assert list(check_cases()) == []


def test_who_may_not_give_and_who_may_not_be_given(busy: Town) -> None:
    """Officers, supervisors of another unit, people who work elsewhere, and whom a seal does not name."""
    case = Case.objects.filter(owner_name="Olive").first()
    assert case is not None
    with pytest.raises(NotAllowed):
        reassign_case(case, by(busy, "olive", case), busy.people["oscar"], at=LATER)
    with pytest.raises(NotAllowed):
        elsewhere = Responder("Edna", busy.unit("essex"), busy.people["edna"])
        reassign_case(case, elsewhere, busy.people["oscar"], at=LATER)
    with pytest.raises(BadInput):
        reassign_case(case, by(busy, "saul", case), busy.people["edna"], at=LATER)
    seal_case(case, busy.actor("saul"), [busy.people["olive"]], "an informant is named in it", LATER)
    with pytest.raises(Conflict):
        reassign_case(case, by(busy, "saul", case), busy.people["oscar"], at=LATER)


def test_many_are_given_by_one_press_and_one_press_takes_them_back(busy: Town) -> None:
    """What had an owner and what had none, all as before."""
    fields = ("case_id", "status", "owner_name", "owned_at", "due_at")
    ticking = ("clock_id", "case", "due_at", "ended_at", "next_step_at")
    state = lambda: [  # noqa: E731
        list(Case.objects.order_by("pk").values_list(*fields)),
        list(Clock.objects.order_by("pk").values_list(*ticking)),
    ]
    before, ids = state(), list(Case.objects.values_list("case_id", flat=True))
    order = Order("reassign", person=busy.people["oscar"].pk)
    result = bulk.do_many(busy.actor("saul"), ids, order, LATER)
    assert len(result.done) == 3 and result.refused == ()
    assert set(Case.objects.values_list("owner_name", flat=True)) == {"Oscar"}
    back = bulk.take_back(busy.actor("saul"), result.bulk_id, SOON)
    assert len(back.done) == 3 and back.refused == ()
    assert state() == before
    assert list(check_cases()) == []
    with pytest.raises(NotAllowed):
        bulk.do_many(busy.actor("olive"), ids, order, LATER)
    with pytest.raises(BadInput):
        bulk.do_many(busy.actor("saul"), ids, Order("reassign"), LATER)


def test_who_has_left_keeps_no_case_unseen(busy: Town) -> None:
    """Their cases stand under their name, marked, until somebody else has them."""
    Role.objects.filter(person=busy.people["olive"]).delete()
    load = next(load for load in team(busy.actor("saul"), at=NOON).people if load.name == "Olive")
    assert load.is_gone and load.open == 2
    assert busy.people["olive"].pk not in dict(team(busy.actor("saul"), at=NOON).receivers)


def test_a_region_sees_what_missed_clocks_brought_up(town: Town) -> None:
    """By unit, and only what has gone up a desk."""
    town.report("ferry", origins=("203.0.113.1",))
    Unit.objects.filter(unit_id="erocu").update(joined_at=NOON)
    town.person("rena", "supervisor", unit="erocu")
    assert [unit.unit_id for unit in team(town.actor("rena"), at=NOON).units] == ["erocu"]
    later = NOON + dt.timedelta(days=20)
    clocks.sweep(later)
    found = {unit.unit_id: unit for unit in team(town.actor("rena"), at=later).units}
    assert found["kent"].late == 1 and not found["kent"].is_own


def test_the_page_gives_and_takes_back(busy: Town, client: Client) -> None:
    """Numbers link to cases, chosen rows are given, one press takes it back; a slip keeps the choice."""
    client.force_login(busy.people["saul"])
    page = client.get("/team").content.decode()
    olive = busy.people["olive"].pk
    assert f"/team?who=p{olive}&amp;show=open#cases" in page and "Who is drowning?" in page
    ids = list(Case.objects.filter(owner_name="Olive").values_list("case_id", flat=True))
    slip = client.post("/team/reassign", {"case": ids, "who": f"p{olive}"})
    assert slip.status_code == 422 and slip.content.decode().count("checked") == 2
    sent = {"case": ids, "person": busy.people["oscar"].pk, "back": f"/team?who=p{olive}"}
    answer = client.post("/team/reassign", sent, follow=True)
    assert "2 cases given to another" in answer.content.decode()
    assert Case.objects.filter(owner_name="Oscar").count() == 2
    bulk_id = answer.content.decode().split('name="bulk" value="')[1].split('"')[0]
    client.post("/queue/undo", {"bulk": bulk_id, "back": "/team"})
    assert Case.objects.filter(owner_name="Olive").count() == 2
    assert client.get("/team.csv").content.decode().splitlines()[1].startswith("Olive,2,")


def test_the_new_owner_alone_hears_of_it(busy: Town) -> None:
    """As of a case that has come to them."""
    from tocsin.notices.audiences import of_case, people

    case = Case.objects.filter(owner_name="Olive").first()
    assert case is not None
    reassign_case(case, by(busy, "saul", case), busy.people["oscar"], at=LATER)
    assert of_case(people(), Case.objects.get(pk=case.pk)) == {busy.people["oscar"].pk}
