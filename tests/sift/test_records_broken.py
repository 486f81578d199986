"""Broken records: counted, kept, and exactly those."""

import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sift.logs import sift_text
from tests.sift.mutations import mutate
from tests.sift.record_samples import MAPPING, ORIGIN, alert, bans, crowdsec, flow, lines, zeek
from tests.sift.test_records import ROWS, ZEEK

from tocsin.sift import rulebook
from tocsin.sift.engine import Options, sift

EVE = lines([alert(), flow(), alert("192.0.2.2"), flow()] * 3)
CSV = b"when,who,nas,result,tries\n" + b"2026-01-07 03:04:05,192.0.2.1,198.51.100.1,reject,2\n" * 5
ROUNDS = 2_000 if os.environ.get("TOCSIN_SOAK") == "1" else 60


@pytest.mark.parametrize(
    "broken",
    [
        b'{"a": 1',
        b'{"a": }',
        b"{nothing}",
        b'{"a": 1}{"b": 2} x',
        b'{"a": 01}',
        b'{"a":\t"\x01"}',
        b"[" * 5000,
    ],
)
def test_exactly_the_broken_line_is_rejected(broken: bytes, tmp_path: Path) -> None:
    """A broken line among good ones is rejected by its number and its text; the others count."""
    head, tail = lines([alert(), flow()]), lines([alert(), alert()])
    kept = tmp_path / "kept"
    sifted = sift_text(tmp_path, head + broken + b"\n" + tail, "eve.json", rejects=kept)
    assert (sifted.balance.observed, sifted.balance.noise, sifted.balance.rejected) == (3, 1, 1)
    assert kept.read_bytes().split(b"\t", 3)[1:] == [b"3", b"broken JSON", broken + b"\n"]
    assert sifted.attacks[0].evidence[0].lines == (1, 4, 5)


def test_a_value_that_spans_lines_shifts_no_number(tmp_path: Path) -> None:
    """Two halves of a record are two broken lines, although a lenient reader would join them."""
    content = lines([alert()]) + b'{"a":\n1}\n' + b'{"b": 1}{"c": 2}\n' + lines([alert()])
    sifted = sift_text(tmp_path, content, "eve.json")
    assert sifted.balance.read == 5 and sifted.attacks[0].evidence[0].lines == (1, 5)


def test_what_is_no_utf8_is_read_and_kept_as_it_was(tmp_path: Path) -> None:
    """A byte that is no UTF-8 may stand in a name that an attacker chose: the record still counts."""
    odd = lines([alert(note="@")]).replace(b"@", b"\xff\xfe")
    sifted = sift_text(tmp_path, lines([alert()]) + odd, "eve.json")
    assert (sifted.balance.observed, sifted.balance.rejected) == (2, 0)


def test_blank_lines_and_windows_line_ends_are_noise_at_most(tmp_path: Path) -> None:
    """Blank lines are counted, CR before LF belongs to no record."""
    content = lines([alert(), alert()]).replace(b"\n", b"\r\n\r\n")
    sifted = sift_text(tmp_path, content, "eve.json")
    assert (sifted.balance.observed, sifted.balance.noise, sifted.balance.rejected) == (2, 2, 0)


def test_a_line_longer_than_a_block_is_rejected_and_the_rest_is_read(tmp_path: Path) -> None:
    """A line of more than 16 MB is never held, and never lost from the balance."""
    huge = b'{"a":"' + b"x" * (17 << 20) + b'"}\n'
    sifted = sift_text(tmp_path, lines([alert()] * 2) + huge + lines([alert()]), "eve.json")
    assert (sifted.balance.observed, sifted.balance.rejected) == (3, 1)


def test_odd_types_are_read_as_nothing_and_never_raise(tmp_path: Path) -> None:
    """Where a rule expects a value there may be a list, an object, or a number of any size."""
    odd = [[], {}, None, True, 10**30, "x" * 1000, [1, {}], {"severity": []}]
    records = [
        alert(**{field: value}) for field in ("src_ip", "alert", "event_type", "proto") for value in odd
    ]
    sifted = sift_text(tmp_path, lines([alert(), *records]), "eve.json")
    assert sifted.balance.read == len(records) + 1 and sifted.balance.rejected == 0


@pytest.mark.parametrize("name", ["eve", "zeek", "csv", "alerts", "bans"])
def test_mutated_records_never_break_the_balance(name: str, tmp_path: Path) -> None:
    """Mutations of every form: a result or a rejection each; lines in are lines out."""
    chance = random.Random(name)
    table = bans(tmp_path / "f2b", [("sshd", ORIGIN, 1767755045, '{"failures": 7}')] * 5).read_bytes()
    contents = {
        "eve": EVE, "zeek": zeek(ZEEK, ROWS), "csv": CSV, "bans": table,
        "alerts": json.dumps([crowdsec()] * 3, indent=1).encode(),
    }  # fmt: skip
    mapping = rulebook.load(MAPPING) if name == "csv" else None
    for _ in range(ROUNDS):
        content = mutate(contents[name], chance)
        balance = sift_text(tmp_path, content, "x", mapping=mapping).balance
        if name in ("eve", "zeek") and content.startswith(contents[name][:60]):
            assert balance.read == content.count(b"\n") + (not content.endswith(b"\n")), content


WHOLE = json.dumps(alert()).encode()
PIECES = (
    WHOLE, lines([flow()])[:-1], b'{"event_type":"alert"',
    b'{"a":', b"1}", b"{} {}", b"{}{}", b'"alert"', b"", b" ",
)  # fmt: skip
# A quoted word of its own may name another format (`"IDEA0"`), whose reader then takes the source.
LINE = st.sampled_from(PIECES) | st.binary(max_size=12).filter(lambda line: not {*b'\n"'} & {*line})


@settings(max_examples=60, deadline=None)
@given(st.lists(LINE, max_size=12))
def test_any_lines_add_up(tmp_path_factory: pytest.TempPathFactory, given_lines: list[bytes]) -> None:
    """Whatever stands between records: every line is observed, noise or rejected, once, by its own number."""
    head = lines([alert(), flow()])
    content = head + b"".join(line + b"\n" for line in given_lines)
    sifted = sift_text(tmp_path_factory.mktemp("x"), content, "eve.json")
    assert sifted.balance.read == 2 + len(given_lines)
    expected = (1, *(number for number, line in enumerate(given_lines, start=3) if line == WHOLE))
    assert sifted.attacks[0].evidence[0].lines == expected


def test_a_damaged_database_or_table_is_named(tmp_path: Path) -> None:
    """What is cut short gives a reason, not a traceback."""
    path = bans(tmp_path / "f2b", [("sshd", ORIGIN, 1767755045, None)])
    path.write_bytes(path.read_bytes()[:3000])
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and nothing more")
    balance = sift([str(tmp_path)], Options()).balance
    assert balance.rejected == 2
    assert {"a damaged database", "a damaged Parquet file"} == set(balance.reasons)
