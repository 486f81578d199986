"""The nation's benchmark, in its short form: made, sifted, taken in by a served exchange, judged."""

import os

import pytest
from bench import nation as bench

SIZE = (40, 20, 14) if os.environ.get("TOCSIN_SOAK") == "1" else (8, 5, 7)


@pytest.mark.soak
def test_a_nation_is_taken_in_end_to_end() -> None:
    """Every report is taken and linked, cases are far fewer than reports, and what is told is true."""
    providers, forces, days = SIZE
    rows = {row["what"]: row for row in bench.run(21, providers, forces, days)}
    for row in rows.values():
        print(row)
    made, sifted = rows["the nation is made"], rows["all of it is sifted"]
    taken = rows["it is taken in by a served exchange"]
    assert sifted["lines"] >= made["lines"]
    assert taken["refused"] == 0
    assert 0 < taken["cases"] < taken["reports"] <= sifted["attacks"]
    assert taken["members"] < providers
    judged = rows["judged by the truth: all"]
    assert judged["evidence_recall"] >= 0.99
    assert judged["precision"] >= 0.9
