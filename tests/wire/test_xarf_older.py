"""XARF before version 4: lenient about what is missing, strict about what is said."""

import json
from pathlib import Path
from typing import Any

import pytest

from tocsin.wire.xarf import decode, read_xarf
from tocsin.wire.xarf_older_types import OLDER_TYPES
from tocsin.wire.xarf_values import NotXarf


def older(**report: Any) -> dict[str, Any]:
    """A report of the third version from 192.0.2.1, its `Report` changed; None takes a field away."""
    fields = {
        "ReportClass": "Activity",
        "ReportType": "LoginAttack",
        "Date": "2026-03-01T12:00:00Z",
        "SourceIp": "192.0.2.1",
        **report,
    }
    return {
        "Version": "3",
        "ReporterInfo": {"ReporterOrg": "Example", "ReporterOrgEmail": "abuse@example.org"},
        "Report": {name: value for name, value in fields.items() if value is not None},
    }


@pytest.mark.parametrize("version", ["0.1", "1", "2", "3", "3.0", "3.0.0", 3])
def test_all_older_versions_are_read(version: object) -> None:
    """However their number is spelled."""
    read = read_xarf(older() | {"Version": version})
    assert (read.origin, read.kind, read.reporter) == (
        "192.0.2.1",
        "intrusion-attempts/brute-force",
        "example.org",
    )


@pytest.mark.parametrize("spelling", ["Login-Attack", "login_attack", "LOGINATTACK", "login attack"])
def test_types_are_read_in_any_spelling(spelling: str) -> None:
    """Senders differ in case and separators."""
    assert read_xarf(older(ReportType=spelling)).kind == "intrusion-attempts/brute-force"


def test_a_type_that_is_not_known_is_no_fault() -> None:
    """It is read as undetermined, and says so: nothing is lost."""
    read = read_xarf(older(ReportType="Teleportation"))
    assert (read.kind, read.severity) == ("other/undetermined", "info")
    assert "kind" in read.assumed


def test_what_opens_no_case_weighs_nothing() -> None:
    """Copyright and vulnerabilities are information; child abuse is restricted."""
    for known in OLDER_TYPES.values():
        if known.kind.startswith(("vulnerable/", "fraud/copyright")):
            assert known.severity == "info"
        assert (known.lane == "restricted") == (known.kind == "abusive-content/violence")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"SourceIp": "nowhere"}, "SourceIp is no address"),
        ({"SourceIp": 1}, "SourceIp is no address"),
        ({"SourceIp": None}, "names no source"),
        ({"DestinationIp": "198"}, "DestinationIp is no address"),
        ({"DestinationPort": 65_536}, "DestinationPort is no port"),
        ({"ASN": 1 << 32}, "ASN is no AS number"),
        ({"Date": "yesterday"}, "Date is no date"),
        ({"Date": None}, "Date is missing"),
        ({"ReportType": 4}, "ReportType"),
        ({"ReportClass": None}, "ReportClass"),
        ({"ReportType": "OpenService"}, "ServiceName is missing"),
        ({"ReportType": "Malware", "ReportSubType": "RPZ-Rewrite"}, "RpzDomain is missing"),
        ({"RpzDomain": "no host name"}, "RpzDomain is no host name"),
        ({"CVE": "CVE-x"}, "CVE is no CVE number"),
        ({"CVSS": {"Version": "4", "Vector": "CVSS:3.1/AV:N"}}, "CVSS"),
        ({"FileHash": {"HashAlgorithm": "rot13"}}, "FileHash"),
        ({"ReporterNotes": 5}, "ReporterNotes is no text"),
        ({"SourceUrl": 6}, "SourceUrl is no URL"),
        ({"ReportType": "PotentiallyCompromisedAccount", "DestinationIp": "192.0.2.9"}, "Account is missing"),
        ({"Account": {"AccountIdentifier": "amy@example.org"}}, "Account is no account"),
    ],
)
def test_a_field_that_is_not_what_its_name_says_spoils_the_report(
    changes: dict[str, Any], complaint: str
) -> None:
    """With the field at fault."""
    with pytest.raises(NotXarf, match=complaint):
        read_xarf(older(**changes))


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        ({"Version": "9"}, "unknown version"),
        ({"ReporterInfo": []}, "ReporterInfo is no object"),
        ({"ReporterInfo": {"ReporterOrg": "x"}}, "no mail address"),
        ({"ReporterInfo": {"ReporterOrg": "x", "ReporterOrgEmail": "x"}}, "no mail address"),
        ({"OnBehalfOf": "me"}, "OnBehalfOf is no object"),
        ({"OnBehalfOf": {"ComplainantOrgEmail": "x"}}, "ComplainantOrgEmail"),
        ({"Disclosure": "perhaps"}, "Disclosure"),
        ({"InternalProcessing": {"EventTags": [9]}}, "InternalProcessing"),
        ({"Report": []}, "Report is no object"),
    ],
)
def test_a_broken_frame_is_refused(frame: dict[str, Any], complaint: str) -> None:
    """Who reports, and for whom, must be said."""
    with pytest.raises(NotXarf, match=complaint):
        read_xarf(older() | frame)


def test_the_dialect_of_the_specification_is_read() -> None:
    """`Source` and `AdditionalInfo` in the place of flat fields."""
    document = older(
        ReportType="phishing", SourceIp=None, Source={"URL": "https://bad.example.com/a?b=c"},
        AdditionalInfo={"TargetBrand": "Bank", "FirstSeen": "2026-02-28T00:00:00Z"},
    )  # fmt: skip
    read = read_xarf(document)
    assert (read.origin, read.names, read.target) == ("bad.example.com", ("bad.example.com",), "Bank")
    assert read.first_at.isoformat() == "2026-02-28T00:00:00+00:00"


def test_an_account_is_reported_where_it_lives() -> None:
    """Without a source, the host of the account is the origin, and that is an assumption."""
    read = read_xarf(
        older(
            ReportType="PotentiallyCompromisedAccount",
            SourceIp=None,
            DestinationIp="192.0.2.7",
            Account={"AccountEmail": "amy@example.org"},
        )
    )
    assert (read.origin, read.assumed) == ("192.0.2.7", {"origin": "the host of the account"})
    assert "amy" not in repr(read)


def test_the_verdicts_of_real_samples(samples: Path) -> None:
    """Every positive sample is read, every negative one is refused with a reason."""
    wrong = []
    for path in sorted((samples / "xarf").glob("abusix-v*/*/*.json")):
        try:
            read_xarf(decode(path.read_bytes())[0][1])
            is_read = True
        except NotXarf as why:
            assert str(why)
            is_read = False
        if is_read != (path.parent.name == "positive"):
            wrong.append(path.name)
    assert wrong == []


def test_the_samples_of_the_specification_are_read(samples: Path) -> None:
    """All of its version 3."""
    for path in (samples / "xarf" / "spec-v3").glob("*.json"):
        read = read_xarf(json.loads(path.read_text()))
        assert read.origin
        assert read.kind != "other/undetermined"
