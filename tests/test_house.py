"""The house keeps its own rules: words, transactions, and nothing of another place in it."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    if (ROOT / name).is_file()
]
SOURCES = [file for file in TRACKED if file.suffix == ".py" and "src" in file.relative_to(ROOT).parts]


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(file: Path) -> None:
    """Every module with code begins with a sentence."""
    tree = ast.parse(file.read_text())
    assert not tree.body or ast.get_docstring(tree) or "migrations" in file.parts or file.name == "apps.py"


def test_no_file_names_a_home_folder() -> None:
    """What is committed works anywhere: no path of one machine."""
    forbidden = re.compile(r"(?<![\w}])/(?:root|home/(?!amy|user)\w+)/")
    for file in TRACKED:
        if file.suffix in {".png", ".gz", ".woff2"} or file == Path(__file__):
            continue
        found = forbidden.search(file.read_text(errors="replace"))
        assert found is None, f"{file.relative_to(ROOT)}: {found[0] if found else ''}"


def test_no_list_of_packages_says_where_they_come_from() -> None:
    """Names, versions and hashes pin a package; its address is the business of whoever installs it."""
    for file in (ROOT / "requirements").iterdir():
        assert "://" not in file.read_text(), file.name
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()
    assert "://" not in (ROOT / ".npmrc").read_text()


def test_only_the_journal_opens_transactions() -> None:
    """`journal.act()` is the one way to write: a bare transaction could commit an act without its entry."""
    allowed = {"journal", "store", "jobs", "migrations"}
    for file in SOURCES:
        if allowed.isdisjoint(file.relative_to(ROOT).parts):
            assert "atomic(" not in file.read_text(), file.relative_to(ROOT)


def test_only_one_secret_name_is_ever_written_to_a_log() -> None:
    """No module prints or logs keys, salts or passwords."""
    leak = re.compile(r"(?:log(?:ger)?\.\w+|print|echo)\([^)]*\b(?:secret|salt|password|private)\b")
    for file in SOURCES:
        found = leak.search(file.read_text())
        assert found is None, f"{file.relative_to(ROOT)}: {found[0] if found else ''}"
