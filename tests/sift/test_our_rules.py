"""The rule files that come with Tocsin hold together; at run time they are believed."""

from collections import Counter
from importlib import resources

import pytest

from tocsin.sift import rulebook

FILES = sorted(
    (file for file in resources.files("tocsin.sift.rules").iterdir() if file.name.endswith(".toml")),
    key=lambda file: file.name,
)


@pytest.mark.parametrize("name", [file.name for file in FILES])
def test_a_rule_file_of_ours_holds_together(name: str) -> None:
    """It passes every check that a user's own file must pass."""
    (file,) = (file for file in FILES if file.name == name)
    assert rulebook.load(file.read_bytes()).service


def test_an_id_names_one_rule() -> None:
    """An observation names its rule by the id alone."""
    books = rulebook.ours()
    ids = [rule.id for book in books for rule in book.rules]
    ids += [rule.id for book in books for rule in book.records]
    assert [name for name, count in Counter(ids).items() if count > 1] == []


def test_every_rule_for_lines_has_a_sample_that_matches() -> None:
    """A rule without one proves nothing; one that only takes lines away needs one to show what."""
    bare = [rule.id for book in rulebook.ours() for rule in book.rules if not rule.samples]
    assert bare == []


def test_every_kind_is_one_of_the_country_packs() -> None:
    """A kind that nobody knows would never become a case."""
    table = resources.files("tocsin.reference").joinpath("data/gb/kinds.csv").read_text().splitlines()[1:]
    known = {line.partition(",")[0] for line in table}
    used = {rule.kind for book in rulebook.ours() for rule in book.rules}
    used |= {rule.kind for book in rulebook.ours() for rule in book.records}
    assert used <= known
