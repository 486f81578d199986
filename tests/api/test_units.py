"""The REST interface of units: a machine does here what a person does by a page, and never counts as one."""

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from tests.cases.town import Town, build_town

from tocsin.access import keys
from tocsin.access.models import Answered, Person, Role
from tocsin.cases import services
from tocsin.cases.models import Case, Clock, Decision, ForeignNumber, Question, Share
from tocsin.cases.reporter_home import funnel_of
from tocsin.cases.sealing import seal_case
from tocsin.cases.units import current_pack
from tocsin.figures.followup import answers_since
from tocsin.intake.models import Report
from tocsin.journal.models import Entry
from tocsin.kernel.time import now

pytestmark = [pytest.mark.django_db, pytest.mark.database]

V1 = "/api/v1"
OLIVE = {"On-Behalf-Of": "olive@example.org"}


@pytest.fixture
def town() -> Town:
    """Kent has joined; Ferry and Medway report."""
    cache.clear()
    return build_town()


def holder(town: Town, unit: str = "kent", *scopes: str) -> Client:
    """A client with a key of a unit, with every scope unless some are named."""
    _, text = keys.make_key(town.unit(unit), "desk", scopes or sorted(keys.UNIT_SCOPES))
    return Client(headers={"Authorization": f"Bearer {text}"})


def member(town: Town, name: str = "ferry") -> Client:
    """A client with a member's key of every scope."""
    _, text = keys.make_key(town.members[name], "edge", sorted(keys.MEMBER_SCOPES))
    return Client(headers={"Authorization": f"Bearer {text}"})


