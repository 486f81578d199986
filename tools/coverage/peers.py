"""What fail2ban and sshguard answer to the same samples: their own answer file, and they themselves.

fail2ban needs to be told which of its filters reads a log; `FILTERS` says so by service. sshguard's parser
reads everything that syslog carries.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

from tools.coverage.rows import Row
from tools.coverage.sources import crowdsec, fail2ban

FILTERS = {
    "sshd": "sshd[mode=aggressive]", "ssh": "sshd[mode=aggressive]", "postfix": "postfix[mode=aggressive]",
    "dovecot": "dovecot[mode=aggressive]", "exim": "exim", "asterisk": "asterisk", "mysql": "mysqld-auth",
    "mariadb": "mysqld-auth", "pure-ftpd": "pure-ftpd", "pureftpd": "pure-ftpd", "proftpd": "proftpd",
    "vsftpd": "vsftpd", "named": "named-refused", "freeswitch": "freeswitch", "gitea": "gitea",
    "nginx": "nginx-http-auth", "apache2": "apache-auth", "apache-guacamole": "guacamole",
    "bitwarden": "bitwarden", "mongodb": "mongodb-auth", "mssql": "mssql-auth", "proxmox": "proxmox",
    "zoneminder": "zoneminder", "traefik": "traefik-auth",
}  # fmt: skip
SSHGUARD = Path("/usr/libexec/sshguard/sshg-parser")


def add_peers(rows: list[Row], samples: Path) -> None:
    """Write what peers answer beside our rows."""
    answers = json.loads((samples / "fail2ban" / "PEER_debian_fail2ban_1.0.2.json").read_text())
    for row in rows:
        if row.source == fail2ban.SOURCE and "matched" in (answer := answers.get(row.service, {})):
            row.peers["fail2ban"] = f"fires on {answer['matched']}, must on {answer['expected_match']}"
    scenarios = {row.service: row for row in rows if row.source == crowdsec.SCENARIOS}
    counts: dict[tuple[str, str], int] = {}
    for service, log, expected in crowdsec.scenarios(samples):
        for peer, found in (("fail2ban", _fail2ban(service, log)), ("sshguard", _sshguard(log))):
            if found is not None:
                counts[service, peer] = counts.get((service, peer), 0) + (
                    bool(expected) and expected <= found
                )
    for (service, peer), count in counts.items():
        if count or service in FILTERS:
            scenarios[service].peers[peer] = str(count)


def _fail2ban(service: str, log: Path) -> set[str] | None:
    program = shutil.which("fail2ban-regex")
    if not program or service not in FILTERS:
        return None
    command = [program, "--out", "ip", str(log), FILTERS[service]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return set(done.stdout.split())


def _sshguard(log: Path) -> set[str] | None:
    program = shutil.which("sshg-parser") or (str(SSHGUARD) if SSHGUARD.exists() else None)
    if not program:
        return None
    done = subprocess.run([program], input=log.read_bytes(), capture_output=True, timeout=60, check=False)
    return set(re.findall(r"^\d+ (\S+) ", done.stdout.decode(errors="replace"), re.MULTILINE))
