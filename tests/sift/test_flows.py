"""Floods in flow records: the victim, the vector, the totals, and never an attacker by a forged address."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.conftest import missing
from tests.sift.logs import sift_text

from tocsin.sift.engine import Options, sift
from tocsin.sift.values import Attack

HEADER = "ts,te,td,sa,da,sp,dp,pr,flg,ipkt,ibyt\n"
VICTIM = "203.0.113.9"
CAPTURES = {
    "amp.UDP.bacnet.IOT.37810": ("udp-reflection", "bacnet (udp/47808)"),
    "amp.dns.RRSIG.fragmented": ("udp-reflection", "dns (udp/53)"),
    "pkt.TCP.synflood.spoofed": ("tcp-syn", "TCP SYN flood"),
}


def flow(
    source: str, *, port: int = 53, to: str = VICTIM, at: int = 0, protocol: str = "UDP",
    flags: str = "........", packets: int = 1, size: int = 900, target_port: int = 4444,
) -> str:  # fmt: skip
    """One flow as nfdump prints it."""
    stamp = f"2026-03-05 14:{at // 60:02}:{at % 60:02}"
    return f"{stamp},{stamp},0.000,{source},{to},{port},{target_port},{protocol},{flags},{packets},{size}\n"


def reflection(sources: int = 120) -> str:
    """Answers that nobody asked for, two from each of so many resolvers."""
    return "".join(flow(f"198.51.100.{n}", at=n % 30) * 2 for n in range(sources))


@pytest.mark.parametrize("capture", CAPTURES)
@pytest.mark.parametrize("form", ["nfcapd", "csv", "json"])
def test_real_floods_are_told(capture: str, form: str, samples: Path, tmp_path: Path) -> None:
    """Vector, victim and totals of three captures, from nfcapd files as from what nfdump prints of them."""
    if not shutil.which("nfdump"):
        missing("this needs nfdump: make system")
    binary = next((samples / "netflow").glob(f"{capture}.nfcapd.*"))
    path = binary
    if form != "nfcapd":
        path = tmp_path / f"flows.{form}"
        path.write_bytes(subprocess.check_output(["nfdump", "-r", binary, "-o", form]))
    sifted = sift([str(path)], Options(tz=None))
    truth = json.loads((samples / "netflow" / f"{capture}.truth.json").read_text())
    (attack,) = sifted.attacks
    assert attack.targets == (truth["top_dst_ip"][0]["val"],)
    vector, told = CAPTURES[capture]
    assert attack.service == vector
    assert told in attack.vector
    for ours, theirs in (("flows", "Flows"), ("packets", "Packets"), ("bytes", "Bytes")):
        assert attack.measures[ours] == pytest.approx(truth["totals"][theirs], rel=0.015)
    extra = capture == "amp.dns.RRSIG.fragmented" and form != "json"  # nfdump's csv has one row more
    assert sifted.balance.read == truth["totals"]["Flows"] + extra
    assert attack.spoofable
    assert attack.origin_count > 100


def only(text: str, tmp_path: Path, **options: object) -> Attack | None:
    """The one attack that flows show, if any."""
    attacks = sift_text(tmp_path, HEADER + text, "flows.csv", **options).attacks
    return attacks[0] if attacks else None


def test_a_reflection_is_known_by_what_nobody_asked(tmp_path: Path) -> None:
    """The same answers to a resolver that asked each of the servers are ordinary traffic."""
    found = only(reflection(), tmp_path)
    assert found
    assert (found.kind, found.targets, found.vector) == (
        "availability/ddos",
        (VICTIM,),
        "reflection from dns (udp/53)",
    )
    asked = "".join(
        flow(VICTIM, port=4444, to=f"198.51.100.{n}", target_port=53, size=60) for n in range(120)
    )
    assert only(asked + reflection(), tmp_path) is None


@pytest.mark.parametrize(
    ("flags", "flood"),
    [("......S.", True), (".AP.SF..", False), ("...A..S.", False)],
    ids=["syn", "session", "answered"],
)
def test_connections_that_go_on_are_no_flood(flags: str, flood: bool, tmp_path: Path) -> None:
    """A busy web server has many visitors; a flood has many that never say a second word."""
    text = "".join(
        flow(
            f"198.51.{n // 200}.{n % 200}",
            port=1024 + n,
            protocol="TCP",
            flags=flags,
            target_port=443,
            size=40,
        )
        for n in range(300)
    )
    assert (only(text, tmp_path) is not None) == flood


def test_the_same_flood_has_the_same_mark_at_another_victim(tmp_path: Path) -> None:
    """A fingerprint holds nothing of the victim; the id does."""
    here, there = only(reflection(), tmp_path), only(reflection().replace(VICTIM, "192.0.2.200"), tmp_path)
    assert here
    assert there
    assert here.fingerprint == there.fingerprint
    assert here.attack_id != there.attack_id


def test_pieces_and_copies_give_the_same_attack(tmp_path: Path) -> None:
    """One attack of a day, whichever file tells of it; a copy counts once."""
    lines = reflection(150).splitlines(keepends=True)
    (tmp_path / "a.csv").write_text(HEADER + "".join(lines[:150]))
    (tmp_path / "b.csv").write_text(HEADER + "".join(lines[150:]))
    (tmp_path / "c.csv").write_text(HEADER + "".join(lines[150:]))
    sifted = sift([str(tmp_path)])
    (attack,) = sifted.attacks
    assert attack.measures["flows"] == 300
    assert sifted.balance.duplicate == 151  # the header is a line of the copy
    assert sifted.balance.observed == 300


def test_broken_flows_are_rejected_and_the_rest_is_read(tmp_path: Path) -> None:
    """Each with its line and reason; times, addresses and numbers must be such."""
    bad = [
        "nonsense\n",
        flow("198.51.100.1").replace("2026-03-05", "2026-13-45"),
        flow("not an address"),
        flow("1.2.3.4", packets=-5),
    ]
    sifted = sift_text(
        tmp_path, HEADER + reflection() + "".join(bad), "flows.csv", rejects=tmp_path / "rejected"
    )
    assert sifted.balance.observed == 240
    assert sifted.balance.rejected == len(bad)
    assert (tmp_path / "rejected").read_text().count("a flow record that does not fit its header") == len(bad)


FASTNETMON = {
    "ip": VICTIM,
    "action": "ban",
    "attack_details": {
        "attack_type": "udp_flood", "initial_attack_power": 48285, "peak_attack_power": 250000,
        "attack_direction": "incoming", "attack_protocol": "udp", "total_incoming_pps": 210000,
        "total_incoming_traffic_bits": 2_400_000_000, "attack_duration": 90,
    },
    "packet_dump": [
        f"2026-03-05 14:00:{n % 60:02}.123456 198.51.100.{n}:123 > {VICTIM}:80 protocol: udp size: 468 bytes"
        for n in range(80)
    ],
}  # fmt: skip
TEXT = f"""IP: {VICTIM}
Attack type: syn_flood
Initial attack power: 546475 packets per second
Peak attack power: 646475 packets per second
Attack direction: incoming
Attack protocol: tcp
Total incoming traffic: 245 mbps
Total incoming pps: 546475 packets per second

