"""A mail taken apart."""

import base64
import time

import pytest

from tocsin.wire.letters import open_letter


def test_a_plain_mail() -> None:
    """Its senders are everybody who is named as its author, in RT's header too."""
    letter = open_letter(
        b"From: Desk via RT <rt@desk.example>\nX-RT-Originator: a@reports.sender.example\n"
        b"Subject: =?utf-8?q?Attack_f=C3=BCr?=\n =?utf-8?q?_dich?=\n"
        b"Date: Thu, 1 Jan 2026 12:00:00 +0100\n\nhello\n"
    )
    assert letter.senders == ("desk.example", "reports.sender.example")
    assert letter.is_from("sender.example")
    assert not letter.is_from("ender.example")
    assert letter.subject == "Attack für dich"
    assert letter.date is not None
    assert letter.date.isoformat() == "2026-01-01T11:00:00+00:00"
    assert letter.body == "hello\n"


def test_markup_counts_where_there_is_no_plain_text() -> None:
    """Without its tags, scripts and styles; breaks are line ends, cells are columns."""
    letter = open_letter(
        b"Content-Type: text/html\n\n"
        b"<style>x</style><p>IP: <b>192.0.2.1</b><br>A&amp;B</p><td>c</td><td>d</td>"
    )
    assert "IP: 192.0.2.1\nA&B" in letter.body
    assert "c | d" in letter.body
    assert "x" not in letter.body


def test_the_message_complained_of_is_never_opened() -> None:
    """Its words are a stranger's; it is kept apart."""
    letter = open_letter(
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nours\n"
        b"--b\nContent-Type: message/rfc822\n\nSubject: theirs\n\n192.0.2.1\n--b--\n"
    )
    assert letter.body.strip() == "ours"
    assert [mail["Subject"] for mail in letter.enclosed] == ["theirs"]


def test_attachments_are_decoded() -> None:
    """With name and type, whatever the transfer encoding."""
    coded = base64.b64encode(b"a,b\r\n1,2\r\n")
    letter = open_letter(
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/csv; name=x.csv\n"
        b"Content-Transfer-Encoding: base64\n\n" + coded + b"\n--b--\n"
    )
    (part,) = letter.attachments
    assert (part.name, part.content_type, part.text) == ("x.csv", "text/csv", "a,b\n1,2\n")


def test_broken_mails_do_not_raise() -> None:
    """Wrong encodings, charsets and boundaries leave less to read."""
    for content in (
        b"",
        b"\xff\xfe",
        b"Content-Type: text/plain; charset=nonsense\n\nhello \xff",
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: base64\n\n!!\n",
        b"Subject: =?x?q?=\nDate: x\nContent-Type: a/b; name*=x''%\n\n",
    ):
        open_letter(content)


def test_a_subject_in_an_impossible_alphabet_stays_as_it_is() -> None:
    """A character set whose very name is broken says nothing; the mail is read all the same."""
    letter = open_letter(b"Subject: =?u\xe9tf-8?q?abuse?=\nFrom: desk@example.com\n\nhello\n")
    assert "abuse" in letter.subject


@pytest.mark.parametrize("piece", ["<", "<!--", "<style>", "</p", "<a href=", "&", "<script"])
def test_markup_of_ill_will_takes_no_time(piece: str) -> None:
    """Megabytes of what is never closed are read in one go."""
    began = time.process_time()
    open_letter(b"Content-Type: text/html\n\n" + piece.encode() * (2_000_000 // len(piece)))
    assert time.process_time() - began < 5
