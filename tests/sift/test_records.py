"""Record rules say what their samples say, and sensors' and applications' records become attacks."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest
from tests.sift.logs import by_origin, sift_text
from tests.sift.record_samples import ORIGIN, alert, cowrie, flow, lines, zeek

from tocsin.kernel.problems import BadInput
from tocsin.sift import recordreader
from tocsin.sift.engine import Options, sift
from tocsin.sift.origins import normalise
from tocsin.sift.recordlines import composer
from tocsin.sift.recordplan import JsonFields, Plan
from tocsin.sift.records import RecordRule, Wrapped
from tocsin.sift.rulebook import Rulebook, load, ruleset
from tocsin.sift.values import Observation, Sifted

BOOKS = [book for book in ruleset().books if book.records or book.wrapped]
RECORDS = [
    (book, rule, text, told) for book in BOOKS for rule in book.records for text, told in rule.samples.items()
]
WRAPPED = [
    (book, rule, text, told) for book in BOOKS for rule in book.wrapped for text, told in rule.samples.items()
]


def _facts(sifted: Sifted) -> list[tuple[str, str, str, str, int]]:
    return sorted((a.kind, a.origins[0], a.targets[0], a.service, a.count) for a in sifted.attacks)


@pytest.mark.parametrize(("book", "rule", "text", "told"), RECORDS, ids=[f"{r.id}" for _, r, _, _ in RECORDS])
def test_a_record_rule_reads_its_samples(
    book: Rulebook, rule: RecordRule, text: str, told: str, tmp_path: Path
) -> None:
    """Through the whole engine, a sign-in after guessing, a rule reads the origin of its sample."""
    found: list[Observation] = []
    content = f"{text}\n{text}\n"
    if rule.evidence == "success" and told:
        content = _guesses(book, told) + content
    sift_text(tmp_path, content, "a.json", observations=found.extend)
    origins = {seen.origin for seen in found if seen.rule == rule.id}
    assert origins == ({normalise(told)} if told else set())


def _guesses(book: Rulebook, origin: str) -> str:
    """Enough guessing by an origin, a few seconds before the samples' time."""
    rule = next(rule for rule in book.records if rule.kind.endswith("/brute-force"))
    text = next(text for text, told in rule.samples.items() if told == origin)
    return f"{text}\n".replace("03:04:05", "03:04:01").replace("1767755045", "1767755041") * 9


@pytest.mark.parametrize(("book", "rule", "text", "line"), WRAPPED, ids=[f"{r.id}" for _, r, _, _ in WRAPPED])
def test_a_record_carries_the_line_of_its_sample(book: Rulebook, rule: Wrapped, text: str, line: str) -> None:
    """What a record carries becomes the line that its sample names."""
    plan = Plan([book])
    row = JsonFields(plan.fields).row(text.encode())
    outcome = plan.outcomes[row[: plan.deciding]]
    assert outcome is not None and outcome.wrapped is rule
    assert composer(plan, rule)(row) == line


def test_record_rules_have_samples_and_names_of_their_own() -> None:
    """Every rule shows what it means, and an observation names one rule."""
    rules = [rule for book in BOOKS for rule in (*book.records, *book.wrapped)]
    assert len({rule.id for rule in rules}) == len(rules)
    assert all(rule.samples for rule in rules)


def test_the_marks_of_a_book_stand_in_its_samples() -> None:
    """A source is known by its marks: a sample without them would never be read."""
    for book in BOOKS:
        for rule in (*book.records, *book.wrapped):
            for text in rule.samples:
                assert all(f'"{mark}"' in text for mark in book.marks), (book.service, rule.id)


def test_marks_are_looked_for_at_once_as_one_by_one() -> None:
    """A mark stands between two quotes, wherever the first of these belongs."""
    texts = [
        text.encode() for book in BOOKS for rule in (*book.records, *book.wrapped) for text in rule.samples
    ]
    for text in (*texts, b"".join(texts), b'a "quoted" word ' + texts[0], texts[0][3:], b"", b'"'):
        assert ruleset().marked(text) == [book for book in ruleset().general if book.marks_stand_in(text)]


