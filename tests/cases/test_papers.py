"""Papers: forms that fill themselves, the number that comes back, and documents that data cannot break."""

import csv
import io

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cases.town import NOON, Town

from tocsin import reference
from tocsin.cases.models import CrimeNumber
from tocsin.cases.papers.crime_numbers import normal_number, record_crime_number
from tocsin.cases.papers.facts import SOURCES
from tocsin.cases.papers.filling import fill
from tocsin.cases.responders import Responder
from tocsin.doors.web.documents import Block, Paper, typeset
from tocsin.journal.models import Entry
from tocsin.kernel.problems import BadInput, NotAllowed, NotFound


@pytest.mark.parametrize("country", ["gb", "nl"])
def test_every_field_of_a_form_has_a_source_or_somebody_who_knows_it(country: str) -> None:
    """A pack names no source that does not exist, and every form in it has a title."""
    pack = reference.pack(country)
    assert {row.source for row in pack.forms} - {""} <= SOURCES.keys()
    assert {row.form for row in pack.forms} == pack.info.forms.keys()
    assert all(row.source or row.by != "exchange" for row in pack.forms)


def test_a_form_is_filled_from_the_case_and_says_what_is_missing(town: Town) -> None:
    """What the reports hold stands there; the rest names who knows it; and it says that it is unofficial."""
    case = town.case_of(town.report("ferry", delete_at=NOON.replace(day=20)))
    town.report("medway")
    filled = fill(case, "crime-record", NOON)
    values = {one.field: one for one in filled.fields}
    assert "Ferry" in values["reporter"].value and "Medway" in values["reporter"].value
    assert values["addresses"].value == "203.0.113.7"
    assert "2026-11-20" in values["logs"].value
    assert values["online"].value == "yes"
    assert (values["identity"].value, values["identity"].missing) == ("", "for the officer to fill in")
    assert "not Report Fraud" in filled.unofficial and filled.unofficial in filled.text
    assert fill(case, "intelligence", NOON).fields[0].missing


def test_a_provider_s_own_customer_is_on_no_form(town: Town) -> None:
    """A customer came as a token, and leaves as words."""
    case = town.case_of(town.report("ferry", origins=("token:" + "ab" * 16,)))
    for form in ("crime-record", "intelligence"):
        text = fill(case, form, NOON).text
        assert "token:" not in text and "abab" not in text
        assert "own customer" in text


def test_the_restricted_lane_is_on_no_form(town: Town) -> None:
    """Nothing about child-abuse material is printed by the exchange."""
    case = town.case_of(town.report("ferry", lane="restricted", kind="abusive-content/violence"))
    with pytest.raises(NotAllowed):
        fill(case, "crime-record", NOON)
    with pytest.raises(NotFound):
        fill(town.case_of(town.report("ferry")), "nonsense", NOON)


@pytest.mark.parametrize(
    ("pasted", "number"),
    [
        ("42/12345/26", "42/12345/26"),
        ("  Crime ref:  42 / 12345 / 26 \n", "42/12345/26"),
        ("nfrc261112345678", "NFRC261112345678"),
        ("46/0012345/26.", "46/0012345/26"),
    ],
)
def test_a_number_is_taken_as_it_was_pasted(pasted: str, number: str) -> None:
    """Words before it, spaces and small letters are nobody's work."""
    assert normal_number(pasted) == number


@pytest.mark.parametrize("pasted", ["", "none yet", "42/12345/26 and 42/12346/26", "<script>"])
def test_what_is_no_number_is_refused(pasted: str) -> None:
    """Nothing is kept that nobody could look up."""
    with pytest.raises(BadInput):
        normal_number(pasted)


