"""Tables of any make by a mapping, and decisions that other tools took."""

import gzip
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sift.logs import sift_text
from tests.sift.record_samples import MAPPING, ORIGIN, bans, crowdsec

from tocsin.kernel.problems import BadInput
from tocsin.sift import reporting, rulebook, spool
from tocsin.sift.decisions import meaning
from tocsin.sift.engine import Options, sift
from tocsin.sift.sending import Sent
from tocsin.sift.values import Sifted

BOOK = rulebook.load(MAPPING)
COLUMNS = ["when", "who", "nas", "result", "tries", "note"]


def _one(sifted: Sifted) -> tuple[tuple[str, ...], tuple[str, ...], int, str]:
    (attack,) = sifted.attacks
    return attack.origins, attack.targets, attack.count, attack.first_seen_at


EXPECTED = ((ORIGIN,), ("198.51.100.1",), 3, "2026-01-07T03:04:05Z")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_mapped_table_is_read_whatever_separates_its_columns(delimiter: str, tmp_path: Path) -> None:
    """Columns in any order, a cell that holds a line end and the separator, a row that is short."""
    rows = [COLUMNS, ["2026-01-07T03:04:05Z", ORIGIN, "198.51.100.1", "reject", "3", f'"a{delimiter}b\nc"'],
            ["2026-01-07T03:04:05Z", "192.0.2.2", "198.51.100.1", "accept", "1", ""], ["short"]]  # fmt: skip
    content = "".join(delimiter.join(row) + "\n" for row in rows)
    sifted = sift_text(tmp_path, content, "t.csv", mapping=BOOK)
    assert _one(sifted) == EXPECTED
    assert (sifted.balance.read, sifted.balance.rejected) == (content.count("\n"), 1)
    turned = "".join(delimiter.join(reversed(row)) + "\n" for row in rows[:3])
    assert _one(sift_text(tmp_path, turned, "turned.csv", mapping=BOOK)) == EXPECTED


def test_a_mapping_reads_json_and_parquet_alike(tmp_path: Path) -> None:
    """The same rows in three forms, packed or not, give the same attack."""
    record = {
        "when": 1767755045,
        "who": f"{ORIGIN}:99",
        "nas": "198.51.100.1",
        "result": "reject",
        "tries": 3,
    }
    assert _one(sift_text(tmp_path, json.dumps(record), "t.json", mapping=BOOK)) == EXPECTED
    path = tmp_path / "t.parquet"
    with duckdb.connect() as database:
        database.execute(
            f"""COPY (SELECT TIMESTAMPTZ '2026-01-07 03:04:05+00' AS "when", '{ORIGIN}' AS who,
            '198.51.100.1' AS nas, 'reject' AS result, 3 AS tries UNION ALL
            SELECT NULL, '192.0.2.2', NULL, 'accept', 1) TO '{path}'"""
        )
    sifted = sift([str(path)], Options(mapping=BOOK))
    assert _one(sifted) == EXPECTED and sifted.balance.noise == 1
    packed = sift_text(tmp_path, gzip.compress(path.read_bytes()), "t.gz", mapping=BOOK, known=sifted.regions)
    assert packed.balance.duplicate == 2
    nothing = sift([str(path)], Options())
    assert nothing.balance.rejected == 1 and "--map" in next(iter(nothing.balance.reasons))


def test_a_table_without_a_heading_has_its_columns_named(tmp_path: Path) -> None:
    """`columns` in the mapping stands for the first line."""
    book = rulebook.load(
        MAPPING.replace(b"marks =", b'columns = ["when", "who", "nas", "result", "tries"]\nmarks =')
    )
    content = f"2026-01-07T03:04:05Z,{ORIGIN},198.51.100.1,reject,3\n"
    assert _one(sift_text(tmp_path, content, "t.csv", mapping=book)) == EXPECTED


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["reject", "accept"]),
            st.integers(1, 9),
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=9),
        ),
        min_size=1, max_size=20,
    )
)  # fmt: skip
def test_no_row_of_a_table_is_lost(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int, str]]
) -> None:
    """Whatever other cells hold, a table's refusals are all counted and its lines all balanced."""
    cells = [
        [
            "2026-01-07T03:04:05Z",
            ORIGIN,
            "198.51.100.1",
            result,
            str(tries),
            '"' + note.replace('"', '""') + '"',
        ]
        for result, tries, note in rows
    ]
    content = "".join(",".join(row) + "\n" for row in [COLUMNS, *cells])
    sifted = sift_text(tmp_path_factory.mktemp("x"), content, "t.csv", mapping=BOOK)
    refused = sum(tries for result, tries, _ in rows if result == "reject")
    assert sum(attack.count for attack in sifted.attacks) == refused
    assert sifted.balance.read == content.count("\n") and not sifted.balance.rejected


def test_a_mapping_without_records_is_refused(tmp_path: Path) -> None:
    """A mapping says what at least one kind of record means."""
    (tmp_path / "m.toml").write_text('service = "x"\nlog_type = "other"\n')
    with pytest.raises(BadInput, match="a mapping needs"):
        rulebook.mapping(tmp_path / "m.toml")