def test_many_different_records_are_read_as_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What values mean is forgotten where they never come again; nothing else is."""
    stretch = lines([alert(f"192.0.2.{n}", note="x" * 1000) for n in range(1, 255)])
    content = stretch * 10  # several megabytes, so that records are taken more than once
    few = sift_text(tmp_path, content, "eve.json")
    monkeypatch.setattr(recordreader, "_REMEMBERED", 10)
    many = sift_text(tmp_path, content, "eve.json")
    assert few.attacks == many.attacks and len(few.attacks) == 254
    assert few.attacks[0].count == 10


def test_alerts_count_and_other_events_are_noise(tmp_path: Path) -> None:
    """Suricata's alerts become one attack per origin, target and day; flows are noise."""
    records = [alert(second=n) for n in range(3)] + [flow(), alert("192.0.2.2", proto="UDP")]
    sifted = sift_text(tmp_path, lines(records), "eve.json")
    assert by_origin(sifted.attacks) == {ORIGIN: 3, "192.0.2.2": 1}
    assert (sifted.balance.observed, sifted.balance.noise) == (4, 1)
    attack = next(attack for attack in sifted.attacks if ORIGIN in attack.origins)
    assert (attack.first_seen_at, attack.last_seen_at) == ("2026-01-07T03:04:00Z", "2026-01-07T03:04:02Z")
    assert attack.evidence[0].lines == (1, 2, 3) and not attack.spoofable
    assert next(a for a in sifted.attacks if a is not attack and "192.0.2.2" in a.origins).spoofable


def test_an_alert_weighs_by_its_severity(tmp_path: Path) -> None:
    """One alert of the first priority is `low`, one of the third is `info`."""
    records = [alert(alert={"severity": 1}), alert("192.0.2.2", alert={"severity": 3})]
    sifted = sift_text(tmp_path, lines(records), "eve.json")
    assert {a.origins[0]: a.severity for a in sifted.attacks} == {ORIGIN: "low", "192.0.2.2": "info"}


def test_a_honeypot_tells_every_step_apart(tmp_path: Path) -> None:
    """Connections, guesses and what followed a sign-in are three attacks of one address."""
    events = [
        "session.connect",
        "login.failed",
        "login.failed",
        "login.success",
        "command.input",
        "log.closed",
    ]
    sifted = sift_text(tmp_path, lines(map(cowrie, events)), "cowrie.json")
    assert _facts(sifted) == [
        ("information-gathering/scanner", ORIGIN, "pot", "honeypot", 1),
        ("intrusion-attempts/brute-force", ORIGIN, "pot", "honeypot", 2),
        ("intrusion-attempts/exploit", ORIGIN, "pot", "honeypot", 2),
    ]


def test_lines_of_one_attack_stay_in_order_whatever_rule_read_them(tmp_path: Path) -> None:
    """The digest of evidence is that of its lines as they stand in the source."""
    events = ["login.success", "command.input"] * 3
    (attack,) = sift_text(tmp_path, lines(map(cowrie, events)), "cowrie.json").attacks
    assert attack.evidence[0].lines == (1, 2, 3, 4, 5, 6)


ZEEK = [
    "ts",
    "uid",
    "id.orig_h",
    "id.orig_p",
    "id.resp_h",
    "id.resp_p",
    "proto",
    "conn_state",
    "history",
    "local_orig",
]
ROWS = [
    ["1767755045.123456", "C1", ORIGIN, "4000", "198.51.100.1", "22", "tcp", "S0", "S", "F"],
    ["1767755046.5", "C2", ORIGIN, "4001", "198.51.100.1", "23", "tcp", "REJ", "Sr", "F"],
    ["1767755047", "C3", ORIGIN, "4002", "198.51.100.1", "80", "tcp", "SF", "ShADadFf", "F"],
    ["1767755048.0", "C4", "2001:db8::1", "4002", "198.51.100.1", "80", "tcp", "S0", "S", "-"],
]


