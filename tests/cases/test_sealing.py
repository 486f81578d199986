"""Sealed cases: who reads them, who knows of them, and what breaking the glass leaves behind."""

import datetime as dt

import pytest
from tests.cases.town import NOON, Town

from tocsin.access import alerts
from tocsin.access.models import Alert
from tocsin.cases import queries, reach, sealed_views, sealing, services
from tocsin.cases.models import BrokenGlass, Case
from tocsin.journal.models import Content, Entry
from tocsin.kernel.problems import BadInput, NotAllowed, NotFound
from tocsin.kernel.time import now

pytestmark = pytest.mark.django_db
REASON = "An officer of the unit is a witness in it"


@pytest.fixture
def case(town: Town) -> Case:
    """A case of Kent that Olive has, sealed by Saul to Olive; Oscar is of the unit and not named."""
    town.person("oscar", "officer", unit="kent")
    town.person("sonia", "supervisor", unit="kent")
    found = town.case_of(town.report(severity="high"))
    services.accept_case(found, services.Responder.of(town.actor("olive"), found), NOON)
    sealing.seal_case(found, town.actor("saul"), [town.people["olive"]], REASON)
    return Case.objects.get(pk=found.pk)


def test_named_people_read_it_and_others_of_the_unit_do_not(town: Town, case: Case) -> None:
    """Through the one door that every reader passes."""
    for name, sees in (("olive", True), ("saul", True), ("oscar", False), ("sonia", False)):
        actor = town.actor(name)
        assert reach.visible_to(actor).filter(pk=case.pk).exists() is sees, name
        assert reach.sees_content(actor, case) is sees, name
        assert reach.known_to(actor).filter(pk=case.pk).exists(), name


def test_the_unit_knows_number_and_clock_and_nothing_else(town: Town, case: Case) -> None:
    """In the queue and on the page; the words of the case are in neither."""
    oscar = town.actor("oscar")
    (row,) = queries.queue(oscar, at=NOON).rows
    assert case.case_id in row.title
    assert row.due is not None
    assert row.owner_name == ""
    assert "203.0.113.7" not in str(row)
    with pytest.raises(sealing.SealedCase):
        queries.case_view(oscar, case.case_id)
    view = sealed_views.sealed_view(oscar, case.case_id, NOON)
    assert view.case_id == case.case_id
    assert view.due is not None
    assert not view.may_break
    assert queries.queue(town.actor("olive"), at=NOON).rows[0].title == case.title


def test_a_stranger_does_not_learn_that_it_exists(town: Town, case: Case) -> None:
    """Another unit gets the same answer as for no case at all."""
    for read in (queries.case_view, sealed_views.sealed_view):
        with pytest.raises(NotFound):
            read(town.actor("edna"), case.case_id)


def test_nobody_acts_on_what_is_sealed_from_them(town: Town, case: Case) -> None:
    """Not even with the case in hand."""
    with pytest.raises(NotFound):
        services.Responder.of(town.actor("oscar"), case)


def test_only_a_supervisor_of_the_investigating_unit_seals(town: Town, case: Case) -> None:
    """And names people of the case's units alone."""
    for name in ("olive", "edna", "cora"):
        with pytest.raises((NotAllowed, NotFound)):
            sealing.seal_case(case, town.actor(name), [], REASON)
    with pytest.raises(BadInput):
        sealing.seal_case(case, town.actor("saul"), [town.people["edna"]], REASON)
    with pytest.raises(BadInput):
        sealing.seal_case(case, town.actor("saul"), [], "because")


def test_a_lifted_seal_keeps_nothing(town: Town, case: Case) -> None:
    """Lifted twice, recorded once."""
    sealing.lift_seal(case, town.actor("saul"))
    sealing.lift_seal(case, town.actor("saul"))
    assert reach.visible_to(town.actor("oscar")).filter(pk=case.pk).exists()
    assert Entry.objects.filter(event="cases:case:unsealed").count() == 1


def test_sealing_anew_replaces_the_names(town: Town, case: Case) -> None:
    """Olive read it; now Oscar does."""
    sealing.seal_case(case, town.actor("saul"), [town.people["oscar"]], REASON)
    assert not reach.visible_to(town.actor("olive")).filter(pk=case.pk).exists()
    assert reach.visible_to(town.actor("oscar")).filter(pk=case.pk).exists()


def test_breaking_the_glass_is_told_recorded_and_ends(town: Town, case: Case) -> None:
    """The sealing person and the coordinator hear of it; after four hours the glass is whole again."""
    sonia = town.actor("sonia")
    assert sealed_views.sealed_view(sonia, case.case_id).may_break
    sealing.break_glass(sonia, case.case_id, "The clock runs out tonight and nobody named is here")
    assert reach.visible_to(sonia).filter(pk=case.pk).exists()
    assert queries.case_view(sonia, case.case_id).title == case.title
    for name in ("saul", "cora"):
        (alert,) = [a for a in alerts.for_person(town.actor(name)) if "broke the seal" in a.words]
        assert case.case_id in alert.words
        assert alerts.unseen(town.actor(name)) >= 1
    assert Entry.objects.filter(event="cases:seal:broken", subject=case.case_id).count() == 1
    BrokenGlass.objects.update(expires_at=now() - dt.timedelta(seconds=1))
    assert not reach.visible_to(town.actor("sonia")).filter(pk=case.pk).exists()


def test_the_glass_needs_a_reason_and_a_supervisor_whom_the_case_would_reach(town: Town, case: Case) -> None:
    """An officer, another unit's supervisor and an empty reason break nothing."""
    town.person("susan", "supervisor", unit="essex")
    with pytest.raises(BadInput):
        sealing.break_glass(town.actor("sonia"), case.case_id, "why not")
    with pytest.raises(NotAllowed):
        sealing.break_glass(town.actor("oscar"), case.case_id, REASON)
    with pytest.raises(NotFound):
        sealing.break_glass(town.actor("susan"), case.case_id, REASON)
    with pytest.raises(NotFound):
        sealing.break_glass(town.actor("sonia"), "case_nothing", REASON)
    assert not BrokenGlass.objects.exists()


def test_a_seal_reaches_neither_reporter_nor_clock(town: Town, case: Case) -> None:
    """The reporter still sees who has the own report; the clocks still run."""
    report = case.links.get().report
    view = queries.report_view(town.actor("rita"), report.report_id, NOON)
    assert view.owner is not None
    assert case.clocks.filter(ended_at__isnull=True).exists()


def test_why_it_was_sealed_is_not_in_the_journal(town: Town, case: Case) -> None:
    """The reason stays in the seal; the journal knows that and by whom."""
    assert not any(
        REASON.encode() in bytes(content) for content in Content.objects.values_list("content", flat=True)
    )
    assert Alert.objects.filter(person=town.people["olive"]).count() == 1


def test_mail_of_a_sealed_case_goes_to_those_whom_its_seal_names(town: Town, case: Case) -> None:
    """Its owner has left the unit: of the others, none but the named hear of it."""
    from tocsin.notices import audiences

    Case.objects.filter(pk=case.pk).update(owner=None)
    case.refresh_from_db()
    people = {town.people["olive"].pk, town.people["saul"].pk}
    assert audiences.of_case(audiences.people(), case) == people
    sealing.lift_seal(case, town.actor("saul"))
    assert town.people["oscar"].pk in audiences.of_case(audiences.people(), case)
