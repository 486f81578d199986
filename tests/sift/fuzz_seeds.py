"""Good input of every format that is read, by reader: what the mutations of `test_bad_input` begin with."""

import gzip
import json
import lzma
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import duckdb
import zstandard
from tests.sift.logs import FAILED, syslog
from tests.sift.record_samples import MAPPING, ORIGIN, alert, bans, cowrie, crowdsec, flow, lines, zeek
from tests.sift.test_access import FORMS as ACCESS
from tests.sift.test_flows import FASTNETMON, HEADER, TEXT, reflection
from tests.sift.test_mails import CSV, FORMS, letter
from tests.sift.test_network_logs import LINES as FIREWALLS
from tests.sift.test_shapes import MESSAGE, SHAPES
from tests.wire.test_arf import mail
from tests.wire.test_idea import event
from tests.wire.test_xarf02 import PART
from tests.wire.test_xarf_older import older
from tests.wire.xarf_samples import report

LOG = syslog([FAILED.format(origin=f"192.0.2.{n}") for n in range(8)] + ["hello"]).encode()
SHAPED = [line for line, _, _ in SHAPES if not line.startswith(("{", "_", "\ufeff"))]
EXPORT = b"".join(
    f"__CURSOR=s={n}\n__REALTIME_TIMESTAMP=17653497{n}6123456\n_HOSTNAME=g\nSYSLOG_IDENTIFIER=sshd\n".encode()
    + b"X\n" + (3).to_bytes(8, "little") + b"a\nb\n" + f"MESSAGE={MESSAGE}\n\n".encode()
    for n in range(4)
)  # fmt: skip
REQUESTED = "\n".join(line.replace("/a?b=c", "/.env?b=c") for line in ACCESS.values()).encode()
UNDATED = (
    b"2026-01-07 03:04:05.123 started\n"
    b"[info] (<0.1370.0>) Failed c2s PLAIN authentication for anna@example.net from ::ffff:192.0.2.7: "
    b"Invalid username or password\n" * 3
)
WEB = {"ClientAddr": "192.0.2.7:51", "ClientHost": "192.0.2.7", "RequestMethod": "GET",
       "RequestPath": "/.env",
       "RequestProtocol": "HTTP/1.1", "DownstreamStatus": 404, "RequestHost": "www.example.org",
       "StartUTC": "2026-01-07T03:04:05.1Z", "time": "2026-01-07T03:04:05Z", "RouterName": "web"}  # fmt: skip
