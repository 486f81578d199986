"""Firewalls, detectors and error logs as their machines write them, whole lines with their headers."""

from pathlib import Path

import pytest
from tests.sift.logs import sift_text

PACKET = "LEN=40 TTL=245 ID=1 PROTO=TCP SPT=1 DPT=22 WINDOW=1 RES=0x00 SYN URGP=0"
NETFILTER = f"IN=eth0 OUT= MAC=00:11 SRC=192.0.2.7 DST=198.51.100.1 {PACKET}"
TOLD = "EXPLOIT x [**] [Classification: y] [Priority: 1]"
FLOW = "{TCP} 192.0.2.7:36288 -> 198.51.100.1:80"
ALERT = f"[**] [1:2034125:4] {TOLD} {FLOW}"
LINES = {
    "iptables": f"Jan  7 03:04:05 gate kernel: [50028442.08] drop: {NETFILTER}",
    "ufw, ISO time": f"2026-01-07T03:04:05.1+00:00 gate kernel: [UFW BLOCK] {NETFILTER}",
    "UniFi": f'Jan  7 03:04:05 UDMP [WAN_LOCAL-D-214] DESCR="Block" {NETFILTER} MARK=1',
    "pfSense": "Jan  7 03:04:05 fw filterlog[5]: 5,,,1000,em0,match,block,in,4,0x0,,64,6,0,none,6,tcp,44,"
    "192.0.2.7,198.51.100.1,53792,22,0,S,31552001,,65535,,mss",
    "OPNsense": '<134>1 2026-01-07T03:04:05+00:00 fw filterlog 69805 - [meta sequenceId="2"] 10,,,02f4,re0,'
    "match,block,in,4,0x0,,118,28579,0,none,17,udp,132,192.0.2.7,198.51.100.1,49838,52938,112",
    "MikroTik": "2026-01-07T03:04:05.1+00:00 gw firewall,info drop input: in:ether1 out:(unknown 0), "
    "proto UDP, 192.0.2.7:44355->198.51.100.1:53, len 65",
    "FortiGate": 'date=2026-01-07 time=03:04:05 tz="+0000" type="traffic" subtype="forward" '
    'srcip=192.0.2.7 srcport=1 dstip=198.51.100.1 dstport=22 action="deny" policyid=0',
    "FortiGate by syslog": '<189>date=2026-01-07 time=03:04:05 tz="+0000" type="traffic" srcip=192.0.2.7 '
    'dstip=198.51.100.1 action="deny" policyid=0',
    "ASA": "<164>Jan 07 2026 03:04:05: %ASA-4-106023: Deny tcp src outside:192.0.2.7/4321 dst "
    'inside:198.51.100.1/22 by access-group "outside" [0x0, 0x0]',
    "ASA by relay": "Jan  7 03:04:05 asa %ASA-2-106001: Inbound TCP connection denied from 192.0.2.7/4321 "
    "to 198.51.100.1/22 flags SYN on interface outside",
    "IOS": "Jan  7 03:04:05 198.51.100.9 %SEC-6-IPACCESSLOGP: list 102 denied tcp 192.0.2.7(3067) -> "
    "198.51.100.1(139), 1 packet",
    "PAN-OS": "Jan  7 03:04:05 fw 1,2026/01/07 03:04:05,0123,TRAFFIC,deny,1,2026/01/07 03:04:05,192.0.2.7,"
    "198.51.100.1,0.0.0.0,0.0.0.0,deny-all,,,not-applicable,vsys1,untrust,trust,e1,,log",
    "fast.log": f"01/07/2026-03:04:05.860293  {ALERT}",
    "fast.log, dropped": f"01/07/2026-03:04:05.860293  [Drop] {ALERT}",
    "Snort": f"01/07-03:04:05.860293  {ALERT}",
    "Snort by syslog": "Jan  7 03:04:05 ids snort[7]: [1:1:4] EXPLOIT x [Classification: y] [Priority: 1]: "
    f"{FLOW}",
    "scanlogd": "Jan  7 03:04:05 srv scanlogd: 192.0.2.7 to 198.51.100.1 ports 80, 81, 83, ..., f????uxy",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_who_was_stopped_is_told_with_its_target(tmp_path: Path, line: str) -> None:
    """The packet's source is the origin, its destination the target, at the time that the line says."""
    (attack,) = sift_text(tmp_path, line + "\n", name="fw.log", tz="UTC", year=2026).attacks
    assert (attack.origins, attack.targets) == (("192.0.2.7",), ("198.51.100.1",))
    assert attack.first_seen_at == "2026-01-07T03:04:05Z"
    assert attack.service == "network"


@pytest.mark.parametrize("name", [name for name in LINES if not name.startswith(("Snort", "fast"))])
def test_a_packet_alone_is_no_reason_to_block(tmp_path: Path, name: str) -> None:
    """Its source is what it says of itself: anybody can write it."""
    (attack,) = sift_text(tmp_path, LINES[name] + "\n", name="fw.log").attacks
    assert attack.spoofable


@pytest.mark.parametrize(
    "line",
    [
        f"Jan  7 03:04:05 gate kernel: [4.1] ACCEPT: {NETFILTER}",
        f"Jan  7 03:04:05 gate kernel: [4.1] [UFW ALLOW] {NETFILTER}",
        LINES["iptables"].replace("IN=eth0 OUT=", "IN= OUT=eth0"),
        LINES["iptables"].replace("DST=198.51.100.1", "DST=224.0.0.251"),
        LINES["pfSense"].replace(",block,", ",pass,"),
        LINES["FortiGate"].replace('"deny"', '"accept"'),
        LINES["IOS"].replace("denied", "permitted"),
        LINES["MikroTik"].replace("drop input", "accept input"),
    ],
)
def test_what_was_let_through_or_sent_is_noise(tmp_path: Path, line: str) -> None:
    """A log of accepted traffic is no list of attackers."""
    sifted = sift_text(tmp_path, line + "\n", name="fw.log")
    assert sifted.attacks == []
    assert sifted.balance.noise == 1


REFUSED = 'user "x" was not found in "/p", client: 192.0.2.7, server: a, request: "G"'
NGINX = f"2026/01/07 03:04:05 [error] 7#7: *3 {REFUSED}"
APACHE = (
    "[Wed Jan 07 03:04:05.1 2026] [auth_basic:error] [pid 1] [client 192.0.2.7:5123] AH01618: "
    "user x not found: /"
)
ERRORS = {
    "nginx": NGINX,
    "nginx by syslog": f"Jan  7 03:04:05 www1 nginx[12]: {NGINX}",
    "nginx by the journal, without a time": f"www1 nginx[12]: {NGINX}",
    "Apache": APACHE,
    "Apache, 2.2": "[Wed Jan 07 03:04:05 2026] [error] [client 192.0.2.7] user x not found: /",
    "Apache by syslog": f"Jan  7 03:04:05 www1 httpd[12]: {APACHE.partition('] ')[2]}",
    "lighttpd": "2026-01-07 03:04:05: (mod_auth.c.525) password doesn't match for / "
    "username: x IP: 192.0.2.7",
}  # fmt: skip


@pytest.mark.parametrize("line", ERRORS.values(), ids=ERRORS.keys())
def test_a_refused_password_is_told_by_error_logs(tmp_path: Path, line: str) -> None:
    """Whether the server wrote a file of its own or handed the line on."""
    (attack,) = sift_text(tmp_path, line + "\n", name="error.log", tz="UTC", year=2026).attacks
    assert (attack.origins, attack.kind) == (("192.0.2.7",), "intrusion-attempts/brute-force")
    assert attack.first_seen_at == "2026-01-07T03:04:05Z"


@pytest.mark.parametrize(
    "line",
    [
        NGINX.replace('"x"', '"x": password mismatch, client: 198.51.100.9, server: b, request: "G"'),
        APACHE.replace("user x", "user [client 198.51.100.9] x"),
    ],
)
def test_an_account_name_blames_nobody_else(tmp_path: Path, line: str) -> None:
    """Whatever somebody types as a name, the address is the one that the server wrote."""
    (attack,) = sift_text(tmp_path, line + "\n", name="error.log").attacks
    assert attack.origins == ("192.0.2.7",)
