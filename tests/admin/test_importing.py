"""`tocsin admin import-cases`: a unit's own list, with what was refused kept beside it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cases.town import build_town

from tocsin.cases.models import Case
from tocsin.doors.admin.commands import admin
from tocsin.kernel.problems import BadInput

pytestmark = pytest.mark.django_db

MAP = """date_format = "%d/%m/%Y"
[columns]
number = "Ref"
severity = "Level"
status = "State"
owner = "Who"
opened_at = "Began"
closed_at = "Done"
[values.status]
Open = "X-INV"
Closed = "X-NFA"
[defaults]
kind = "intrusion-attempts/brute-force"
"""
LIST = """Ref;Level;State;Who;Began;Done
1;high;Open;Olive;05/01/2026;
2;high;Open;nobody;05/01/2026;
"""


def test_a_list_is_tried_taken_mended_and_taken_again(tmp_path: Path) -> None:
    """What was refused stands in a file of its own with the reason; mended, that file goes in as it is."""
    build_town()
    listed, mapped = tmp_path / "cases.csv", tmp_path / "map.toml"
    listed.write_text(LIST)
    mapped.write_text(f'delimiter = ";"\n{MAP}')
    run = CliRunner().invoke
    words = ["--unit", "kent", "--map", str(mapped)]
    tried = run(admin, ["import-cases", str(listed), *words, "--dry-run"])
    assert "1 would be imported, 0 known, 1 rejected" in tried.output
    assert not Case.objects.exists() and len(list(tmp_path.iterdir())) == 2
    taken = run(admin, ["import-cases", str(listed), *words, "--json"])
    assert json.loads(taken.stdout.splitlines()[0])["imported"] == 1
    kept = tmp_path / "cases.csv.rejected.csv"
    assert "needs an owner" in kept.read_text()
    kept.write_text(kept.read_text().replace(";nobody;", ";Olive;"))
    again = run(admin, ["import-cases", str(kept), *words])
    assert "1 imported, 0 known, 0 rejected" in again.output
    assert "0 imported, 2 known, 0 rejected" in run(admin, ["import-cases", str(listed), *words]).output
    assert Case.objects.count() == 2


@pytest.mark.parametrize("text", ["[columns]\ntitle = 'What'", "[columns]\nnumber = 'Nr'", "colour = 1", "="])
def test_a_map_that_does_not_fit_is_refused_as_a_whole(tmp_path: Path, text: str) -> None:
    """Nothing is imported by a map that names no number, another column, or what it must not."""
    build_town()
    listed, mapped = tmp_path / "cases.csv", tmp_path / "map.toml"
    listed.write_text(LIST)
    mapped.write_text(text)
    result = CliRunner().invoke(admin, ["import-cases", str(listed), "--unit", "kent", "--map", str(mapped)])
    assert isinstance(result.exception, BadInput)
    assert not Case.objects.exists()
