"""The whole interface under Schemathesis: whatever is sent gets an answer that its description names.

With a member's key, a unit's key (and an officer's name), the exchange's, and none; never a 500, never a word
of what is the other side's. Short in CI; `TOCSIN_SOAK=1` tries a hundred times as much.
"""

import os
from collections.abc import Iterator

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.cases.town import Town, build_town

from tocsin.access import gathering, keys
from tocsin.cases import filters, rooms, services
from tocsin.cases.models import Clock, Suggestion
from tocsin.cases.units import current_pack
from tocsin.intake.models import Report
from tocsin.kernel.time import now

pytestmark = [pytest.mark.django_db, pytest.mark.soak]

EXAMPLES = 100 if os.environ.get("TOCSIN_SOAK") == "1" else 2
MARK = "lakes-only.example"
CHECKS = [
    *(not_a_server_error, status_code_conformance),
    *(content_type_conformance, response_schema_conformance),
]
campaign = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES < 100,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def town() -> Iterator[Town]:
    """Kent and Ferry have a case; Lakes has one that nobody of them may hear of."""
    for signal in (request_started, request_finished):  # the application shares this test's connection
        signal.disconnect(close_old_connections)
    town = build_town()
    town.report("ferry", severity="medium", received_at=now())
    town.report("lakes", severity="high", target=MARK, origins=("192.0.2.77",), received_at=now())
    yield town
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


WHO = {
    "a member's key": lambda town: {"Authorization": f"Bearer {_key(town.members['ferry'])}"},
    "a unit's key": lambda town: {"Authorization": f"Bearer {_key(town.unit('kent'))}"},
    "a unit's key in a name": lambda town: {
        "Authorization": f"Bearer {_key(town.unit('kent'))}",
        "On-Behalf-Of": "saul@example.org",
    },
    "the exchange's key in a name": lambda town: {
        "Authorization": f"Bearer {_key(None)}",
        "On-Behalf-Of": "cora@example.org",
    },
    "nobody": lambda town: {},
}


def _key(place: object) -> str:
    return keys.make_key(place, "any", sorted(keys.scopes_at(place)))[1]  # type: ignore[arg-type]


@pytest.mark.parametrize("who", WHO)
def test_whatever_is_sent_the_answer_is_one_that_the_description_names(town: Town, who: str) -> None:
    """Every operation, generated requests that fit and that do not."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
    headers, tried = WHO[who](town), 0
    is_exchange = who.startswith("the exchange")
    ids = lived(town, "lakes" if is_exchange else "ferry")
    for found in schema.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @campaign
        def campaign_of(case: schemathesis.Case) -> None:
            nonlocal tried
            cache.clear()  # no limit of how often
            for name, value in ids.items():
                if tried % 2 and case.path_parameters and name in case.path_parameters:
                    case.path_parameters[name] = value
            if "On-Behalf-Of" not in headers:
                (case.headers or {}).pop("On-Behalf-Of", None)
            response = case.call(headers=headers)
            tried += 1
            case.validate_response(response, checks=CHECKS)
            assert is_exchange or MARK not in response.text
            assert "Traceback" not in response.text

        campaign_of()
    assert tried >= 48 * min(EXAMPLES, 2) // 2


def lived(town: Town, member: str) -> dict[str, str]:
    """The ids of a case with a past: taken, asked about, suggested with another, looked into by a guest."""
    report = Report.objects.filter(member=town.members[member]).earliest("pk")
    case = town.case_of(report)
    ids = {"case_id": case.case_id, "report_id": report.report_id, "unit_id": "kent", "name": "names.txt"}
    if member == "lakes":
        return ids
    olive, by = town.actor("olive"), services.Responder.of(town.actor("olive"), case)
    services.accept_case(case, by)
    (question, *_) = services.ask(case, by, ["still-going"])
    town.report("ferry", origins=("203.0.113.9",), target="198.51.100.9", received_at=now())
    kept = filters.save_filter(town.people["saul"], "mine", "severity=high")
    circle = gathering.make(town.actor("rita"), "Ports")
    return ids | {
        "question_id": question.question_id,
        "suggestion_id": str(Suggestion.objects.earliest("pk").pk),  # of one network
        "guest_id": str(rooms.invite_guest(case, olive, "Nora", "Quist Ltd", ["links"], 7)[0].pk),
        "filter_id": str(kept.pk),
        "community_id": circle.community_id,
        "duty_id": str(Clock.objects.filter(case=case, member__isnull=True).earliest("pk").pk),
        "form": next(iter(current_pack().info.forms)),
        "channel": "green",
    }
