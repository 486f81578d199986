"""What the demo ships was written by real daemons; sifting finds exactly who attacked, and nobody else."""

from pathlib import Path

import pytest

from tocsin.doors import admin
from tocsin.sift.engine import Options, sift

EVIDENCE = Path(admin.__file__).parent / "evidence"
GUESSER, SECOND, LUCKY = "203.0.113.7", "198.51.100.23", "198.51.100.61"


@pytest.mark.parametrize(
    ("place", "reported"),
    [
        ("harbour", {GUESSER, SECOND}),  # rsyslog's traditional file format
        ("fenland", {GUESSER, "2001:db8:66::5", LUCKY, "203.0.113.90"}),  # its ISO format, gzipped; XARF
        (
            "moorview",
            {GUESSER, "203.0.113.44"},
        ),  # its RFC 5424 format, with the space that it puts first; ARF
    ],
)
def test_every_attacker_is_found_and_no_customer(place: str, reported: set[str]) -> None:
    """In each of the daemons' formats, those above the threshold are those whom the script sent."""
    found = sift([str(EVIDENCE / place)], Options(year=2026, tz="UTC"))
    assert {origin for a in found.attacks if a.severity != "info" for origin in a.origins} == reported
    assert found.balance.rejected == 0


def test_a_password_that_fits_after_guessing_is_a_compromise() -> None:
    """The sign-in after refused guesses is told as what it probably is."""
    found = sift([str(EVIDENCE / "fenland")], Options(year=2026, tz="UTC"))
    assert {a.kind for a in found.attacks if a.severity == "high"} == {
        "intrusion-attempts/brute-force",
        "intrusions/unprivileged-account-compromise",
    }
