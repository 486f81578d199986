"""Complaints as they reach an abuse desk: feedback reports by mail (RFC 5965) and XARF v4 documents."""

import datetime as dt
import json
import uuid
from email.utils import format_datetime

from tocsin.nation.campaigns import MALWARE, Strike, instant
from tocsin.nation.places import Provider
from tocsin.nation.shape import Shape

_MAIL = """\
From: feedback@{domain}
To: abuse@{domain}
Date: {date}
Message-ID: <{number}@feedback.{domain}>
Subject: FW: a message that our customers complain about
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part-{number}"

--part-{number}
Content-Type: text/plain; charset=us-ascii

This is a feedback report about mail from {origin}, received on {date}.

--part-{number}
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: mailroom/2.1
Version: 1
Source-IP: {origin}
Arrival-Date: {date}
Reported-Domain: bulk.example
Incidents: {incidents}

--part-{number}
Content-Type: text/rfc822-headers

From: {sender}
To: customer@{domain}
Subject: You have won
Date: {date}
Message-ID: <{number}.spam@bulk.example>

--part-{number}--
"""


def mail(shape: Shape, member: Provider, strike: Strike) -> str:
    """The feedback report on a wave of spam that reached a provider's customers; LF line ends."""
    at = dt.datetime.fromtimestamp(shape.start(strike.day) + strike.start, dt.UTC)
    return _MAIL.format(
        domain=member.domain,
        date=format_datetime(at),
        number=_number(shape, strike).hex[:16],
        origin=strike.origin,
        incidents=strike.acts,
        sender="winner@bulk.example",
    )


def xarf(shape: Shape, member: Provider, strike: Strike) -> str:
    """The report on a phishing site or on a host of malware."""
    seen = instant(shape, strike.day, strike.start)
    desk = {"org": member.name, "contact": f"abuse@{member.domain}", "domain": member.domain}
    document = {
        "xarf_version": "4.2.0",
        "report_id": str(_number(shape, strike)),
        "timestamp": seen,
        "reporter": desk,
        "sender": desk,
        "source_identifier": strike.origin,
        "category": "content",
        "type": "malware" if strike.kind == MALWARE else "phishing",
        "first_seen": seen,
        "evidence_source": "user_report",
    }
    if strike.kind == MALWARE:
        document["url"] = f"http://{strike.site}/update.bin"
    else:
        document |= {"url": f"https://{strike.site}/sign-in", "target_brand": strike.target.title()}
    return json.dumps(document, indent=2) + "\n"


def _number(shape: Shape, strike: Strike) -> uuid.UUID:
    """One of its own for each complaint, the same whenever this nation is made."""
    what = f"{shape.seed}/{strike.campaign}/{strike.provider}/{strike.origin}/{strike.day}/{strike.start}"
    return uuid.UUID(bytes=uuid.uuid5(uuid.NAMESPACE_URL, what).bytes, version=4)
