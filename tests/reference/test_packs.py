"""Country packs: whole, cross-checked, and refused with the file, the line and the reason."""

import shutil
from importlib import resources
from pathlib import Path

import pytest

from tocsin.reference import pack
from tocsin.reference.loader import BadPack, load


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the British pack to break."""
    source = Path(str(resources.files("tocsin.reference"))) / "data" / "gb"
    return Path(shutil.copytree(source, tmp_path / "gb"))


def test_the_british_pack_has_every_force_region_outcome_and_clock() -> None:
    """The figures of the reference files, and the 43 forces of England and Wales, each with its region."""
    gb = pack("gb")
    forces = [unit for unit in gb.units.values() if unit.kind == "force"]
    assert len(forces) == 51
    assert len([unit for unit in gb.units.values() if unit.kind == "regional"]) == 10
    assert len(gb.clocks) == 43 and len(gb.kinds) == 46 and len(gb.outcomes) == 25
    in_regions = [unit for unit in forces if unit.parent_id and gb.units[unit.parent_id].kind == "regional"]
    assert len(in_regions) == 43
    assert {unit.nation for unit in in_regions} == {"ENG", "WLS"}
    assert {str(number) for number in range(1, 23)} <= gb.outcomes.keys()


@pytest.mark.parametrize("country", ["gb", "nl"])
def test_every_rule_says_where_it_comes_from_and_how_sure_we_are(country: str) -> None:
    """Legal reference, status and confidence stand in every row; what was cited was compared on a date."""
    found = pack(country)
    for table in (found.units, found.outcomes, found.statuses, found.clocks, found.kinds, found.help):
        for row in table.values():
            assert row.legal_ref and row.status and row.confidence, row
            assert (row.checked_on is not None) == ("cited" in row.confidence), row
    assert all(rule.legal_ref and rule.confidence for rule in found.routes)


@pytest.mark.parametrize("country", ["gb", "nl"])
def test_every_prepared_sentence_can_be_filled(country: str) -> None:
    """No other place-holder than those that the code fills."""
    found = pack(country)
    for outcome in found.outcomes.values():
        assert "{" not in outcome.words.replace("{facts}", "").replace("{receiving_body}", "")
        assert ("{receiving_body}" in outcome.words) == outcome.needs_receiving_body
    for clock in found.clocks.values():
        assert "{" not in clock.what.replace("{unit}", "")
    names = dict.fromkeys(("investigating", "support", "kind", "forces", "regions", "reports"), "x")
    for rule in found.routes:
        assert "{" not in rule.reason.format_map(names) + rule.told.format_map(names)


def test_what_is_told_to_reporters_counts_nobody() -> None:
    """A reason that counts forces or regions has another wording for them."""
    for country in ("gb", "nl"):
        for rule in pack(country).routes:
            told = rule.told or rule.reason
            assert "{forces}" not in told and "{regions}" not in told and "{reports}" not in told


def test_a_retired_force_leads_to_its_successor(copied: Path) -> None:
    """The force list has dates; a chain of successors is followed, a circle is not."""
    import datetime as dt

    units = copied / "units.csv"
    text = units.read_text()
    text = text.replace(
        "kent,Kent Police,force,ENG,erocu,,,,", "kent,Kent Police,force,ENG,erocu,,2027-03-31,essex,"
    )
    units.write_text(text)
    changed = load(copied)
    assert changed.current_unit("kent", dt.date(2027, 3, 31)).unit_id == "kent"
    assert changed.current_unit("kent", dt.date(2027, 4, 1)).unit_id == "essex"


@pytest.mark.parametrize(
    ("file", "before", "after", "message"),
    [
        ("clocks.csv", "P02,exchange", "P01,exchange", "'P01' stands twice"),
        ("clocks.csv", ",1,working_days,4", ",soon,working_days,4", "clocks.csv line 3: .*duration"),
        ("clocks.csv", ",15,minutes", ",15,fortnights", "clocks.csv line 2: .*unit"),
        ("units.csv", ",nca-nccu,", ",nobody,", "'nobody', which is no unit"),
        ("units.csv", "force,ENG", "army,ENG", "units.csv line .*kind"),
        ("outcomes.csv", ",no,no,no,", ",perhaps,no,no,", "outcomes.csv line 2: .*needs_help"),
        ("outcomes.csv", "colp-reportfraud", "colp", "'colp', which is no unit"),
        ("statuses.csv", "X-ACK,acknowledged", "X-ACK", "statuses.csv line 2: the number of cells"),
        ("transitions.csv", "X-OUT", "X-GONE", "'X-GONE' is no status"),
        (
            "routing.toml",
            'rule = "victim-force"\nwhen = {}',
            'rule = "x"\nwhen = { lane = "y" }',
            "last rule",
        ),
        ("routing.toml", "when = {}", "when = { moon = 1 }", "routing.toml rule 10: .*moon"),
        ("routing.toml", "[[rule]]", "[[rule]", "routing.toml: "),
        ("pack.toml", '"iwf"', '"nobody"', "'nobody' is no unit"),
    ],
)
def test_a_broken_pack_is_refused_with_the_place_and_the_reason(
    copied: Path, file: str, before: str, after: str, message: str
) -> None:
    """Whoever edits a pack by hand is told what to mend."""
    path = copied / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(BadPack, match=message):
        load(copied)


def test_a_missing_file_or_country_is_named() -> None:
    """Not a traceback."""
    with pytest.raises(BadPack, match="no country pack 'xx'"):
        pack("xx")
