"""Labels and machine tags as classes of attacks."""

import pytest

from tocsin.reference.loader import known_kinds
from tocsin.wire.labels import RSIT, TECHNIQUES, meaning_of_kind, meaning_of_labels


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (['rsit:intrusion-attempts="brute-force"'], "intrusion-attempts/brute-force"),
        (["tlp:green", 'RSIT:fraud="phishing"'], "fraud/phishing"),
        (['ecsirt:information-gathering="scanner"'], "information-gathering/scanner"),
        (['circl:incident-classification="spam"'], "abusive-content/spam"),
        (['misp-galaxy:mitre-attack-pattern="Brute Force - T1110"'], "intrusion-attempts/brute-force"),
        (
            ['misp-galaxy:mitre-attack-pattern="Spraying - T1110.003"'],
            "intrusion-attempts/brute-force",
        ),
        (['misp-galaxy:botnet="Mirai"'], "malicious-code/infected-system"),
        (["brute-force"], "intrusion-attempts/brute-force"),
        (["phishing", 'rsit:availability="ddos"'], "availability/ddos"),
    ],
)
def test_labels_mean_a_class(labels: list[str], kind: str) -> None:
    """RSIT counts before all others; the rest by its words."""
    meaning = meaning_of_labels(labels)
    assert meaning is not None
    assert meaning.kind == kind


@pytest.mark.parametrize(
    "labels",
    [
        [],
        ["tlp:amber", 'osint:source-type="blog-post"', 'misp-galaxy:threat-actor="Sofacy"'],
        ['type:OSINT="phishing"'],
        ['rsit:intrusion-attempts="brandnew"'],
        ["malicious-activity"],
    ],
)
def test_other_labels_mean_nothing(labels: list[str]) -> None:
    """A tag about somebody or something else says nothing of what happened."""
    assert meaning_of_labels(labels) is None


def test_rsit_is_known_whole() -> None:
    """Every class and type of RSIT that offences are known for; of the country's own only ransomware."""
    known = {f"{classed}/{typed}" for classed, types in RSIT.items() for typed in types}
    own = {kind for kind in known_kinds() if "/x-" in kind}
    assert set(known_kinds()) - own == known - own
    assert known & own == {"malicious-code/x-uk-ransomware"}


def test_techniques_mean_classes_of_rsit() -> None:
    """No technique stands for a class that RSIT does not have."""
    assert all(meaning_of_kind(kind) for kind in TECHNIQUES.values())
