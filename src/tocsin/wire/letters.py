"""A mail taken apart for whoever reads complaints: who wrote, what it is about, its texts, what is attached.

The message that a complaint is about (`message/rfc822`) is never opened: its words are a stranger's, and
addresses in it prove nothing. Text in HTML counts where there is no plain text.
"""

import datetime as dt
import email.errors
import email.header
import email.utils
import html
import re
from dataclasses import dataclass
from email.message import Message

from tocsin.wire.arf import parse_date, parse_mail
from tocsin.wire.line_ends import unix_lines

_SENDERS = ("From", "Sender", "Reply-To", "Return-Path", "X-RT-Originator", "X-Original-Sender")
_HIDDEN = re.compile(r"<(/?)(script|style|head)\b[^<>]*>", re.IGNORECASE)
_BREAK = re.compile(r"<\s*(?:br|/p|/div|/tr|/li|/h\d|/table|/pre)\b[^<>]{0,2000}>", re.IGNORECASE)
_CELL = re.compile(r"</\s*t[dh]\s*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_RECEIPTS = ("message/delivery-status", "message/disposition-notification")  # RFC 3464, RFC 8098
_MOST_TEXT = 4 << 20


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is a file or no plain text: its name (empty where it has none), type and decoded bytes."""

    name: str
    content_type: str
    content: bytes

    @property
    def text(self) -> str:
        """Its bytes as text, with one kind of line end."""
        return unix_lines(self.content[:_MOST_TEXT]).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail. `senders` are lower-case domains of all who are named as its author; `date` is UTC.

    `texts` are its plain parts; `body` is all of them, or the HTML without its tags where there is none.
    """

    mail: Message
    senders: tuple[str, ...]
    subject: str
    date: dt.datetime | None
    body: str
    texts: tuple[str, ...]
    attachments: tuple[Attachment, ...]
    enclosed: tuple[Message, ...]
    is_bounce: bool

    def is_from(self, domain: str) -> bool:
        """Whether somebody of that domain, or of a name below it, wrote it."""
        return any(sender == domain or sender.endswith("." + domain) for sender in self.senders)


def open_letter(content: bytes | Message) -> Letter:
    """Take a mail apart; never raises, what is broken is left out."""
    mail = parse_mail(content) if isinstance(content, bytes) else content
    plain: list[str] = []
    marked: list[str] = []
    attachments: list[Attachment] = []
    enclosed: list[Message] = []
    for part in _leaves(mail):
        if part.get_content_maintype() == "message":
            enclosed += _enclosed(part)
            continue
        content_type, data, name = part.get_content_type(), _bytes(part), _filename(part)
        if content_type == "text/plain":
            plain.append(_text(part, data))
        elif content_type == "text/html" and not name:
            marked.append(_without_tags(_text(part, data)))
        if name or content_type not in ("text/plain", "text/html"):
            attachments.append(Attachment(name, content_type, data))
    return Letter(
        mail=mail,
        senders=_senders(mail),
        subject=" ".join(_header(mail, "Subject").split()),
        date=parse_date(str(mail.get("Date", ""))),
        body="\n".join(plain or marked)[:_MOST_TEXT],
        texts=tuple(plain),
        attachments=tuple(attachments),
        enclosed=tuple(enclosed),
        is_bounce=any(part.get_content_type() in _RECEIPTS for part in mail.walk()),
    )


def _leaves(part: Message, depth: int = 0) -> list[Message]:
    """The parts that hold something, in order, without looking into enclosed messages."""
    if part.get_content_maintype() == "message" or not part.is_multipart() or depth > 20:
        return [part]
    payload = part.get_payload()
    return [leaf for inner in payload if isinstance(inner, Message) for leaf in _leaves(inner, depth + 1)]


def _enclosed(part: Message) -> list[Message]:
    if part.get_content_type() != "message/rfc822" or not part.is_multipart():
        return []
    payload = part.get_payload()
    return [inner for inner in payload if isinstance(inner, Message)]


def _bytes(part: Message) -> bytes:
    try:
        data = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        return b""
    return data if isinstance(data, bytes) else b""


def _text(part: Message, data: bytes) -> str:
    try:
        return unix_lines(data).decode(str(part.get_content_charset() or "utf-8"))
    except (LookupError, UnicodeDecodeError, ValueError):
        return unix_lines(data).decode("utf-8", "replace")


def _filename(part: Message) -> str:
    try:
        return str(part.get_filename() or "")
    except (ValueError, TypeError, LookupError, AttributeError, email.errors.MessageError):
        return ""


def _header(mail: Message, name: str) -> str:
    written = str(mail.get(name, ""))
    try:
        return str(email.header.make_header(email.header.decode_header(written)))
    except (ValueError, LookupError, UnicodeError, email.errors.MessageError):
        return written


def _senders(mail: Message) -> tuple[str, ...]:
    written = [str(value) for name in _SENDERS for value in mail.get_all(name, [])]
    domains = (
        address.rpartition("@")[2].lower().strip("<>. ") for _, address in email.utils.getaddresses(written)
    )
    return tuple(dict.fromkeys(filter(None, domains)))


def _without_tags(text: str) -> str:
    shown = _without_hidden(_without_comments(text[:_MOST_TEXT]))
    bare = _CELL.sub(" | ", _BREAK.sub("\n", shown))
    return html.unescape(_TAG.sub("", bare)).replace("\xa0", " ")


def _without_comments(text: str) -> str:
    """Cut out from each `<!--` to the next `-->`, in one go over the text."""
    kept, at = [], 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        kept.append(text[at:start])
        at = end + 3
    return "".join([*kept, text[at:]])


def _without_hidden(text: str) -> str:
    """Cut out scripts, styles and the head, in one go over the text."""
    kept, at, hiding = [], 0, ""
    for tag in _HIDDEN.finditer(text):
        name = tag[2].lower()
        if not hiding and not tag[1]:
            kept.append(text[at : tag.start()])
            hiding = name
        elif hiding == name and tag[1]:
            hiding, at = "", tag.end()
    return "".join([*kept, "" if hiding else text[at:]])
