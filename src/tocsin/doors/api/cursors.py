"""Opaque cursors: where a page ended, so that the next one goes on exactly behind it."""

import base64
import binascii
import datetime as dt
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from tocsin.intake.models import Report
from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import parse_rfc3339, rfc3339

HIGHEST = 2**63


def encode(report: Report) -> str:
    """Where a page of reports ends: by (updated_at, id)."""
    return sealed(rfc3339(report.updated_at), report.pk)


def behind(reports: QuerySet[Report], cursor: str) -> QuerySet[Report]:
    """Only what comes after the cursor. Raises BadInput for one that the exchange did not give."""
    at, pk = decode(cursor)
    return reports.filter(Q(updated_at=at, pk__gt=pk) | Q(updated_at__gt=at), updated_at__gte=at)


def decode(cursor: str) -> tuple[dt.datetime, int]:
    """The instant and the id in a cursor."""
    at, pk = opened(cursor, 2)
    return instant(at), number(pk)


def sealed(*parts: str | int) -> str:
    """The parts of a place as one opaque word."""
    text = "\n".join(map(str, parts))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def opened(cursor: str, count: int) -> list[str]:
    """The parts of a cursor again. Raises BadInput for one that the exchange did not give."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True).decode().split("\n")
    except (ValueError, binascii.Error):
        raise not_ours() from None
    if len(parts) != count:
        raise not_ours()
    return parts


def number(text: str) -> int:
    """A part of a cursor that is a number. Raises BadInput."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) >= HIGHEST:
        raise not_ours()
    return int(text)


def instant(text: str) -> dt.datetime:
    """A part of a cursor that is an instant. Raises BadInput."""
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError):
        raise not_ours() from None


def not_ours() -> BadInput:
    """What is said of a cursor that nobody was given."""
    return BadInput("that cursor was not given by this exchange", hint="leave it out to begin at the start")


def linked(request: HttpRequest, response: HttpResponse, cursor: str | None) -> HttpResponse:
    """The response with `Link: <…>; rel="next"` (RFC 8288) where a next page is there to be read."""
    if cursor is not None:
        wanted = {name: request.GET[name] for name in request.GET} | {"cursor": cursor}
        response["Link"] = f'<{request.path}?{urlencode(wanted)}>; rel="next"'
    return response


def since(text: str) -> dt.datetime:
    """The instant in `updated_since`; a plus sign that became a space on its way is understood."""
    try:
        return parse_rfc3339(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise BadInput(
            f"updated_since is not an RFC 3339 instant: {text[:40]!r}", hint="such as 2026-11-22T00:00:00Z"
        ) from None