def test_the_number_is_kept_told_and_corrected(town: Town) -> None:
    """The same again changes nothing; another one replaces it, and the first stays with its time."""
    case = town.case_of(town.report("ferry"))
    olive = Responder.of(town.actor("olive"), case)
    record_crime_number(case, olive, "42/12345/26", NOON)
    before = Entry.objects.filter(event="cases:crime:recorded").count()
    record_crime_number(case, olive, "42/12345/26", NOON)
    assert Entry.objects.filter(event="cases:crime:recorded").count() == before == 1
    record_crime_number(case, olive, "42/12346/26", NOON)
    kept = CrimeNumber.objects.order_by("pk").values_list("number", "replaced_at")
    assert list(kept) == [("42/12345/26", NOON), ("42/12346/26", None)]
    assert {one.field: one.value for one in fill(case, "crime-record", NOON).fields}[
        "number"
    ] == "42/12346/26"


def test_the_pages_offer_the_papers_and_take_the_number(town: Town, client: Client) -> None:
    """An officer opens a form, keeps it as every kind of file, and pastes the number once."""
    report = town.report("ferry")
    case = town.case_of(report)
    client.force_login(town.people["olive"])
    page = client.get(f"/cases/{case.case_id}").content.decode()
    assert f"/cases/{case.case_id}/forms/crime-record" in page
    shown = client.get(f"/cases/{case.case_id}/forms/crime-record").content.decode()
    assert "203.0.113.7" in shown and "Unofficial" in shown
    kinds = {"pdf": b"%PDF-", "json": b'{"form"', "txt": b"Crime record", "csv": b"form,"}
    for kind, begins in kinds.items():
        answer = client.get(f"/cases/{case.case_id}/forms/crime-record/{kind}")
        assert answer.content.startswith(begins), kind
        assert "attachment" in answer["Content-Disposition"]
    assert client.get(f"/cases/{case.case_id}/forms/crime-record/exe").status_code == 404
    assert client.get(f"/cases/{case.case_id}/summary").content.startswith(b"%PDF-")
    typed = client.post(f"/cases/{case.case_id}/crime-number", {"crime_number": "42/12345/26"}, follow=True)
    assert "42/12345/26" in typed.content.decode()
    wrong = client.post(f"/cases/{case.case_id}/crime-number", {"crime_number": "none"}, follow=True)
    assert "no crime number" in wrong.content.decode()


def test_the_papers_of_others_stay_closed(town: Town, client: Client) -> None:
    """Another unit's officer and a reporter find nothing; nobody is asked to sign in."""
    report = town.report("lakes")
    case = town.case_of(report)
    paths = (f"/cases/{case.case_id}/forms/crime-record", f"/cases/{case.case_id}/summary")
    for path in paths:
        assert client.get(path).status_code == 401
    client.force_login(town.people["olive"])
    for path in paths:
        assert client.get(path).status_code == 404


def test_a_reporter_prints_the_own_report(town: Town, client: Client) -> None:
    """What a reporter prints is the own report alone."""
    report = town.report("ferry")
    client.force_login(town.people["rita"])
    assert client.get(f"/reports/{report.report_id}/summary").content.startswith(b"%PDF-")
    other = town.report("lakes")
    assert client.get(f"/reports/{other.report_id}/summary").status_code == 404


def test_a_file_for_spreadsheets_holds_no_formula(town: Town, client: Client) -> None:
    """What begins like a formula is written as text."""
    case = town.case_of(town.report("ferry", service="=cmd()"))
    client.force_login(town.people["olive"])
    content = client.get(f"/cases/{case.case_id}/forms/crime-record/csv").content.decode()
    rows = {row["field"]: row["value"] for row in csv.DictReader(io.StringIO(content))}
    assert rows["targets"].startswith("'=")
    assert rows["identity"] == ""


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=4, max_size=4), st.text(max_size=60))
def test_no_text_can_break_a_document(cells: list[str], title: str) -> None:
    """Whatever a log line holds, it is typeset as text, and the same values give the same bytes."""
    paper = Paper(
        title,
        cells[0],
        '#panic("x") $ [ ] \\ ' + cells[1],
        cells[2],
        (
            Block(cells[3], "fields", ((cells[0], cells[1]),)),
            Block(title, "table", ((cells[2], cells[3]),), ("A", "B")),
            Block("none", "table", (), ("A",), "nothing"),
        ),
    )
    made = typeset(paper)
    assert made.startswith(b"%PDF-")
    assert typeset(paper) == made
