"""Units as rows, and another country's pack under the same code."""

import datetime as dt

import pytest
from django.test import override_settings
from tests.cases.town import NOON, Town

from tocsin.access.models import Member, Unit
from tocsin.cases import queries
from tocsin.cases.models import Case, Clock
from tocsin.cases.services import Responder, answer_case, load_units
from tocsin.reference import pack

pytestmark = pytest.mark.django_db


def test_loading_twice_changes_nothing_and_never_touches_who_has_joined() -> None:
    """Packs are read at every upgrade."""
    load_units()
    Unit.objects.filter(unit_id="kent").update(joined_at=NOON)
    before = list(Unit.objects.order_by("pk").values())
    assert load_units() == len(pack("gb").units) == len(before)
    assert list(Unit.objects.order_by("pk").values()) == before
    kent = Unit.objects.get(unit_id="kent")
    assert kent.parent is not None and kent.parent.unit_id == "erocu"


@override_settings(COUNTRY_PACK="nl")
def test_nothing_is_hard_wired_to_one_country() -> None:
    """The same story in the Netherlands: other units, no regions, other outcomes, other holidays."""
    load_units()
    town = Town()
    for name, force in (("gracht", "eenheid-amsterdam"), ("haven", "eenheid-rotterdam")):
        town.members[name] = Member.objects.create(name=name, force_id=force, country="NL")
    Unit.objects.filter(unit_id__in=["eenheid-amsterdam", "thtc"]).update(joined_at=NOON)
    town.person("anna", "officer", unit="thtc")
    # King's Day 2026 is Monday 27 April, an ordinary working day in Britain.
    start = dt.datetime(2026, 4, 24, 12, tzinfo=dt.UTC)
    report = town.report("gracht", received_at=start)
    assert Clock.objects.get(clock_id="P02").due_at == start + dt.timedelta(days=4)  # Friday to Tuesday
    town.report("haven", received_at=start)
    case = Case.objects.get()
    assert (case.investigating_unit.unit_id, case.route_rule) == ("thtc", "two-forces")
    view = queries.case_view(town.actor("anna"), case.case_id, start)
    assert [choice.outcome_code for choice in view.form.outcomes] == ["DV", "SE", "OV"]
    answer_case(
        case, Responder.of(town.actor("anna"), case), "SE", "Niets gevonden.", ["source-port"], at=start
    )
    case.refresh_from_db()
    assert (case.outcome_code, case.is_open) == ("SE", False)
    again = town.report("gracht", received_at=start + dt.timedelta(days=1))
    assert town.case_of(again) == case  # reopenable by the pack's own flag
    assert report.member.country == "NL"
