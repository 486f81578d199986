"""Somebody leaves who has open cases: the supervisors hear of it."""

import pytest
from tests.cases.town import NOON, Town

from tocsin.access import alerts
from tocsin.access import leaving as accounts
from tocsin.access.models import Role
from tocsin.cases import leaving, services
from tocsin.jobs import worker

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("how", ["off", "role", "left"])
def test_an_owner_who_goes_leaves_no_case_unnoticed(town: Town, how: str) -> None:
    """Whichever way they go; told once, by number."""
    case = town.case_of(town.report(severity="high"))
    services.accept_case(case, services.Responder.of(town.actor("olive"), case), NOON)
    olive = town.people["olive"]
    if how == "off":
        accounts.turn_off(None, olive)
    elif how == "role":
        accounts.take_role(None, Role.objects.get(person=olive).pk)
    else:
        accounts.leave(town.actor("olive"))
    worker.drain()
    (told,) = alerts.for_person(town.actor("saul"))
    assert told.words == f"Olive no longer acts here and has 1 open case, the oldest {case.case_id}."
    assert leaving.tell_of_leaving([olive.pk]) == 1
    assert len(alerts.for_person(town.actor("saul"))) == 1
    assert not alerts.for_person(town.actor("edna"))


def test_who_still_acts_in_the_unit_has_not_left(town: Town) -> None:
    """One of two roles is taken; nobody is told."""
    case = town.case_of(town.report(severity="high"))
    services.accept_case(case, services.Responder.of(town.actor("olive"), case), NOON)
    extra = Role.objects.create(person=town.people["olive"], name="supervisor", unit=town.unit("kent"))
    accounts.take_role(None, extra.pk)
    worker.drain()
    assert not alerts.for_person(town.actor("saul"))
