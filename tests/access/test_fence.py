"""The second fence: raw SQL, run as somebody else, finds nothing, whatever the pages forget."""

from collections.abc import Iterator, Sequence

import pytest
from django.db import connection
from tests.cases.town import NOON, Town, build_town

from tocsin.access.policy import NOBODY, Actor
from tocsin.cases import reach, rooms, sealing, services
from tocsin.cases.models import Case, Clock, ForeignNumber
from tocsin.intake.queries import visible_to
from tocsin.notices.models import Notice
from tocsin.store import fence

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
TABLES = (
    "intake_report",
    "intake_reportholding",
    "inventory_holding",
    "cases_case",
    "cases_link",
    "cases_clock",
    "cases_decision",
    "cases_outcome",
    "cases_onetimelink",
    "cases_caseorigin",
    "cases_hint",
    "cases_crimenumber",
    "cases_foreignnumber",
    "cases_question",
    "cases_rating",
    "cases_guest",
    "cases_move",
    "notices_notice",
)


@pytest.fixture
def town(db: None) -> Iterator[Town]:
    """Ferry's report in a case of Kent, which Olive has; a guest, a notice, a clock, a decision."""
    assert fence.is_usable(), "the migration made the role"
    town = build_town()
    report = town.report(severity="high", delete_at=NOON.replace(day=29))
    case = town.case_of(report)
    by = services.Responder.of(town.actor("olive"), case)
    services.accept_case(case, by, NOON)
    rooms.invite_guest(case, town.actor("olive"), "Nora Quist", "Forensics", ["links"], 7)
    services.assess_case(case, by, "X-INV", "Worth a look", NOON)
    Notice.objects.create(
        member=report.member, report=report, entry_seq=1, event="cases:case:opened", words="x", at=NOON
    )
    ForeignNumber.objects.create(
        case=case, unit=case.investigating_unit, number="K/1", imported_at=NOON, imported_by="Saul"
    )
    yield town
    fence.take_down()


def seen(actor: Actor, judged: Sequence[int] = ()) -> dict[str, int]:
    """How many rows of each table plain SQL gives while this actor reads, once these cases were judged."""
    fence.put_up(actor.asker)
    try:
        fence.judge(judged)
        with connection.cursor() as cursor:
            found = {}
            for table in TABLES:
                cursor.execute(f"SELECT count(*) FROM {table}")
                found[table] = cursor.fetchone()[0]
            return found
    finally:
        fence.take_down()


def test_another_member_another_unit_and_nobody_find_nothing(town: Town) -> None:
    """Not one row of any table, by plain SQL."""
    for actor in (town.actor("max"), town.actor("edna"), NOBODY):
        assert {table: rows for table, rows in seen(actor).items() if rows} == {}


def test_whose_rows_they_are_finds_them(town: Town) -> None:
    """A fence that let nobody through would pass the test above."""
    rita, olive = seen(town.actor("rita")), seen(town.actor("olive"))
    for table in ("intake_report", "cases_case", "cases_link", "cases_clock", "notices_notice"):
        assert rita[table], table
    for table in (
        "intake_report",
        "inventory_holding",
        "cases_case",
        "cases_link",
        "cases_clock",
        "cases_foreignnumber",
        "cases_guest",
    ):
        assert olive[table], table
    assert olive["notices_notice"] == 0
    assert rita["cases_guest"] == 0
    assert rita["inventory_holding"] == 1


def test_a_reporter_finds_no_other_members_report_in_a_shared_case(town: Town) -> None:
    """Max joins Rita's case: each sees the case, and the own link alone."""
    town.report("medway", severity="high", link=True)
    assert Case.objects.count() <= 2
    for name in ("rita", "max"):
        rows = seen(town.actor(name))
        assert rows["intake_report"] == 1, name
        assert rows["cases_link"] == 1, name