DOCKER = [
    {"log": line + "\n", "stream": "stdout", "time": "2026-01-07T03:04:05.123456789Z"}
    for line in [*ACCESS.values(), MESSAGE, *SHAPED[:3]]
]
FLOWS = [
    {"type": "FLOW", "first": "2026-03-05T14:00:01.123", "last": "2026-03-05T14:00:02.000",
     "src4_addr": f"198.51.100.{n}",
     "dst4_addr": "203.0.113.9", "src_port": 53, "dst_port": 4444, "proto": 17, "tcp_flags": "........",
     "in_packets": 9, "in_bytes": 9000} for n in range(120)
]  # fmt: skip
SIGHTED = [
    {"type": "indicator", "id": "indicator--1", "labels": ["brute-force"], "pattern_type": "stix",
     "pattern": "[ipv4-addr:value = '192.0.2.7']", "modified": "2026-03-01T12:00:00Z"},
    {"type": "ipv4-addr", "id": "ipv4-addr--1", "value": "192.0.2.7"},
    {"type": "ipv6-addr", "id": "ipv6-addr--1", "value": "2001:db8::1"},
    {"type": "network-traffic", "id": "network-traffic--1", "src_ref": "ipv4-addr--1",
     "dst_ref": "ipv6-addr--1", "dst_port": 22, "protocols": ["ipv4", "tcp", "ssh"]},
    {"type": "observed-data", "id": "observed-data--1", "number_observed": 4, "labels": ["port-scan"],
     "first_observed": "2026-03-01T12:00:00Z", "last_observed": "2026-03-01T12:30:00Z",
     "object_refs": ["network-traffic--1", "ipv4-addr--1"]},
    {"type": "sighting", "id": "sighting--1", "sighting_of_ref": "indicator--1", "count": 3,
     "first_seen": "2026-03-01T12:00:00Z", "observed_data_refs": ["observed-data--1"]},
]  # fmt: skip
RECORDED = {
    "info": "what was met", "uuid": "1", "timestamp": "1772366400",
    "Tag": [{"name": 'rsit:fraud="phishing"'}],
    "Attribute": [
        {"type": "ip-src|port", "category": "Network activity", "to_ids": True, "value": "192.0.2.7|22",
         "Sighting": [{"type": "0", "date_sighting": "1772366400"}, {"type": "1", "date_sighting": 1}]}
    ],
    "Object": [
        {"name": name, "first_seen": "2026-03-01T12:00:00Z", "Attribute": [
            {"object_relation": relation, "type": "text", "value": value} for relation, value in (
                ("ip-src", "192.0.2.9"), ("ip-dst", "198.51.100.1"), ("total", "4"), ("type", "ssh"),
                ("protocol", "UDP"), ("dst-port", "53"), ("total-pps", "90"), ("source.ip", "192.0.2.1"),
                ("classification.type", "scanner"), ("time.source", "2026-03-01T12:00:00+00:00"))
        ]} for name in ("ddos", "netflow", "authentication-failure-report", "intelmq_event")
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Reader:
    """What one reader is tried with: `seeds` by name, `samples` as patterns of public samples.

    Where inputs are `lines`, several mutants stand in one file: what is broken is lines, not files.
    """

    seeds: dict[str, bytes]
    samples: tuple[str, ...] = ()
    lines: bool = False
    mapping: bytes = b""


def _zipped() -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("auth.log", LOG)
        archive.writestr("eve.json.gz", gzip.compress(lines([alert()] * 3), mtime=0))
    return packed.getvalue()


def _made(write: Callable[[Path], object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "made")
        write(path)
        return path.read_bytes()


def _parquet(path: Path) -> None:
    with duckdb.connect() as database:
        database.execute(
            f"""COPY (SELECT TIMESTAMPTZ '2026-01-07 03:04:05+00' + to_seconds(n) AS "when",
            '{ORIGIN}' AS who, '198.51.100.1' AS nas, 'reject' AS result, 3 AS tries
            FROM range(20) t(n)) TO '{path}' (FORMAT parquet)"""
        )


def _bans(path: Path) -> None:
    bans(
        path,
        [("sshd", f"192.0.2.{n}", 1767755045 + n, '{"matches": ["x"], "failures": 3}') for n in range(9)],
    )


MAPPED = b"when,who,nas,result,tries\n" + b"2026-01-07 03:04:05,192.0.2.1,198.51.100.1,reject,2\n" * 5
ZEEK = zeek(
    ["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "auth_success", "auth_attempts"],
    [["1767755045.123456", "C1", ORIGIN, "1", "198.51.100.1", "22", "F", "3"]] * 5,
    "ssh",
)
READERS = {
    "logs": Reader(
        {
            "log": LOG,
            "shapes": "\n".join(SHAPED).encode(),
            "access": REQUESTED,
            "firewalls": "\n".join(FIREWALLS.values()).encode(),
            "undated": UNDATED,
        },
        ("fail2ban/*.log", "crowdsec/*/*.log", "loghub/*.log"),
        lines=True,
    ),
    "journald": Reader(
        {"export": EXPORT, "json": "\n".join(line for line, _, _ in SHAPES if line[:1] == "{").encode()},
        lines=True,
    ),
    "mails": Reader(
        {
            "arf": mail(),
            "mbox": b"From a Thu Jan  1 12:00:00 2026\n"
            + mail()
            + b"\nFrom b Thu Jan  1 12:00:00 2026\n"
            + mail(),
            "x-arf": letter(
                "reporter.example", "x", "hi", f"Content-Type: text/plain; name=r.txt\n\n{PART}"
            ).encode(),
            "prose": letter(*FORMS["a log of a web server"][0]).encode(),
            "unknown": letter("somebody.example", "about 192.0.2.1", "it is bad").encode(),
            "shadowserver": letter(
                "shadowserver.org", "x", "hi", f"Content-Type: text/csv; name=scan_dns.csv\n\n{CSV}"
            ).encode(),
        },
        ("mail/**/*.eml", "mail/**/*.txt"),
    ),
    "xarf": Reader(
        {
            "one": json.dumps(report("connection", "login_attack")).encode(),
            "lines": b"\n".join(
                json.dumps(report("content", name)).encode() for name in ("phishing", "csam")
            ),
            "older": json.dumps(older()).encode(),
        },
        ("xarf/*/**/*.json",),
    ),
    "shadowserver": Reader({"csv": CSV.encode() * 3}, ("shadowserver/*.csv",)),
    "idea": Reader(
        {
            "list": json.dumps([event(), event(Category=["Availability.DoS"])]).encode(),
            "lines": b"\n".join(json.dumps(event(ConnCount=n)).encode() for n in (1, 2)),
        },
        ("idea/*.json",),
    ),
    "stix": Reader(
        {"bundle": json.dumps({"type": "bundle", "id": "bundle--1", "objects": SIGHTED}).encode()},
        ("stix/*/*.json", "misp-stix/*stix21.json"),
    ),
    "misp": Reader(
        {"event": json.dumps({"Event": RECORDED}).encode(), "search": json.dumps([RECORDED]).encode()},
        ("misp/*.json", "misp-stix/*_[12].json"),
    ),
    "ndjson": Reader(
        {
            "eve": lines([alert(), flow(), alert("192.0.2.2")] * 2),
            "cowrie": lines([cowrie("login.failed", username="a", password="b")] * 3),
            "docker": lines(DOCKER),
            "access": lines([WEB] * 3),
        },
        ("suricata/**/*.json", "cowrie/cowrie.json", "zeek/zat-json/*", "crowdsec/*/*.log"),
        lines=True,
    ),
    "columns": Reader({"zeek": ZEEK}, ("zeek/zat/*",)),
    "mapped columns": Reader({"csv": MAPPED}, mapping=MAPPING),
    "mapped ndjson": Reader(
        {"lines": lines([{"when": 1767755045, "who": ORIGIN, "result": "reject", "tries": 3}] * 4)},
        lines=True,
        mapping=MAPPING,
    ),
    "parquet": Reader({"parquet": _made(_parquet)}, mapping=MAPPING),
    "flows": Reader(
        {
            "csv": (HEADER + reflection(60)).encode(),
            "json": json.dumps(FLOWS).encode(),
            "lines": lines(FLOWS),
        },
        ("netflow/*.nfcapd.*",),
    ),
    "fastnetmon": Reader(
        {
            "json": json.dumps(FASTNETMON).encode(),
            "text": TEXT.encode() * 2,
            "lines": lines([FASTNETMON, FASTNETMON | {"ip": "192.0.2.8"}]),
        }
    ),
    "crowdsec alerts": Reader(
        {"list": json.dumps([crowdsec(), crowdsec("crowdsecurity/http-probing")]).encode()}
    ),
    "fail2ban bans": Reader({"sqlite": _made(_bans)}),
    "archives": Reader(
        {
            "gz": gzip.compress(LOG * 9, mtime=0),
            "xz": lzma.compress(LOG * 9),
            "zst": zstandard.compress(LOG * 9),
            "zip": _zipped(),
        }
    ),
}