def test_both_forms_of_a_zeek_log_agree_attack_for_attack(tmp_path: Path) -> None:
    """Tab-separated values and JSON of the same traffic give the same attacks."""
    numbers = {"ts": float, "id.orig_p": int, "id.resp_p": int}
    records = [
        {name: numbers.get(name, str)(value) for name, value in zip(ZEEK, row, strict=True) if value != "-"}
        for row in ROWS
    ]
    table = sift_text(tmp_path, zeek(ZEEK, ROWS), "conn.log")
    objects = sift_text(tmp_path, lines(records), "conn.json")
    assert _facts(table) == _facts(objects) and len(table.attacks) == 2
    assert [a.attack_id for a in table.attacks] == [a.attack_id for a in objects.attacks]
    assert [a.first_seen_at for a in table.attacks] == [a.first_seen_at for a in objects.attacks]


def test_joined_zeek_logs_change_their_columns_on_the_way(tmp_path: Path) -> None:
    """A second header says what the columns behind it are; a line that does not fit is rejected."""
    other = ["id.orig_h", *(name for name in ZEEK if name != "id.orig_h")]
    turned = [[row[2], *row[:2], *row[3:]] for row in ROWS]
    content = zeek(ZEEK, ROWS) + zeek(other, turned) + b"too\tshort\n"
    sifted = sift_text(tmp_path, content, "conn.log")
    assert by_origin(sifted.attacks) == {ORIGIN: 4, "2001:db8::1": 2}
    assert sifted.balance.rejected == 1 and sifted.balance.read == content.count(b"\n")


def test_what_a_container_wrote_reaches_the_rules_for_lines(tmp_path: Path) -> None:
    """A line wrapped in JSON is read as one: with its own header, or the record's time and program."""
    message = f"Failed password for root from {ORIGIN} port 22 ssh2"
    records = [
        {
            "log": f"2026-01-07T03:04:05Z gate sshd[7]: {message}\n",
            "stream": "stderr",
            "time": "2026-01-07T03:04:09Z",
        },
        {
            "log": f"{message}\n",
            "stream": "stderr",
            "time": "2026-01-07T03:04:09.5Z",
            "kubernetes": {"container_name": "sshd", "pod_name": "gate"},
        },
        {"log": "hello\n", "stream": "stdout", "time": "2026-01-07T03:04:09Z"},
    ]
    content = lines(records)
    sifted = sift_text(tmp_path, content, "c-json.log")
    (attack,) = sifted.attacks
    assert (attack.service, attack.targets, attack.count) == ("ssh", ("gate",), 2)
    assert (attack.first_seen_at, attack.last_seen_at) == ("2026-01-07T03:04:05Z", "2026-01-07T03:04:09Z")
    assert (sifted.balance.observed, sifted.balance.noise) == (2, 1)


def test_a_list_of_records_is_read_like_lines(tmp_path: Path) -> None:
    """An export (`{"Records": [...]}`, or a list laid out) gives the attacks of its records."""
    failed = {
        "eventVersion": "1.08", "eventTime": "2026-01-07T03:04:05Z", "sourceIPAddress": ORIGIN,
        "eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin",
        "responseElements": {"ConsoleLogin": "Failure"},
    }  # fmt: skip
    for number, content in enumerate(
        (
            json.dumps({"Records": [failed] * 3}),
            json.dumps([failed] * 3, indent=2),
            lines([failed] * 3).decode(),
        )
    ):
        sifted = sift_text(tmp_path, content, f"{number}.json")
        assert _facts(sifted) == [("intrusion-attempts/brute-force", ORIGIN, "unknown", "aws", 3)]
        assert sifted.balance.observed == 3


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("2026-01-07T03:04:05.123Z", "2026-01-07T03:04:05Z"),
        ("2026-01-07T03:04:05.123456+0100", "2026-01-07T02:04:05Z"),
        ("2026-01-07 03:04:05,123", "2026-01-07T03:04:05Z"),  # no zone: the one that was asked for
        ("2026-01-07T03:04:05-05:00", "2026-01-07T08:04:05Z"),
        (1767755045, "2026-01-07T03:04:05Z"),
        (1767755045.999, "2026-01-07T03:04:05Z"),
        (1767755045123, "2026-01-07T03:04:05Z"),
        (1767755045123456789, "2026-01-07T03:04:05Z"),
        ("07/Jan/2026:03:04:05 +0000", "2026-01-07T03:04:05Z"),
        ("Wed, 07 Jan 2026 03:04:05 GMT", "2026-01-07T03:04:05Z"),
    ],
)
def test_times_are_read_in_every_form(written: object, seen: str, tmp_path: Path) -> None:
    """ISO 8601 with and without zone, POSIX times in any unit, and what web servers write."""
    sifted = sift_text(tmp_path, lines([alert(timestamp=written)] * 2), "eve.json", tz="UTC")
    assert [attack.first_seen_at for attack in sifted.attacks] == [seen]


