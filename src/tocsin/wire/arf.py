"""Abuse complaints by mail: the Abuse Reporting Format (RFC 5965, with RFC 6591's failure reports).

Bytes to values, lenient where the world is sloppy: bare CR or LF line ends, comments in dates, a report that
was encoded, fields spelled in any case. What a person wrote in free text is never read as an address.
"""

import datetime as dt
import email
import email.policy
import email.utils
import re
from email.message import Message
from typing import Literal

import msgspec

from tocsin.wire.line_ends import unix_lines

DateSource = Literal["Arrival-Date", "Received-Date", "Date"]

_FIELD = re.compile(r"^([!-9;-~]+):[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)


class NotArf(Exception):  # noqa: N818 (a finding about one mail, never an error of the program)
    """The mail is no feedback report: the reason in words."""


class FeedbackReport(msgspec.Struct, frozen=True):
    """What one feedback report says.

    `source_ip` as written, empty where none is given; `event_at` is UTC and `event_from` the field that it
    was read from; `incidents` is 1 where the report does not count; `reporter` is the domain that complains.
    """

    feedback_type: str
    source_ip: str
    event_at: dt.datetime | None
    event_from: DateSource | Literal[""]
    incidents: int
    reported_domains: tuple[str, ...]
    reporter: str
    auth_failure: str = ""


def parse_mail(content: bytes) -> Message:
    """The mail as a tree of parts; never raises, broken parts are left as they are."""
    return email.message_from_bytes(unix_lines(content), policy=email.policy.compat32)


def read_arf(mail: Message) -> FeedbackReport:
    """The feedback report in a mail. Raises NotArf where there is none."""
    for part in mail.walk():
        if part.get_content_type() == "message/feedback-report":
            return _report(mail, _fields(part))
    raise NotArf("a mail without a feedback report or XARF: addresses in its text are not guessed")


def _report(mail: Message, fields: dict[str, list[str]]) -> FeedbackReport:
    kind = _first(fields, "feedback-type").lower()
    if not kind:
        raise NotArf("a feedback report without Feedback-Type")
    at, source = _event_time(mail, fields)
    incidents = _first(fields, "incidents")
    return FeedbackReport(
        feedback_type=kind,
        source_ip=_address(_first(fields, "source-ip")),
        event_at=at,
        event_from=source,
        incidents=int(incidents) if re.fullmatch(r"[1-9][0-9]{0,8}", incidents) else 1,
        reported_domains=tuple(
            dict.fromkeys(name.lower() for name in fields.get("reported-domain", []) if name)
        ),
        reporter=_reporter(mail, fields),
        auth_failure=_first(fields, "auth-failure").lower(),
    )


def _fields(part: Message) -> dict[str, list[str]]:
    """The report's fields, by lower-case name; RFC 5965 section 3: like header fields, some repeated."""
    text = ""
    if part.is_multipart():  # else the payload would be decoded, by a character set that may be any text
        for inner in part.get_payload():
            if isinstance(inner, Message):
                if "Content-Transfer-Encoding" in part and "Content-Transfer-Encoding" not in inner:
                    inner["Content-Transfer-Encoding"] = part["Content-Transfer-Encoding"]
                text += "".join(f"{name}: {value}\n" for name, value in inner.items()) + "\n" + _text(inner)
    else:
        text = _text(part)
    fields: dict[str, list[str]] = {}
    for name, value in _FIELD.findall(text):
        fields.setdefault(name.lower(), []).append(" ".join(str(value).split()))
    return fields


def _text(part: Message) -> str:
    try:
        data = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        data = None
    return unix_lines(data).decode("utf-8", "replace") if isinstance(data, bytes) else ""


def _first(fields: dict[str, list[str]], name: str) -> str:
    return next(iter(fields.get(name, [])), "").strip()


def _address(text: str) -> str:
    """`192.0.2.1`, `[192.0.2.1]`, `IPv6:2001:db8::1`, a comment behind it."""
    bare = text.split("(")[0].strip().strip("[]<>")
    return bare[5:] if bare.lower().startswith("ipv6:") else bare


def _event_time(
    mail: Message, fields: dict[str, list[str]]
) -> tuple[dt.datetime | None, DateSource | Literal[""]]:
    """When the message complained of arrived; the mail's own date where the report does not say."""
    for name, source in (("arrival-date", "Arrival-Date"), ("received-date", "Received-Date")):
        if at := parse_date(_first(fields, name)):
            return at, source  # type: ignore[return-value]
    if at := parse_date(str(mail.get("Date", ""))):
        return at, "Date"
    return None, ""


def parse_date(text: str) -> dt.datetime | None:
    """An RFC 5322 date in UTC, None when it is none; a date without a zone is taken as UTC."""
    try:
        at = email.utils.parsedate_to_datetime(" ".join(text.split()))
        return at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None


def _reporter(mail: Message, fields: dict[str, list[str]]) -> str:
    _, address = email.utils.parseaddr(str(mail.get("From", "")))
    domain = address.rpartition("@")[2].lower().strip("<>. ")
    if domain:
        return domain
    return _first(fields, "reporting-mta").rpartition(";")[2].strip().lower()