def post(client: Client, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
    """A POST of JSON, with headers spelled as they are."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(
        V1 + path, json.dumps(body) if body is not None else "", content_type="application/json", headers=sent
    )


def opened(town: Town, **more: Any) -> Case:
    """A case of one report that came in just now."""
    more = {"severity": "medium", "received_at": now()} | more
    return town.case_of(town.report(**more))


def test_an_officers_day_goes_by_the_interface(town: Town) -> None:
    """Queue, case, accept, ask, reply, assess, update, crime number, form, answer, rate, take back."""
    case, desk, ferry = opened(town), holder(town), member(town)
    queue = desk.get(f"{V1}/cases/queue").json()
    assert [row["case_id"] for row in queue["rows"]] == [case.case_id]
    at = f"/cases/{case.case_id}"
    taken = post(desk, f"{at}/accept", **OLIVE)
    assert (taken.status_code, taken.json()["owner_name"], taken.json()["status"]) == (200, "Olive", "X-ACC")
    whole = desk.get(V1 + at).json()
    code = whole["ask"]["questions"][0]["code"]
    assert post(desk, f"{at}/ask", {"codes": [code]}, **OLIVE).json()["status"] == "X-MOR"
    question, report = Question.objects.get(), Report.objects.get()
    page = ferry.get(f"{V1}/reports/{report.report_id}/page").json()
    shown = page["questions"][0]
    value = shown["options"][0][0] if shown["options"] else "7"
    replied = post(ferry, f"/reports/{report.report_id}/questions/{question.question_id}", {"answer": value})
    assert replied.status_code == 200, replied.content
    assert replied.json()["questions"][0]["closed_at"] is not None
    assert post(desk, f"{at}/assess", {"status": "X-INV"}, **OLIVE).json()["status"] == "X-INV"
    update = next(iter(current_pack().updates))
    assert post(desk, f"{at}/update", {"code": update}, **OLIVE).status_code == 200
    example = current_pack().info.crime_number_example.split(" or ")[0]
    assert post(desk, f"{at}/crime-number", {"number": example}, **OLIVE).status_code == 200
    assert desk.get(V1 + at).json()["crime_number"]
    form = next(iter(current_pack().info.forms))
    assert any(field["value"] for field in desk.get(f"{V1}{at}/forms/{form}").json()["fields"])
    outcome = whole_outcome(desk.get(V1 + at).json())
    told = post(desk, f"{at}/answer", {"outcome_code": outcome}, **OLIVE)
    assert (told.status_code, told.json()["status"]) == (200, "X-OUT"), told.content
    assert post(ferry, f"/reports/{report.report_id}/rating", {"step": 3}).json()["rating"]["step"] == 3
    assert post(desk, f"{at}/withdraw", **OLIVE).json()["status"] == "X-INV"
    assert ferry.get(f"{V1}/notices").status_code == 200
    assert Decision.objects.filter(is_automatic=True).count() == 0


def whole_outcome(whole: dict[str, Any]) -> str:
    """An outcome that needs nothing more."""
    choices = whole["view"]["form"]["outcomes"]
    return next(
        str(one["outcome_code"])
        for one in choices
        if not one["needs_help"] and not one["needs_receiving_body"]
    )


def test_a_case_belongs_to_a_person_and_never_to_a_key(town: Town) -> None:
    """By itself a machine takes no case, nor judges one that nobody has; the clocks run on."""
    case, desk = opened(town), holder(town)
    for act, body in (("accept", None), ("assess", {"status": "X-INV"}), ("answer", {"outcome_code": "1"})):
        refused = post(desk, f"/cases/{case.case_id}/{act}", body)
        assert (refused.status_code, "On-Behalf-Of" in refused.json().get("hint", "")) == (403, True)
    case.refresh_from_db()
    assert case.owner_name == ""
    assert Clock.objects.filter(case=case, clock_id="P02", ended_at__isnull=True).exists()


def test_what_a_machine_decides_by_itself_is_never_follow_up(town: Town) -> None:
    """It is told as automatic, and counts in no figure; the next word of a person does."""
    case, desk = opened(town), holder(town)
    post(desk, f"/cases/{case.case_id}/accept", **OLIVE)
    by_itself = post(desk, f"/cases/{case.case_id}/assess", {"status": "X-INV"}).json()
    assert by_itself["is_automatic"] is True
    decision = Decision.objects.get()
    assert (decision.person_name, decision.is_automatic) == ("key desk", True)
    assert answers_since(now().replace(year=2020)) == {}
    assert funnel().assessed == 0 and funnel().owned == 1
    timeline = desk.get(f"{V1}/cases/{case.case_id}").json()["view"]["timeline"]
    assert timeline[-1]["is_automatic"] is True
    assert Clock.objects.filter(case=case, ended_by="automatic").exclude(clock_id="P01").exists()
    post(desk, f"/cases/{case.case_id}/assess", {"status": "X-INT"}, **OLIVE)
    assert len(answers_since(now().replace(year=2020))) == 1
    assert funnel().assessed == 1


def funnel() -> Any:
    """The follow-up funnel of everybody."""
    return funnel_of(current_pack(), Report.objects.count(), Share.objects.all())


@pytest.mark.parametrize("who", ["edna@example.org", "rita@example.org", "nobody@example.org", "", "x" * 300])
def test_only_somebody_who_decides_at_the_unit_can_be_named(town: Town, who: str) -> None:
    """Another unit's officer, a reporter, somebody unknown: the same refusal to the byte."""
    case, desk = opened(town), holder(town)
    refused = post(desk, f"/cases/{case.case_id}/accept", **{"On-Behalf-Of": who})
    assert refused.status_code == 403
    assert "nobody with that address" in refused.json()["detail"]
    assert post(member(town), "/reports", {}, **OLIVE).status_code == 403


def test_somebody_who_was_turned_off_is_named_in_vain(town: Town) -> None:
    """At once."""
    case, desk = opened(town), holder(town)
    Person.objects.filter(pk=town.people["olive"].pk).update(is_active=False)
    assert post(desk, f"/cases/{case.case_id}/accept", **OLIVE).status_code == 403


def test_a_key_that_reads_changes_nothing(town: Town) -> None:
    """`cases:read` alone, even in an officer's name."""
    case, desk = opened(town), holder(town, "kent", "cases:read")
    before = Entry.objects.count()
    assert post(desk, f"/cases/{case.case_id}/accept", **OLIVE).status_code == 403
    many = {"act": "accept", "case_ids": [case.case_id]}
    assert post(desk, "/bulk", many, **OLIVE).status_code == 403
    assert Entry.objects.count() == before


def test_a_key_of_another_unit_learns_no_more_of_a_case_than_of_none(town: Town) -> None:
    """404, the same to the byte."""
    case, other = opened(town), holder(town, "essex")
    answers = {other.get(f"{V1}/cases/{one}").content for one in (case.case_id, "case_0000000000A1")}
    assert len(answers) == 1
    assert other.get(f"{V1}/cases/queue").json()["rows"] == []
    assert (
        post(other, f"/cases/{case.case_id}/accept", **{"On-Behalf-Of": "edna@example.org"}).status_code
        == 404
    )


def test_a_sealed_case_is_closed_to_every_machine(town: Town) -> None:
    """Also in the name of somebody whom the seal names: people read what is sealed."""
    case, desk = opened(town), holder(town)
    seal_case(case, town.actor("saul"), [town.people["olive"]], "An officer is a suspect")
    assert desk.get(f"{V1}/cases/{case.case_id}", headers=OLIVE).status_code in (403, 404)
    assert post(desk, f"/cases/{case.case_id}/accept", **OLIVE).status_code in (403, 404)


def test_an_act_on_what_somebody_has_changed_is_refused(town: Town) -> None:
    """412, and nothing is done; with the new tag it is."""
    case, desk = opened(town), holder(town)
    tag = desk.get(f"{V1}/cases/{case.case_id}")["ETag"]
    services.accept_case(case, services.Responder.of(town.actor("saul"), case))
    stale = post(desk, f"/cases/{case.case_id}/assess", {"status": "X-INV"}, **OLIVE, If_Match=tag)
    assert (stale.status_code, stale.json()["type"]) == (412, "about:blank#stale")
    fresh = desk.get(f"{V1}/cases/{case.case_id}")["ETag"]
    assert not Decision.objects.exists()
    done = post(desk, f"/cases/{case.case_id}/assess", {"status": "X-INV"}, **OLIVE, If_Match=fresh)
    assert (done.status_code, done["ETag"]) == (200, desk.get(f"{V1}/cases/{case.case_id}")["ETag"])


def test_an_act_sent_again_is_done_once(town: Town) -> None:
    """The same answer to the byte; another body under the same name is refused; a refusal is not kept."""
    case, desk = opened(town), holder(town)
    named = {**OLIVE, "Idempotency-Key": "one"}
    early = post(desk, f"/cases/{case.case_id}/assess", {"status": "none"}, **named)
    assert early.status_code == 400
    first = post(desk, f"/cases/{case.case_id}/assess", {"status": "X-INV"}, **named)
    again = post(desk, f"/cases/{case.case_id}/assess", {"status": "X-INV"}, **named)
    assert (first.status_code, first.content, first["ETag"]) == (200, again.content, again["ETag"])
    assert again["Idempotency-Replayed"] == "true"
    assert Decision.objects.count() == 1
    other = post(desk, f"/cases/{case.case_id}/assess", {"status": "X-INT"}, **named)
    assert (other.status_code, other.json()["type"]) == (422, "about:blank#another-request")
    assert post(desk, f"/cases/{case.case_id}/withdraw", **{"Idempotency-Key": "a b"}).status_code == 400
    assert Answered.objects.count() == 1


def test_reports_go_apart_and_together(town: Town) -> None:
    """Detach, attach, merge, split and undo, each by its address."""
    for name in ("ferry", "medway", "ferry"):
        town.report(name, severity="medium", received_at=now())
    case, desk = Case.objects.get(), holder(town)
    post(desk, f"/cases/{case.case_id}/accept", **OLIVE)
    ids = list(Report.objects.order_by("pk").values_list("report_id", flat=True))
    one = {"report_id": ids[2], "reason": "another matter"}
    alone = post(desk, f"/cases/{case.case_id}/detach", one, **OLIVE)
    assert (alone.status_code, alone.json()["report_count"]) == (200, 1), alone.content
    assert post(desk, f"/cases/{case.case_id}/attach", one, **OLIVE).json()["report_count"] == 3
    some = {"report_ids": ids[1:], "reason": "two matters"}
    other = post(desk, f"/cases/{case.case_id}/split", some, **OLIVE).json()
    assert other["report_count"] == 2
    joined = {"case_id": other["case_id"], "reason": "one matter"}
    merged = post(desk, f"/cases/{case.case_id}/merge", joined, **OLIVE)
    assert merged.json()["report_count"] == 3
    move = desk.get(f"{V1}/cases/{case.case_id}").json()["moves"][0]["move_id"]
    undone = post(desk, f"/cases/{case.case_id}/moves/{move}/undo", {"reason": "no"}, **OLIVE)
    assert (undone.status_code, undone.json()["report_count"]) == (200, 1), undone.content
    missing = {"report_ids": [ids[0], "report_000000000000"], "reason": "no"}
    assert post(desk, f"/cases/{case.case_id}/split", missing, **OLIVE).status_code == 404
    assert desk.get(f"{V1}/suggestions").json() == {"pairs": [], "waiting": 0}


def test_many_cases_are_decided_by_a_person_and_taken_back(town: Town) -> None:
    """One act, a list of what was refused, one undo; never by a key alone."""
    ours = [opened(town, origins=(f"203.0.113.{number}",)) for number in (8, 19)]
    desk = holder(town)
    body = {"act": "accept", "case_ids": [*(case.case_id for case in ours), "case_0000000000A1"]}
    assert post(desk, "/bulk", body).status_code == 403
    result = post(desk, "/bulk", body, **OLIVE).json()
    assert sorted(result["done"]) == sorted(case.case_id for case in ours)
    assert [one["case_id"] for one in result["refused"]] == ["case_0000000000A1"]
    back = post(desk, f"/bulk/{result['bulk_id']}/undo", **OLIVE).json()
    assert sorted(back["done"]) == sorted(result["done"])
    assert not Case.objects.exclude(owner_name="").exists()


def test_the_supervisor_weighs_by_the_interface(town: Town) -> None:
    """Named by the unit's key; an officer's name is not enough."""
    desk = holder(town)
    chosen = {"severity": 50, "solvability": 20, "harm": 20, "volume": 10, "reason": "Harm first"}
    assert post(desk, "/weights/kent", chosen, **OLIVE).status_code == 403
    saul = {"On-Behalf-Of": "saul@example.org"}
    assert post(desk, "/weights/kent", chosen, **saul).json()["severity"] == 50
    assert desk.get(f"{V1}/weights/kent").json()["severity"] == 50
    assert post(desk, "/weights/kent/undo", **saul).json()["severity"] != 50
    assert post(desk, "/weights/essex", chosen, **saul).status_code == 404


def test_the_queue_goes_on_behind_its_last_row_whatever_comes_in(town: Town) -> None:
    """Pages of two cover all cases once, though others arrive between them; the link leads on."""
    made = {opened(town, origins=(f"203.0.113.{number}",)).case_id for number in range(1, 8)}
    desk, seen, address = holder(town), [], f"{V1}/cases/queue?limit=2"
    while address:
        page = desk.get(address)
        seen += [row["case_id"] for row in page.json()["rows"]]
        opened(town, origins=(f"203.0.113.{100 + len(seen)}",), severity="critical")
        address = page.get("Link", "").partition(">")[0].lstrip("<")
    assert len(seen) == len(set(seen))
    assert made <= set(seen)
    assert desk.get(f"{V1}/cases/queue?cursor=nonsense").status_code == 400
    newest, cursor = [], ""
    while cursor is not None:
        page = desk.get(f"{V1}/cases", {"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        newest += [one["case_id"] for one in page["cases"]]
        cursor = page["cursor"]
    assert len(newest) == len(set(newest)) == Case.objects.count()


def test_what_is_wrong_is_pointed_at(town: Town) -> None:
    """RFC 9457 with a JSON pointer into the body, or the parameter's name."""
    case, desk = opened(town), holder(town)
    unknown = post(desk, f"/cases/{case.case_id}/assess", {"status": "X-INV", "colour": "red"}).json()
    assert (unknown["type"], unknown["errors"][0]["pointer"]) == ("about:blank#bad-body", "/colour")
    wrong = post(desk, f"/cases/{case.case_id}/ask", {"codes": ["a", 7]}).json()
    assert wrong["errors"][0]["pointer"].startswith("/codes/")
    parameter = desk.get(f"{V1}/cases/queue?limit=0").json()
    assert parameter["errors"][0]["parameter"] == "limit"


CSV = """Ref,What,Level,State,Who,Began,Done
K/1,Stolen sessions,Serious,Open,olive@example.org,2026-01-05,
K/2,Old matter,Minor,Closed,Somebody Else,2025-03-01,2025-04-01
K/3,No owner,Minor,Open,nobody,2026-01-05,
K/4,No date,Minor,Open,Olive,tomorrow,
"""
MAP = {
    "columns": {
        "number": "Ref",
        "title": "What",
        "severity": "Level",
        "status": "State",
        "owner": "Who",
        "opened_at": "Began",
        "closed_at": "Done",
    },
    "values": {
        "severity": {"Serious": "high", "Minor": "low"},
        "status": {"Open": "X-INV", "Closed": "X-NFA"},
    },
    "defaults": {"kind": "intrusion-attempts/brute-force"},
}


def test_a_unit_brings_its_old_list_along_and_nothing_of_it_is_follow_up(town: Town) -> None:
    """Dry run first; every row is counted; again changes nothing; what is open is owed from now on."""
    desk = holder(town)
    dry = post(desk, "/imports/cases", {"map": MAP, "csv": CSV, "dry_run": True}).json()
    assert (dry["imported"], dry["known"], dry["rejected"], Case.objects.count()) == (2, 0, 2, 0)
    wet = post(desk, "/imports/cases", {"map": MAP, "csv": CSV}).json()
    assert [(row["line"], row["number"]) for row in wet["rejected_rows"]] == [(4, "K/3"), (5, "K/4")]
    assert wet["rejected_rows"][0]["content"]["What"] == "No owner"
    again = post(desk, "/imports/cases", {"map": MAP, "csv": CSV}).json()
    assert (again["imported"], again["known"], again["rejected"]) == (0, 2, 2)
    found = desk.get(f"{V1}/cases?number=K/1").json()["cases"]
    assert [(one["owner_name"], one["status"], one["is_automatic"]) for one in found] == [
        ("Olive", "X-INV", True)
    ]
    case = Case.objects.get(case_id=found[0]["case_id"])
    assert Clock.objects.filter(case=case, ended_at__isnull=True).exists()
    assert not Decision.objects.exists() and funnel().received == 0
    assert ForeignNumber.objects.count() == 2
    from tocsin.cases.audit import check_cases

    assert list(check_cases()) == []
    assert desk.get(f"{V1}/cases/{case.case_id}").status_code == 200
    assert holder(town, "essex").get(f"{V1}/cases?number=K/1").json()["cases"] == []


def lines_of(response: Any) -> list[dict[str, Any]]:
    """The lines of an NDJSON answer."""
    return [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]


def test_a_copy_of_the_cases_stays_up_to_date(town: Town) -> None:
    """From a position on: only what changed since, as it is now; what has left is told."""
    case, desk = opened(town), holder(town)
    first = lines_of(desk.get(f"{V1}/exports/cases"))
    assert [(line["case_id"], line["state"]["status"]) for line in first] == [(case.case_id, "X-DIS")]
    place = first[-1]["position"]
    assert lines_of(desk.get(f"{V1}/exports/cases?after={place}")) == []
    post(desk, f"/cases/{case.case_id}/accept", **OLIVE)
    second = lines_of(desk.get(f"{V1}/exports/cases?after={place}&detail=whole"))
    assert second[-1]["whole"]["view"]["owner"]["name"] == "Olive"
    post(desk, f"/cases/{case.case_id}/redirect", {"unit_id": "essex", "reason": "theirs"}, **OLIVE)
    third = lines_of(desk.get(f"{V1}/exports/cases?after={second[-1]['position']}"))
    assert third[-1]["event"] in ("passed on", "changed")
    if third[-1]["event"] == "passed on":
        assert third[-1]["state"] is None
    table = b"".join(desk.get(f"{V1}/exports/cases?form=csv").streaming_content).decode()
    assert table.startswith("position,event,case_id,into,")
    ferry = member(town)
    mine = lines_of(ferry.get(f"{V1}/exports/reports"))
    assert [line["report"]["report_id"] for line in mine] == [Report.objects.get().report_id]
    assert lines_of(ferry.get(f"{V1}/exports/reports?cursor={mine[-1]['cursor']}")) == []
    assert b"report_id" in b"".join(ferry.get(f"{V1}/exports/reports?form=csv").streaming_content)


def test_a_merged_case_is_told_as_one(town: Town) -> None:
    """With the case that has its reports now."""
    for name in ("ferry", "medway"):
        town.report(name, severity="medium", received_at=now())
    case, desk = Case.objects.get(), holder(town)
    post(desk, f"/cases/{case.case_id}/accept", **OLIVE)
    one = {"report_id": Report.objects.earliest("pk").report_id, "reason": "another matter"}
    other = post(desk, f"/cases/{case.case_id}/detach", one, **OLIVE).json()["case_id"]
    post(desk, f"/cases/{case.case_id}/merge", {"case_id": other, "reason": "one after all"}, **OLIVE)
    told = {line["case_id"]: line for line in lines_of(desk.get(f"{V1}/exports/cases"))}
    assert (told[other]["event"], told[other]["into"]) == ("merged", case.case_id)
    assert told[case.case_id]["event"] == "changed"


def test_scopes_of_units_and_members_do_not_mix(town: Town) -> None:
    """A member's key cannot be made to read cases, nor a unit's to report."""
    from tocsin.kernel.problems import BadInput

    with pytest.raises(BadInput):
        keys.make_key(town.members["ferry"], "edge", ["cases:read"])
    with pytest.raises(BadInput):
        keys.make_key(town.unit("kent"), "desk", ["reports:write"])
    assert Role.objects.filter(unit=town.unit("kent")).exists()
