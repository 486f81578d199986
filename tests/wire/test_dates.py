"""Dates in complaints, as they are written."""

import pytest

from tocsin.wire.dates import read_date


@pytest.mark.parametrize(
    ("text", "at", "zoned"),
    [
        ("Thu, 02 Jan 2025 03:04:05 +0000", "2025-01-02T03:04:05", True),
        ("Fri, 2 Oct 2015 18:17:05 UT", "2015-10-02T18:17:05", True),
        ("2025-01-02T03:04:05Z", "2025-01-02T03:04:05", True),
        ("2025-01-02 03:04:05", "2025-01-02T03:04:05", False),
        ("2025-01-02 03:04:05 UTC", "2025-01-02T03:04:05", True),
        ("2015-05-15 17:03:11-07:00", "2015-05-16T00:03:11", True),
        ("2015-09-23 04:04:18 +0200", "2015-09-23T02:04:18", True),
        ("at 2015-03-02 01:45:59 +01:00).", "2015-03-02T00:45:59", True),
        ("02 Jan 25 03:04 UTC |", "2025-01-02T03:04:00", True),
        ("[19/Apr/2026:07:18:38 +0200] GET", "2026-04-19T05:18:38", True),
        ("Mon, 21 Sep 2015 11:00AM PDT", "2015-09-21T18:00:00", True),
        ("Mon, 21 Sep 2015 12:30AM PDT", "2015-09-21T07:30:00", True),
        ("Sun Apr 19 07:19:02 2026", "2026-04-19T07:19:02", False),
        ("January 5, 2026 10:00 CET", "2026-01-05T09:00:00", True),
        ("31.12.2025 23:59:59", "2025-12-31T23:59:59", False),
        ("2015-01-01", "2015-01-01T00:00:00", False),
    ],
)
def test_dates_are_read(text: str, at: str, zoned: bool) -> None:
    """In UTC, and whether a zone was named."""
    read = read_date(text)
    assert read is not None
    assert (read[0].isoformat(), read[1]) == (at + "+00:00", zoned)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "192.0.2.1", "2025-13-01", "99 Jan 2025 10:00", "2025-01-02 25:00:00", "31/Foo/2025:1:00"],
)
def test_what_is_no_date_is_none(text: str) -> None:
    """Addresses and impossible days."""
    assert read_date(text) is None