@pytest.mark.parametrize(
    "written", ["never", "2026-13-07T03:04:05Z", "2026-01-07T03:99:05Z", "", None, {}, -5]
)
def test_evidence_without_a_time_is_rejected(written: object, tmp_path: Path) -> None:
    """A record that tells of an attack at no time that exists is kept, not counted."""
    sifted = sift_text(tmp_path, lines([alert(), alert(timestamp=written)]), "eve.json")
    assert (sifted.balance.observed, sifted.balance.rejected) == (1, 1)


def test_copies_and_growth_count_once(tmp_path: Path) -> None:
    """A compressed copy of what was sifted is a duplicate; of a grown file only the rest is read."""
    content = lines([alert(second=n) for n in range(40)])
    first = sift_text(tmp_path, content, "eve.json")
    packed = sift_text(tmp_path, gzip.compress(content), "eve.json.gz", known=first.regions)
    assert (packed.balance.duplicate, packed.balance.observed) == (40, 0)
    grown = sift_text(tmp_path, content + lines([alert(second=50)]), "eve.json", known=first.regions)
    assert (grown.balance.duplicate, grown.balance.observed) == (40, 1)
    assert grown.attacks[0].evidence[0].lines == (41,)
    table = zeek(ZEEK, ROWS)
    known = sift_text(tmp_path, table, "conn.log").regions
    more = "\t".join(ROWS[0]).encode() + b"\n"
    again = sift_text(tmp_path, table + more, "conn.log", known=known)
    assert (again.balance.duplicate, again.balance.observed) == (table.count(b"\n"), 1)


def test_the_year_and_zone_of_an_observation_are_told(tmp_path: Path) -> None:
    """A time without a zone is settled by the one that was asked for, and the attack says so."""
    record = {"levelName": "ERROR", "source": "a", "timestamp": "2026-07-07 03:04:05.1",
              "message": f'[Auth] Failed login attempt for username "x" from ip {ORIGIN} (x)'}  # fmt: skip
    (attack,) = sift_text(tmp_path, lines([record] * 2), "a.log", tz="Europe/London").attacks
    assert attack.first_seen_at == "2026-07-07T02:04:05Z"
    assert attack.assumed == {"time_zone": "Europe/London, as told"}


def test_standard_tools_may_mix_text_and_records(tmp_path: Path) -> None:
    """A log that became JSON one day: its older lines go to the rules for lines."""
    old = f"Jan  7 03:04:05 gate sshd[7]: Failed password for root from {ORIGIN} port 22 ssh2\n".encode()
    sifted = sift_text(
        tmp_path, old + lines([alert("192.0.2.2"), alert("192.0.2.2")]), "mixed.log", year=2026
    )
    assert by_origin(sifted.attacks) == {ORIGIN: 1, "192.0.2.2": 2}
    assert sifted.balance.read == sifted.balance.observed == 3


BOOK = """
service = "x"
log_type = "other"
{marks}
[thresholds."a/b"]
low = 1
medium = 2
[[records]]
id = "r"
{rule}
time = "t"
kind = "a/b"
evidence = "verdict"
weight = 1
why = "because"
"""


