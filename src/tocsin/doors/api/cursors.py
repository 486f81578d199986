"""Opaque cursors over (updated_at, id): a reader goes on exactly where it stopped."""

import base64
import binascii
import datetime as dt

from django.db.models import Q, QuerySet

from tocsin.intake.models import Report
from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import parse_rfc3339, rfc3339


def encode(report: Report) -> str:
    """Where a page ends."""
    text = f"{rfc3339(report.updated_at)} {report.pk}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def behind(reports: QuerySet[Report], cursor: str) -> QuerySet[Report]:
    """Only what comes after the cursor. Raises BadInput for one that the exchange did not give."""
    at, pk = decode(cursor)
    return reports.filter(Q(updated_at=at, pk__gt=pk) | Q(updated_at__gt=at), updated_at__gte=at)


def decode(cursor: str) -> tuple[dt.datetime, int]:
    """The instant and the id in a cursor."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, pk = base64.urlsafe_b64decode(padded.encode("ascii")).decode("ascii").split(" ")
        number = int(pk)
        if not 0 <= number < 2**63:
            raise ValueError(number)
        return parse_rfc3339(at), number
    except (ValueError, OverflowError, binascii.Error):
        raise BadInput("that cursor was not given by this exchange") from None


def since(text: str) -> dt.datetime:
    """The instant in `updated_since`; a plus sign that became a space on its way is understood."""
    try:
        return parse_rfc3339(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise BadInput(
            f"updated_since is not an RFC 3339 instant: {text[:40]!r}", hint="such as 2026-11-22T00:00:00Z"
        ) from None
