"""The demo's postbox takes what the exchange's mail client hands over."""

import smtplib
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

from tocsin.doors.admin.postbox import postbox


def test_a_mail_is_kept_whole_and_told(tmp_path: Path) -> None:
    """A line of a single dot stays a line; each recipient has a file; the subject is decoded."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = (
        "tocsin@exchange.example",
        "amara@harbour.example",
        "Frage – 1",
    )
    mail.set_content("one\n.\n..two\n")
    told: list[tuple[str, str]] = []
    with postbox(tmp_path / "mail", lambda *said: told.append(said)) as address:
        where = urlsplit(address)
        with smtplib.SMTP(str(where.hostname), int(where.port or 0), timeout=10) as client:
            client.send_message(mail)
            client.send_message(mail, to_addrs=["bryn@fenland.example"])
    assert told == [("amara@harbour.example", "Frage – 1"), ("bryn@fenland.example", "Frage – 1")]
    kept = sorted((tmp_path / "mail").iterdir())
    assert [path.name for path in kept] == ["001-amara@harbour.example.eml", "002-bryn@fenland.example.eml"]
    read = message_from_bytes(kept[0].read_bytes(), policy=policy.default)
    assert read.get_content().splitlines() == ["one", ".", "..two"]


def test_what_it_does_not_know_is_refused(tmp_path: Path) -> None:
    """502, and the talk goes on (RFC 5321 section 4.2.4)."""
    with postbox(tmp_path, lambda *said: None) as address:
        where = urlsplit(address)
        with smtplib.SMTP(str(where.hostname), int(where.port or 0), timeout=10) as client:
            assert client.docmd("EXPN", "everybody")[0] == 502
            assert client.noop()[0] == 250
