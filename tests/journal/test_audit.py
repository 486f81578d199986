"""Whoever changes the journal behind its back is found, and what was changed is named."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction
from tests.exchange import a_key, a_report, spelled

from tocsin.intake import services
from tocsin.journal.acts import act
from tocsin.journal.models import Entry
from tocsin.journal.queries import audit, wire_entry
from tocsin.kernel.canonical import canonical_bytes
from tocsin.proof import merkle

pytestmark = pytest.mark.django_db

TABLES = ("journal_entry", "journal_tile", "journal_signedhead")


def sql(*statements: str) -> None:
    """Run statements past every trigger, as somebody with the database file can."""
    with connection.cursor() as cursor:
        on = " ON {table}" if connection.vendor == "postgresql" else ""
        for table in TABLES:
            for verb in ("UPDATE", "DELETE"):
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}" + on.format(table=table))
        for statement in statements:
            cursor.execute(statement.replace("X'", "'\\x" if connection.vendor == "postgresql" else "X'"))


def fill() -> None:
    """300 entries with contents; a member, a key (300, 301); three reports (302 to 304), one twice (305)."""
    for _ in range(3):
        with act() as recorded:
            for number in range(100):
                recorded.record("test:thing:done", "thing", {"n": number})
    actor, reports = a_key(), [a_report(attack_id=f"attack_{n:032x}") for n in range(3)]
    services.submit(actor, [spelled(report) for report in reports])
    services.submit(actor, [spelled(a_report(attack_id=f"attack_{0:032x}", count=99))])


ZEROS = "00" * 32
ENTRY, REPORT = "UPDATE journal_entry SET", "UPDATE intake_report SET"
Tampering = tuple[str, list[str], list[str]]

CASES: list[Tampering] = [
    (
        "an entry's event",
        [f"{ENTRY} event = 'test:thing:undone' WHERE seq = 17"],
        ["entry 17"],
    ),
    ("an entry's subject", ["UPDATE journal_entry SET subject = 'other' WHERE seq = 18"], ["entry 18"]),
    (
        "an entry's commitment",
        [f"UPDATE journal_entry SET commitment = X'{ZEROS}' WHERE seq = 19"],
        ["entry 19", "content of entry 19"],
    ),
    (
        "an entry's leaf",
        [f"UPDATE journal_entry SET leaf = X'{ZEROS}' WHERE seq = 20"],
        ["entry 20", "tree head of size 100", "tile 1/0"],
    ),
    ("a missing entry", ["DELETE FROM journal_entry WHERE seq = 42"], ["entry 42", "tree head of size 100"]),
    ("missing entries", ["DELETE FROM journal_entry WHERE seq BETWEEN 40 AND 49"], ["entries 40 to 49"]),
    (
        "the newest entries gone",
        ["DELETE FROM journal_entry WHERE seq >= 303"],
        ["entries 303 to 305"],
    ),
    (
        "the newest entries gone, and the head row set back",
        ["DELETE FROM journal_entry WHERE seq >= 302", "UPDATE journal_head SET size = 302"],
        ["tree head of size 305", "tree head of size 306", "frontier"],
    ),
    (
        "reordered entries",
        [
            "UPDATE journal_entry SET seq = 9000 WHERE seq = 7",
            "UPDATE journal_entry SET seq = 7 WHERE seq = 8",
            "UPDATE journal_entry SET seq = 8 WHERE seq = 9000",
        ],
        ["entry 7", "entry 8"],
    ),
    ("a tile", [f"UPDATE journal_tile SET root = X'{ZEROS}'"], ["tile 1/0"]),
    ("a missing tile", ["DELETE FROM journal_tile"], ["tile 1/0"]),
    ("an invented tile", ["UPDATE journal_tile SET level = 2"], ["tile 1/0", "tile 2/0"]),
    (
        "a content",
        ["UPDATE journal_content SET content = X'7b7d' WHERE entry_id = 5"],
        ["content of entry 5"],
    ),
    ("a salt", [f"UPDATE journal_content SET salt = X'{ZEROS}' WHERE entry_id = 6"], ["content of entry 6"]),
    ("the frontier", [f"UPDATE journal_head SET frontier = X'{ZEROS}'"], ["frontier"]),
    ("an absurd size", ["UPDATE journal_head SET size = 4000000000000"], ["entries 306 to 3999999999999"]),
    ("the size", ["UPDATE journal_head SET size = 400"], ["entries 306 to 399"]),
    (
        "a head's root",
        [f"UPDATE journal_signedhead SET root = X'{ZEROS}' WHERE tree_size = 200"],
        ["tree head of size 200"],
    ),
    (
        "a head's signature",
        [f"UPDATE journal_signedhead SET signature = X'{ZEROS}{ZEROS}' WHERE tree_size = 200"],
        ["tree head of size 200"],
    ),
    (
        "the newest head gone",
        ["DELETE FROM journal_signedhead WHERE tree_size = 306"],
        ["tree head of size 306"],
    ),
    ("a report's content", ["UPDATE intake_report SET content = X'7b7d' WHERE entry_seq = 303"], ["report "]),
    ("a report's column", ["UPDATE intake_report SET severity = 'low' WHERE entry_seq = 303"], ["report "]),
    (
        "a report pointing elsewhere",
        [f"{REPORT} entry_seq = 9999 WHERE entry_seq = 303"],
        ["report "],
    ),
    ("an earlier version", ["UPDATE intake_earlierversion SET content = X'7b7d'"], ["version 1 of report "]),
    ("a report gone", ["DELETE FROM intake_report WHERE entry_seq = 303"], ["report "]),
]


def test_an_untouched_journal_has_no_findings() -> None:
    """Nothing is found where nothing was done."""
    fill()
    assert audit() == []


@pytest.mark.parametrize(("what", "statements", "named"), CASES, ids=[case[0] for case in CASES])
def test_tampering_is_found_and_named(what: str, statements: list[str], named: list[str]) -> None:
    """Every finding expected is there, by its name."""
    fill()
    sql(*statements)
    found = [finding.what for finding in audit()]
    for name in named:
        assert any(item == name or (name.endswith(" ") and item.startswith(name)) for item in found), found


def test_a_well_made_forgery_fails_the_signed_heads() -> None:
    """An entry changed together with its leaf, the tile and the frontier: the signatures stand against it."""
    fill()
    row = Entry.objects.get(seq=150)
    row.event = "test:thing:undone"
    leaves = [bytes(leaf) for leaf in Entry.objects.order_by("seq").values_list("leaf", flat=True)]
    leaves[150] = merkle.leaf_hash(canonical_bytes(wire_entry(row)))
    frontier: merkle.Frontier = []
    for seq, leaf in enumerate(leaves):
        merkle.append(seq, frontier, leaf)
    sql(
        f"{ENTRY} event = '{row.event}', leaf = X'{leaves[150].hex()}' WHERE seq = 150",
        f"UPDATE journal_tile SET root = X'{merkle.root_from_leaves(leaves[:256]).hex()}'",
        f"UPDATE journal_head SET frontier = X'{b''.join(frontier).hex()}'",
    )
    whys = {finding.what: finding.why for finding in audit()}
    assert set(whys) == {f"tree head of size {size}" for size in (200, 300, 301, 302, 305, 306)}
    assert "between 100 and 199" in whys["tree head of size 200"]


@pytest.mark.parametrize(
    "write",
    [
        lambda: Entry.objects.filter(seq=0).update(event="changed"),
        lambda: Entry.objects.filter(seq=0).delete(),
    ],
)
def test_the_database_itself_refuses_to_change_an_entry(write: Callable[[], object]) -> None:
    """The triggers stand on both engines."""
    with act() as recorded:
        recorded.record("test:thing:done", "thing", {})
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        write()
    assert audit() == []
