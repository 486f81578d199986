"""A mail server that receives spam over LMTP and reports it in ARF (RFC 5965), as its Sieve script says.

Dovecot writes the report; the site's sendmail command adds `Source-IP`, which Dovecot leaves out, from the
`Received` line that this very server wrote.
"""

import re
import smtplib
import subprocess
import time
from pathlib import Path

SPAMMER, SERVER, PORT = "203.0.113.44", "192.0.2.10", 24
RECIPIENT = "trap@moorview.example"

CONFIG = """
protocols = lmtp
base_dir = {stage}/run
log_path = {stage}/dovecot.log
state_dir = {stage}/state
ssl = no
hostname = mx1.moorview.example
postmaster_address = postmaster@moorview.example
mail_location = maildir:{stage}/mail/%u
first_valid_uid = 1
sendmail_path = {stage}/sendmail
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
service lmtp {{
  inet_listener lmtp {{
    address = {server}
    port = {port}
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
service anvil {{
  chroot =
}}
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={stage}/home/%u allow_all_users=yes
}}
protocol lmtp {{
  mail_plugins = sieve
}}
plugin {{
  sieve_extensions = +vnd.dovecot.report
  sieve_before = {stage}/report.sieve
}}
"""

SIEVE = """require ["vnd.dovecot.report"];
report :headers_only "abuse" "This mailbox is a spam trap." "abuse@moorview.example";
"""

SPAM = f"""From: offers@pills.example
To: {RECIPIENT}
Subject: cheaper than ever
Message-ID: <20261122.1@pills.example>

Buy now.
"""


def record(stage: Path, out: Path) -> None:
    """Deliver one spam message; the server's report is written to `out`."""
    (stage / "dovecot.conf").write_text(CONFIG.format(stage=stage, server=SERVER, port=PORT))
    (stage / "report.sieve").write_text(SIEVE)
    sendmail = stage / "sendmail"
    spooled = stage / "spool" / "report.eml"
    sendmail.write_text(f"#!/bin/sh\ncat > {spooled}.part\nmv {spooled}.part {spooled}\n")
    sendmail.chmod(0o755)
    for name in ("mail", "home", "spool", "run", "state"):
        (stage / name).mkdir(exist_ok=True)
        (stage / name).chmod(0o777)
    stage.chmod(0o777)
    server = subprocess.Popen(["dovecot", "-F", "-c", str(stage / "dovecot.conf")])
    try:
        time.sleep(2)
        with smtplib.LMTP(SERVER, PORT, source_address=(SPAMMER, 0)) as client:
            client.sendmail("offers@pills.example", [RECIPIENT], SPAM)
        for _ in range(50):
            if spooled.exists():
                break
            time.sleep(0.1)
        kept = out / "moorview" / "mail" / "spam-report.eml"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(with_source(spooled.read_text()))
    finally:
        server.terminate()
        server.wait()


def with_source(report: str) -> str:
    """The report with the address of the `Received` line that our own server wrote."""
    received = re.search(
        r"^Received: from \S+ \(?\[([0-9a-fA-F.:]+)\]\)?\s+by mx1\.moorview\.example", report, re.M
    )
    if received is None:
        raise SystemExit("error: the server's own Received line is missing")
    return re.sub(r"^(Feedback-Type: abuse)$", rf"\1\nSource-IP: {received[1]}", report, count=1, flags=re.M)