def test_a_sealed_cases_content_is_kept_by_the_database_too(town: Town) -> None:
    """Of what is sealed from them an officer finds the case and its clocks, and no word of it."""
    town.person("oscar", "officer", unit="kent")
    case = Case.objects.get()
    sealing.seal_case(case, town.actor("saul"), [town.people["olive"]], "A witness works here")
    rows = seen(town.actor("oscar"))
    assert rows["cases_case"] == 1
    assert rows["cases_clock"] > 0
    for table in ("intake_report", "cases_link", "cases_outcome", "cases_decision", "inventory_holding"):
        assert rows[table] == 0, table
    assert seen(town.actor("olive"))["cases_link"] == 1


def test_a_missed_clock_opens_the_fence_where_it_opens_the_code(town: Town) -> None:
    """Both fences say the same of every person, before and after escalation."""
    for step in (0, 1, 2, 3):
        Clock.objects.filter(case__isnull=False).update(ended_at=None, breached_at=NOON, step=step)
        for unit in ("kent", "essex", "nca-nccu"):
            name = f"p{step}{unit}"
            town.person(name, "officer", unit=unit)
            actor = town.actor(name)
            assert (seen(actor)["cases_case"] > 0) == reach.visible_to(actor).exists(), (step, unit)
        assert (seen(town.actor("cora"))["cases_case"] > 0) == reach.visible_to(town.actor("cora")).exists()


def test_the_fence_takes_nothing_from_what_the_code_shows(town: Town) -> None:
    """For every person, the reports and cases of `visible_to` are the same with it and without."""
    for name in town.people:
        actor = town.actor(name)
        without = set(reach.visible_to(actor).values_list("pk", flat=True)), visible_to(actor).count()
        fence.put_up(actor.asker)
        try:
            within = set(reach.visible_to(actor).values_list("pk", flat=True)), visible_to(actor).count()
        finally:
            fence.take_down()
        assert within == without, name


def test_who_reads_can_neither_change_a_fenced_row_nor_lower_the_fence_by_a_variable(town: Town) -> None:
    """No policy lets a reader write; an update finds no row."""
    fence.put_up(town.actor("rita").asker)
    try:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE intake_report SET severity = 'info'")
            assert cursor.rowcount == 0
            cursor.execute("DELETE FROM cases_case")
            assert cursor.rowcount == 0
    finally:
        fence.take_down()


def test_judging_cases_once_lets_nobody_read_more(town: Town) -> None:
    """Of what is another's or sealed nothing is judged readable; it ends with the fence."""
    town.person("oscar", "officer", unit="kent")
    cases = list(Case.objects.values_list("pk", flat=True))
    before = {name: seen(town.actor(name)) for name in town.people}
    for name in town.people:
        assert seen(town.actor(name), judged=cases) == before[name], name
    assert before["olive"]["cases_link"] == 1
    sealing.seal_case(Case.objects.get(), town.actor("saul"), [town.people["olive"]], "A witness works here")
    assert seen(town.actor("oscar"), judged=cases)["cases_link"] == 0
    assert seen(town.actor("olive"), judged=cases)["cases_link"] == 1
    assert not any(seen(NOBODY).values())


def test_a_link_opens_one_case_and_what_is_counted_over_all_lifts_the_fence(town: Town) -> None:
    """And both end with the block or the request."""
    case = Case.objects.get()
    fence.put_up(NOBODY.asker)
    try:
        with fence.lifted():
            assert Case.objects.count() == 1
        assert Case.objects.count() == 0
        fence.open_case(case.pk)
        assert Case.objects.count() == 1
    finally:
        fence.take_down()
    assert Case.objects.count() == 1


def test_a_report_that_was_taken_out_keeps_its_past(town: Town) -> None:
    """The reporter still reads the case that the own report was in, as the code lets them."""
    second = town.report(severity="high")
    case = Case.objects.get()
    by = services.Responder.of(town.actor("olive"), case)
    services.detach_report(case, by, second, "another matter")
    assert Case.objects.count() == 2
    rows = seen(town.actor("rita"))
    assert (rows["cases_case"], rows["cases_link"]) == (2, 3)
    assert seen(town.actor("max"))["cases_case"] == 0