def test_bans_of_fail2ban_need_no_rule(tmp_path: Path) -> None:
    """Each ban is an attack by what its jail's name means; what is no address is rejected."""
    rows = [
        ("sshd", ORIGIN, 1767755045, '{"matches": ["x"], "failures": 7}'),
        ("nginx-botsearch", "2001:db8::1", 1767755045, None),
        ("sshd", "nobody", 1767755045, None),
        ("sshd", ORIGIN, "yesterday", None),
    ]
    path = bans(tmp_path / "fail2ban.sqlite3", rows)
    sifted = sift([str(path)], Options())
    assert {(a.kind, a.service, a.origins[0], a.count, a.severity) for a in sifted.attacks} == {
        ("intrusion-attempts/brute-force", "ssh", ORIGIN, 7, "low"),
        ("information-gathering/scanner", "http", "2001:db8::1", 1, "low"),
    }
    assert (sifted.balance.observed, sifted.balance.rejected) == (2, 2)
    assert sift([str(path)], Options(known=sifted.regions)).balance.duplicate == 4


def test_a_damaged_database_that_shows_no_rows_is_no_empty_one(tmp_path: Path) -> None:
    """Damage that hides every ban without an error is told; an empty database is not damaged."""
    path = bans(tmp_path / "fail2ban.sqlite3", [("sshd", ORIGIN, 1767755045, None)])
    with closing(sqlite3.connect(path)) as database:
        (root,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'bans'").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    page = (root - 1) * size
    content[page + 3 : page + 5] = bytes(2)  # how many rows the page says that it has
    path.write_bytes(content)
    assert sift([str(path)], Options()).balance.reasons == {"a damaged database": 1}
    empty = sift([str(bans(tmp_path / "empty.sqlite3", []))], Options())
    assert empty.balance.read == 0


def test_alerts_of_crowdsec_need_no_rule(tmp_path: Path) -> None:
    """What it saw itself is an attack; what a person or another's list decided was not seen here."""
    alerts = [
        crowdsec(),
        crowdsec("crowdsecurity/http-probing", "192.0.2.2", events_count=11),
        crowdsec("manual 'ban'", "192.0.2.3", decisions=[{"origin": "cscli"}]),
        crowdsec(origin="192.0.2.4", source={"scope": "Range", "value": "192.0.2.0/24"}),
        {"scenario": 7, "source": None},
        crowdsec(origin="192.0.2.5", start_at="soon"),
    ]
    sifted = sift_text(tmp_path, json.dumps(alerts, indent=2), "alerts.json")
    assert {(a.kind, a.service, a.origins[0], a.count, a.last_seen_at) for a in sifted.attacks} == {
        ("intrusion-attempts/brute-force", "ssh", ORIGIN, 6, "2026-01-07T03:05:05Z"),
        ("information-gathering/scanner", "http", "192.0.2.2", 11, "2026-01-07T03:05:05Z"),
    }
    assert (sifted.balance.observed, sifted.balance.noise, sifted.balance.rejected) == (2, 2, 2)


@pytest.mark.parametrize(
    ("name", "kind", "service"),
    [
        ("sshd", "intrusion-attempts/brute-force", "ssh"),
        ("postfix-sasl", "intrusion-attempts/brute-force", "smtp"),
        ("dovecot", "intrusion-attempts/brute-force", "imap"),
        ("apache-badbots", "information-gathering/scanner", "http"),
        ("nginx-limit-req", "availability/dos", "http"),
        ("portsentry", "information-gathering/scanner", "network"),
        ("crowdsecurity/CVE-2021-44228", "intrusion-attempts/exploit", "http"),
        ("crowdsecurity/http-path-traversal-probing", "intrusion-attempts/exploit", "http"),
        ("crowdsecurity/ssh-slow-bf", "intrusion-attempts/brute-force", "ssh"),
        ("crowdsecurity/iptables-scan-multi_ports", "information-gathering/scanner", "network"),
        ("crowdsecurity/postscreen-rbl", "abusive-content/spam", "smtp"),
        ("my-own-thing", "other/undetermined", "unknown"),
    ],
)
def test_a_decisions_name_says_what_it_is_about(name: str, kind: str, service: str) -> None:
    """Jails and scenarios are read by a table of words."""
    assert meaning(name) == (kind, service)


def test_the_documented_mapping_works_as_written(tmp_path: Path) -> None:
    """docs/records.md shows a mapping, a table and an answer: the answer is true."""
    page = (Path(__file__).parents[2] / "docs" / "records.md").read_text()
    toml, table, shown = re.findall(r"^```[a-z]+\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[:3]
    sifted = sift_text(tmp_path, table, "radius.csv", mapping=rulebook.load(toml.encode()))
    (attack,) = sifted.attacks
    said = shown.splitlines()[-1].split()
    assert (attack.severity, attack.origins[0], attack.targets[0], str(attack.count)) == (said[0], *said[3:6])


def test_a_mapping_reaches_reports_and_their_severity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sifted in two runs, what is merged is judged by the mapping's own thresholds."""
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(reporting.sending, "send", lambda *_: Sent())
    row = f"2026-01-07T03:04:05Z,{ORIGIN},198.51.100.1,reject,2,\n"
    plan = reporting.Plan(url="https://exchange.invalid", mapping=BOOK)
    for name, text in (("one.csv", row), ("two.csv", row.replace("04:05", "05:05"))):
        path = tmp_path / name
        path.write_text(",".join(COLUMNS) + "\n" + text)
        reporting.report([path], plan, "key", say=lambda _: None)
    with spool.opened(plan.url) as kept:
        ((_, body),) = kept.pending(9)
        told = json.loads(body)
    assert (told["count"], told["severity"]) == (4, "low")  # either run alone was a slip
