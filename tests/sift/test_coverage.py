"""The judge of coverage judges rightly; and what it says of the public samples stays within reach."""

import json
from pathlib import Path

from tools.coverage.page import render, total_of
from tools.coverage.rows import Row
from tools.coverage.sources import crowdsec, fail2ban, ossec

FAILED = "Dec 10 06:55:46 gate sshd[1]: Failed password for root from {origin} port 22 ssh2\n"


def case(folder: Path, name: str, log: str, answer: dict[str, object], told: str = "scenario") -> None:
    """A case as CrowdSec writes them."""
    place = folder / "crowdsec" / name
    place.mkdir(parents=True)
    (place / "config.yaml").write_text("parsers:\n- x/sshd-logs\nlog_file: a.log\nlog_type: syslog\n")
    (place / "a.log").write_text(log)
    (place / f"{told}.assert.json").write_text(json.dumps(answer))


def expecting(*sources: str) -> dict[str, object]:
    """A scenario's answer that lists these addresses."""
    return {"overflows": len(sources), "results": [{"sources": [source]} for source in sources]}


def test_a_scenario_is_right_when_all_and_only_its_addresses_are_found(tmp_path: Path) -> None:
    """A missing address, and severity where nothing is expected, are wrong."""
    guess = FAILED.format(origin="192.0.2.1")
    case(tmp_path, "found", guess, expecting("192.0.2.1"))
    case(tmp_path, "missing", guess, expecting("192.0.2.1", "192.0.2.2"))
    case(tmp_path, "quiet", guess, {"overflows": 0, "results": []})
    case(tmp_path, "loud", guess * 50, {"overflows": 0, "results": []})
    [row] = crowdsec.judge(tmp_path)
    assert (row.right, row.total, row.false_positives) == (2, 4, 1)
    assert {failure.case for failure in row.failures} == {"missing", "loud"}


def test_only_events_that_tell_of_something_hostile_are_judged(tmp_path: Path) -> None:
    """A sign-in that succeeded is nobody's attack."""
    events = [
        {"i": 0, "meta": {"log_type": "ssh_failed-auth", "source_ip": "192.0.2.1"}},
        {"i": 1, "meta": {"log_type": "auth_success", "source_ip": "192.0.2.9"}},
        {"i": 2, "meta": {"log_type": "ssh_failed-auth", "source_ip": "192.0.2.3"}},
    ]
    case(tmp_path, "events", FAILED.format(origin="192.0.2.1"), {"s01-parse|x/sshd": events}, "parser")
    [row] = crowdsec.judge(tmp_path)
    assert (row.source, row.right, row.total) == (crowdsec.EVENTS, 1, 2)


def test_a_labelled_line_is_right_with_its_host_or_with_nothing(tmp_path: Path) -> None:
    """Another host is wrong; a verdict where none must be is wrong and a false positive."""
    folder = tmp_path / "fail2ban"
    folder.mkdir()
    (folder / "sshd.log").write_text(FAILED.format(origin="192.0.2.1") * 3)
    labels = [
        {"line": 1, "match": True, "host": "192.0.2.1", "time": "2004-12-10T06:55:46"},
        {"line": 2, "match": True, "host": "192.0.2.2", "time": "2004-12-10T06:55:46"},
        {"line": 3, "match": False, "host": None, "time": None},
    ]
    (folder / "sshd.expected.jsonl").write_text("\n".join(map(json.dumps, labels)))
    [row] = fail2ban.judge(tmp_path)
    assert (row.right, row.total, row.false_positives, row.note) == (1, 3, 1, "time 1/1")


def test_levels_say_what_must_be_an_attack() -> None:
    """Level 4 says nothing; a line that must not raise a high level must be none."""
    text = (
        "[a]\nlog 1 pass = x\nlog 2 fail = y\nrule = 1\nalert = 5\n[b]\nlog 1 pass = z\nalert = 4\n"
        "[c]\nlog 1 pass = w\nlog 2 fail = v\nalert = 2\n"
    )
    told = [(label.line, label.is_attack) for label in ossec.labels(text)]
    assert told == [("x", True), ("y", False), ("w", False)]


def test_the_page_has_a_table_for_each_source() -> None:
    """With a sum, and what peers answer."""
    row = Row("some source", "ssh", right=1, total=3, peers={"fail2ban": "2"})
    page = render([row])
    assert "## some source" in page
    assert "| ssh | 1 | 3 | 33.3 % | 0 | 2 |  |" in page
    assert "| all | 1 | 3 |" in page


def test_fail2bans_lines_are_answered(samples: Path) -> None:
    """At least 95 of 100, and not one false positive."""
    rows = fail2ban.judge(samples)
    assert [row.service for row in rows if row.false_positives] == []
    total = total_of(rows)
    assert total.right / total.total >= 0.95


def test_ossecs_severity_is_kept_in_order(samples: Path) -> None:
    """At least 90 of 100 lines by the order, and 85 where up to level 3 nothing at all may be told."""
    rows = ossec.judge(samples)
    for source, least in ((ossec.ORDER, 0.9), (ossec.SOURCE, 0.85)):
        total = total_of([row for row in rows if row.source == source])
        assert total.right / total.total >= least


TEXT = {
    "adguardhome", "amavis", "apache-guacamole", "asterisk", "bitwarden", "calibre-web", "cas",
    "charon-ipsec",
    "dockge", "dovecot", "endlessh", "exchange-imap", "exchange-pop", "exchange-smtp", "fireflyiii",
    "freeswitch", "gitea", "harbor", "hestiacp", "immich", "jellyfin", "jellyseerr", "joplin-server",
    "keycloak", "lemonldap-ng", "litespeed", "magento-extension", "mailscanner", "mailu-admin", "mariadb",
    "mikrotik", "mysql", "navidrome", "openvpn", "opnsense-gui", "overseerr", "paperless-ngx", "pfsense-gui",
    "postfix", "postgres", "proxmox", "pterodactyl", "pureftpd", "qbittorrent", "sabnzbd", "smb", "sshd",
    "sshesame", "technitium", "ts3", "uptime-kuma", "wireguard", "zoneminder",
}  # fmt: skip


def test_crowdsecs_scenarios_of_text_logs_are_answered(samples: Path) -> None:
    """Every address of every one of them, and nothing above `info` where nothing is expected."""
    rows = [row for row in crowdsec.judge(samples) if row.source == crowdsec.SCENARIOS]
    assert {row.service for row in rows} >= TEXT
    wrong = [failure for row in rows if row.service in TEXT for failure in row.failures]
    assert wrong == []