2026-03-05 14:00:01.1 198.51.100.7:1024 > {VICTIM}:80 protocol: tcp flags: syn size: 60 bytes
"""


def test_fastnetmon_records_are_read(tmp_path: Path) -> None:
    """JSON or text: vector, rates, reflectors and times."""
    (as_json,) = sift_text(tmp_path, json.dumps(FASTNETMON), "attack.json").attacks
    assert as_json.vector == "reflection from ntp (udp/123)"
    assert as_json.severity == "high"
    assert as_json.measures == {"peak_packets_per_second": 250000, "peak_bits_per_second": 2_400_000_000}
    assert as_json.origin_count == 80
    assert as_json.first_seen_at == "2026-03-05T14:00:00Z"
    (as_text,) = sift_text(tmp_path, TEXT, "attack.txt").attacks
    assert (as_text.vector, as_text.targets, as_text.severity) == ("TCP SYN flood", (VICTIM,), "high")
    assert as_text.measures["peak_bits_per_second"] == 245_000_000


def test_flows_that_begin_with_an_empty_line_keep_their_reason(tmp_path: Path) -> None:
    """A lone carriage return before the names: nothing says what is what, and the file is kept as it is."""
    path = tmp_path / "flows.csv"
    path.write_bytes(b"\r" + (HEADER + reflection()).encode())
    sifted = sift([str(path)], Options(rejects=tmp_path / "rejects.tsv"))
    assert sifted.balance.read == sifted.balance.rejected > 0
    assert "without a line of names" in (tmp_path / "rejects.tsv").read_text()


def test_a_broken_fastnetmon_record_is_kept_with_its_reason(tmp_path: Path) -> None:
    """It stops none of the others."""
    lines = [
        json.dumps(FASTNETMON),
        '{"action": "ban", "attack_details": 5}',
        json.dumps(FASTNETMON | {"ip": "192.0.2.8"}),
    ]
    sifted = sift_text(tmp_path, "\n".join(lines), "attacks.ndjson")
    assert {attack.targets[0] for attack in sifted.attacks} == {VICTIM, "192.0.2.8"}
    assert sifted.balance.reasons["a FastNetMon record that cannot be read"] == 1