@pytest.mark.parametrize(
    ("marks", "rule", "complaint"),
    [
        ("", 'origin = "o"', "no marks"),
        ('marks = ["m"]', 'origin = "o"\ntext = "m"', "both text and pattern"),
        ('marks = ["m"]', 'text = "m"\npattern = "x"', "names no origin"),
        ('marks = ["m"]', 'text = "m"\npattern = "(?P<origin>x"', "broken pattern"),
        ('marks = ["m"]', 'origin = "o"\nwhere = { a = { pattern = "(?=x)" } }', "RE2"),
        ('marks = ["m"]', 'origin = "o."', "not the path"),
        ('marks = ["m"]', 'origin = "o"\nwhere = { "a..b" = 1 }', "not the path"),
        ('marks = ["m"]', 'origin = "o"\nsamples = { "x" = "" }', "no record"),
        ('marks = ["m"]', 'origin = "o"\ncolour = "red"', "does not hold together"),
    ],
)
def test_a_bad_record_rule_is_refused_when_it_is_loaded(marks: str, rule: str, complaint: str) -> None:
    """A rule that could not work is named at once."""
    with pytest.raises(BadInput, match=complaint):
        load(BOOK.format(marks=marks, rule=rule).encode())


def test_a_users_own_record_rules_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the user's folder adds a service, with nothing but data."""
    folder = tmp_path / "rules"
    folder.mkdir()
    rule = 'origin = "o.addresses[0]"\nwhere = { m = ["bad", "worse"], n = { at_least = 3 } }'
    (folder / "x.toml").write_text(BOOK.format(marks='marks = ["m", "o"]', rule=rule))
    monkeypatch.setenv("TOCSIN_RULES", str(folder))
    records = [
        {"m": m, "n": n, "t": 1767755045, "o": {"addresses": [f"{ORIGIN}:99", "192.0.2.9"]}}
        for m, n in (("bad", 3), ("worse", "4"), ("good", 9), ("bad", 2), ("bad", None))
    ]
    path = tmp_path / "x.json"
    path.write_bytes(lines(records))
    sifted = sift([str(path)], Options())
    assert _facts(sifted) == [("a/b", ORIGIN, "unknown", "x", 2)]


@pytest.mark.parametrize(
    "head",
    [
        "Jan  7 03:04:06 gate suricata[7]: ",
        "<13>Jan  7 03:04:06 gate suricata[7]: @cee: ",
        "2026-01-07T03:04:06.123456+00:00 gate suricata: ",
        "<13>1 2026-01-07T03:04:06Z gate suricata 7 - - ",
    ],
)
def test_records_that_syslog_carried_are_read_as_records(head: str, tmp_path: Path) -> None:
    """A sensor that writes its records to syslog: the record tells, the whole line is the evidence."""
    content = b"".join(
        head.encode() + line + b"\n" for line in lines([alert(), flow(), alert()]).splitlines()
    )
    sifted = sift_text(tmp_path, content, "syslog")
    (attack,) = sifted.attacks
    assert (attack.origins, attack.count, attack.first_seen_at) == ((ORIGIN,), 2, "2026-01-07T03:04:05Z")
    assert (sifted.balance.observed, sifted.balance.noise) == (2, 1)
    evidence = content.splitlines()[0] + b"\n" + content.splitlines()[2] + b"\n"
    assert attack.evidence[0].sha256 == hashlib.sha256(evidence).hexdigest()


def test_a_record_in_a_record_is_read(tmp_path: Path) -> None:
    """A container whose program writes JSON: Docker's record carries the program's."""
    inner = [json.dumps(alert()), json.dumps({"hello": 1}), "{broken", json.dumps(alert())]
    records = [{"log": f"{line}\n", "stream": "stdout", "time": "2026-01-07T03:04:09Z"} for line in inner]
    sifted = sift_text(tmp_path, lines(records), "c-json.log")
    assert by_origin(sifted.attacks) == {ORIGIN: 2}
    assert sifted.balance.read == 4 and sifted.balance.observed == 2


def test_text_that_begins_with_a_bracket_is_no_broken_record(tmp_path: Path) -> None:
    """Audiobookshelf wrote text before it wrote JSON, each line beginning with a bracketed time."""
    said = f'[Auth] Failed login attempt for username "x" from ip {ORIGIN} (User not found)'
    record = {
        "timestamp": "2026-01-07 03:04:05.1",
        "source": "Auth.js:8",
        "message": said,
        "levelName": "ERROR",
    }
    content = f"[2026-01-07 03:04:05.123] ERROR: {said} (Auth.js:888)\n".encode() + lines([record, record])
    sifted = sift_text(tmp_path, content, "audiobookshelf.log")
    assert by_origin(sifted.attacks) == {ORIGIN: 3} and sifted.balance.rejected == 0
