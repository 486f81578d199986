"""Whatever a person does by a page, a machine does by REST, but for what is written down with its reason."""

import re
from pathlib import Path

import pytest
from tests.doors.acting import acting_services, is_acting

from tocsin.access import overview
from tocsin.cases import bulk, sealing
from tocsin.store import fence

PROVED = "who may act, and how they prove it, is settled on pages with a second factor"
OWN = "what one person is told and has read is that person's own"
TOKEN = "the link's token is the permission: whoever holds it has no key"
HOOKS = "where the exchange sends messages is set by whoever looks after the place, with a second factor"
TRUST = "a trusted person's word counts because it is theirs, and no key stands for one"
TWO = "it takes two people, and no key stands for a person"
NO_ROUTE = {
    "access.accounts": PROVED,
    "access.factors": PROVED,
    "access.joining": PROVED,
    "access.keys": PROVED,
    "access.leaving": PROVED,
    "access.services": PROVED,
    "access.alerts.mark_seen": OWN,
    "notices.services.mark_seen": OWN,
    "notices.wishes": OWN,
    "cases.one_time.accept_by_link": TOKEN,
    "cases.rooms.look": TOKEN,
    "sharing.appealing.appeal": "whoever is blocked has neither account nor key; the page is open to all",
    "notices.hooks": HOOKS,
    "sharing.appealing.decide": TRUST,
    "sharing.services.approve": TRUST,
    "sharing.services.withdraw": TRUST,
    "sharing.opening": TWO,
    "sharing.pseudonyms.sources_of": TWO,
}


def excepted(service: str) -> str | None:
    """The line of NO_ROUTE that a service stands under."""
    return next((name for name in NO_ROUTE if service == name or service.startswith(f"{name}.")), None)


def test_each_act_of_the_pages_has_a_route_or_a_reason() -> None:
    """Whoever adds an act to the pages alone reads its name here."""
    missing = acting_services("web") - acting_services("api")
    assert {one for one in missing if excepted(one) is None} == set()


def test_no_exception_is_left_over() -> None:
    """What has a route needs no reason."""
    missing = acting_services("web") - acting_services("api")
    assert {name for name in NO_ROUTE if not any(excepted(one) == name for one in missing)} == set()


def test_the_reasons_are_told_to_those_who_read_the_manual() -> None:
    """docs/api.md names what has no route, and why."""
    told = " ".join(Path("docs/api.md").read_text().split())
    for reason in set(NO_ROUTE.values()):
        assert re.sub(r"[:;,].*", "", reason) in told, reason


@pytest.mark.parametrize(
    ("function", "acts"),
    [
        (sealing.seal_case, True),
        (bulk.do_many, True),  # by what it calls
        (sealing.current_seal, False),
        (overview.matrix, False),
        (fence.is_usable, False),
    ],
)
def test_acts_are_told_from_reading(function: object, acts: bool) -> None:
    """A finder that found nothing would find no gap."""
    assert is_acting(function) is acts  # type: ignore[arg-type]
    assert len(acting_services("web")) > 80
