"""The server's commands, as somebody at the exchange's machine uses them."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result
from tests.exchange import a_key, a_report, spelled

from tocsin.access.keys import actor_of_key
from tocsin.access.models import Person, Unit
from tocsin.doors.admin.commands import admin, check, serve
from tocsin.intake import services
from tocsin.intake.models import Report
from tocsin.kernel.problems import BadInput, Conflict, NotFound, NotGenuine, Problem

pytestmark = pytest.mark.django_db


def run(*words: str, **more: str) -> Result:
    return CliRunner().invoke(admin, words, **more)


def problem_of(result: Result) -> Problem:
    assert isinstance(result.exception, Problem), result.output
    return result.exception


def test_a_member_gets_a_key_that_works() -> None:
    """Added, listed, given a key, the key used, revoked."""
    added = json.loads(run("member", "add", "Northern", "--force", "kent", "--json").output)
    assert added["member_id"] in run("member", "list").output
    made = json.loads(run("key", "make", "Northern", "edge", "--days", "30", "--json").output)
    assert actor_of_key(made["key"]).members[0].name == "Northern"
    listed = json.loads(run("key", "list", "Northern", "--json").output)
    assert [(row["prefix"], row["state"]) for row in listed] == [(made["prefix"], "current")]
    assert run("key", "revoke", made["prefix"]).exit_code == 0
    assert json.loads(run("key", "list", "--json").output)[0]["state"] == "ended"


def test_a_person_gets_a_password_once() -> None:
    """Generated and printed, or read from standard input when it is good enough."""
    shown = json.loads(run("person", "add", "a@example.org", "Ann", "--generate", "--json").output)
    assert Person.objects.get(email="a@example.org").check_password(shown["password"])
    said = run("person", "add", "b@example.org", "Bob", input="correct horse battery\n")
    assert Person.objects.get(email="b@example.org").check_password("correct horse battery")
    assert "correct" not in said.output
    assert isinstance(problem_of(run("person", "add", "c@example.org", "C", input="short\n")), BadInput)


def test_roles_and_units() -> None:
    """An officer of a unit that joined."""
    Unit.objects.get_or_create(unit_id="kent", defaults={"name": "Kent Police", "kind": "force"})
    run("person", "add", "a@example.org", "Ann", "--generate")
    assert "Ann is officer at" in run("role", "give", "a@example.org", "officer", "--unit", "kent").output
    assert "has joined" in run("unit", "join", "kent").output
    rows = json.loads(run("unit", "list", "--joined", "--json").output)
    assert [row["unit_id"] for row in rows] == ["kent"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("key", "make", "Nobody", "edge"), NotFound),
        (("key", "revoke", "000000000000"), NotFound),
        (("role", "give", "nobody@example.org", "coordinator"), NotFound),
        (("unit", "join", "nowhere"), NotFound),
        (("member", "suspend", "Nobody", "--reason", "x"), NotFound),
        (("member", "add", " ", "--force", "kent"), BadInput),
        (("member", "add", "Northern", "--force", "metropolis"), NotFound),
    ],
)
def test_mistakes_are_problems(words: tuple[str, ...], problem: type[Problem]) -> None:
    """With a sentence, and never a trace."""
    assert isinstance(problem_of(run(*words)), problem)


def test_check_is_content_with_an_honest_journal_and_names_what_was_changed() -> None:
    """Exit status 0, or 8 with the name of what does not fit."""
    services.submit(a_key(), [spelled(a_report())])
    honest = CliRunner().invoke(check)
    assert (honest.exit_code, honest.output.splitlines()[-1]) == (0, "everything fits")
    Report.objects.update(content=b"{}")
    found = CliRunner().invoke(check, ["--json"])
    assert isinstance(problem_of(found), NotGenuine)
    assert problem_of(found).exit_code == 8
    (finding,) = json.loads(found.output)["findings"]
    assert finding["what"] == f"report {Report.objects.get().report_id}"


def test_serve_says_when_the_port_is_taken() -> None:
    """Before anything is started."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = CliRunner().invoke(serve, ["--port", str(taken.getsockname()[1])])
    assert isinstance(problem_of(result), Conflict)


def test_the_commands_module_loads_without_django() -> None:
    """`tocsin --help` finds it by entry point and must stay quick."""
    code = "import sys, tocsin.doors.admin.commands; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_search_is_rebuilt_and_cases_are_scored_anew() -> None:
    """What the worker keeps up to date can be made again by hand."""
    assert run("search", "rebuild").output == "0 cases can be found again\n"
    assert run("rescore").output == "0 open cases are scored\n"
