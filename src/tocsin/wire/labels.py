"""Labels and machine tags that say of what class an attack is: RSIT's own, and others' by their words.

Reference Security Incident Taxonomy v1003 (ENISA, TF-CSIRT); machine tags as MISP's taxonomies and galaxies
write them (`namespace:predicate="value"`); techniques of MITRE ATT&CK by their numbers.
"""

import re
from collections.abc import Iterable

from tocsin.wire.complaint_words import UNDETERMINED, Meaning, meaning_of
from tocsin.wire.report import Severity

# RSIT's classes and types; how much a report of one weighs at first is ours.
RSIT: dict[str, dict[str, Severity]] = {
    "abusive-content": {"spam": "low", "harmful-speech": "low", "violence": "critical"},
    "malicious-code": {
        "infected-system": "medium",
        "c2-server": "high",
        "malware-distribution": "medium",
        "malware-configuration": "medium",
        "x-uk-ransomware": "high",
    },
    "information-gathering": {"scanner": "low", "sniffing": "medium", "social-engineering": "medium"},
    "intrusion-attempts": {"ids-alert": "low", "brute-force": "low", "exploit": "low"},
    "intrusions": {
        "privileged-account-compromise": "high",
        "unprivileged-account-compromise": "high",
        "application-compromise": "high",
        "system-compromise": "high",
        "burglary": "high",
    },
    "availability": {
        "dos": "medium",
        "ddos": "high",
        "misconfiguration": "info",
        "sabotage": "high",
        "outage": "info",
    },
    "information-content-security": {
        "unauthorised-information-access": "high",
        "unauthorised-information-modification": "high",
        "data-loss": "medium",
        "data-leak": "high",
    },
    "fraud": {
        "unauthorised-use-of-resources": "medium",
        "copyright": "info",
        "masquerade": "medium",
        "phishing": "medium",
    },
    "vulnerable": {
        "weak-crypto": "info",
        "ddos-amplifier": "info",
        "potentially-unwanted-accessible": "info",
        "information-disclosure": "info",
        "vulnerable-system": "info",
    },
    "other": {"other": "info", "undetermined": "info"},
    "test": {"test": "info"},
}
# Techniques that a provider can see from outside.
TECHNIQUES: dict[str, str] = {
    "T1110": "intrusion-attempts/brute-force",
    "T1595": "information-gathering/scanner",
    "T1046": "information-gathering/scanner",
    "T1190": "intrusion-attempts/exploit",
    "T1210": "intrusion-attempts/exploit",
    "T1498": "availability/ddos",
    "T1499": "availability/dos",
    "T1566": "fraud/phishing",
    "T1071": "malicious-code/infected-system",
    "T1078": "intrusions/unprivileged-account-compromise",
    "T1486": "malicious-code/x-uk-ransomware",
    "T1496": "fraud/unauthorised-use-of-resources",
}
# Whose predicates and values name a kind of incident; all other tags are about something else.
_NAMESPACES = (
    "circl",
    "ecsirt",
    "europol-incident",
    "europol-event",
    "enisa",
    "csirt_case_classification",
    "cert-xlm",
    "ms-caro-malware",
    "malware_classification",
)
_GALAXIES = (
    'misp-galaxy:mitre-attack-pattern="',
    'misp-galaxy:ransomware="',
    'misp-galaxy:botnet="',
)
_TAG = re.compile(r'(?P<space>[^:"]+):(?P<predicate>[^="]+)(?:="(?P<value>[^"]*)")?')
_TECHNIQUE = re.compile(r"\bT\d{4}\b")


def meaning_of_kind(kind: str) -> Meaning | None:
    """A class and type of RSIT with its weight; None for what RSIT does not know."""
    classed, _, typed = kind.partition("/")
    severity = RSIT.get(classed, {}).get(typed)
    return None if severity is None else Meaning(kind, severity)


def meaning_of_labels(labels: Iterable[str]) -> Meaning | None:
    """What some labels say; None where none of them is about that.

    RSIT counts before all others, a technique before words, and of several the first.
    """
    tags = [(label, _TAG.fullmatch(label)) for label in labels]
    for _, tag in tags:
        if tag and tag["space"].lower() == "rsit":
            kind = f"{tag['predicate']}/{tag['value'] or ''}".lower()
            if meaning := meaning_of_kind(kind):
                return meaning
    for label, _ in tags:
        technique = _TECHNIQUE.search(label)
        if technique and technique[0] in TECHNIQUES:
            return meaning_of_kind(TECHNIQUES[technique[0]])
    for label, tag in tags:
        words = label
        if tag:
            if tag["space"].lower() not in _NAMESPACES and not label.startswith(_GALAXIES):
                continue
            words = f"{tag['value'] or ''} {tag['predicate']}"
        if (meaning := meaning_of(words)) != UNDETERMINED:
            return meaning
    return None
