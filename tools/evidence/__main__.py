"""Make the evidence that the demo ships: real daemons, attacked by a script, inside a network of their own.

    sudo python -m tools.evidence OUT

Needs Linux with network namespaces and Debian's openssh-server, rsyslog, unbound, dovecot-lmtpd and
dovecot-sieve, and a machine without a running syslog daemon (a container). The attackers have documentation
addresses (RFC 5737, RFC 3849), which exist only inside the namespace; nothing leaves the machine.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.evidence import dns, mail, ssh

NAMESPACE = "tocsin-evidence"
ADDRESSES = (
    "192.0.2.10/32",  # the hosts under attack
    "203.0.113.7/32",  # the persistent guesser that all three providers meet
    "203.0.113.44/32",  # the spammer
    "198.51.100.23/32",  # a second guesser, of one provider only
    "198.51.100.61/32",  # guesses until a password fits
    *(f"{customer}/32" for customer in dns.CUSTOMERS),
    "192.0.2.77/32",  # a customer who mistypes once
    "2001:db8:66::5/128",  # a guesser over IPv6
    "2001:db8:10::10/128",  # the same host over IPv6
)


def main() -> int:
    """Set the stage, attack, collect, clean up."""
    if os.geteuid() != 0 or len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    out = Path(sys.argv[1]).absolute()
    if os.environ.get("TOCSIN_EVIDENCE_INSIDE") != "1":
        _run("ip", "netns", "add", NAMESPACE)
        try:
            for command in (
                ["link", "set", "lo", "up"],
                *(["addr", "add", a, "dev", "lo"] for a in ADDRESSES),
            ):
                _run("ip", "-n", NAMESPACE, *command)
            inside = {**os.environ, "TOCSIN_EVIDENCE_INSIDE": "1"}
            command = ["ip", "netns", "exec", NAMESPACE, sys.executable, "-m", "tools.evidence", str(out)]
            return subprocess.run(command, env=inside, check=False).returncode
        finally:
            _run("ip", "netns", "del", NAMESPACE)
    with tempfile.TemporaryDirectory(prefix="tocsin-evidence-") as folder:
        stage = Path(folder)
        stage.chmod(0o755)
        ssh.record(stage, out)
        mail.record(stage, out)
        dns.record(stage, out)
    return 0


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
