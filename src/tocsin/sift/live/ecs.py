"""An attack in Elastic's Common Schema (ECS 8), as a SIEM takes it.

It stays on the provider's side: own customers' addresses are whole here. `event.id` is the attack's id and
`event.sequence` its count, so that a SIEM keeps the newest version of each and drops what it has.
"""

from typing import Any

from tocsin import __version__
from tocsin.sift.origins import is_address
from tocsin.sift.values import Attack

ECS = "8.11"
_SEVERITY = {"info": 1, "low": 3, "medium": 5, "high": 7, "critical": 9}
# Per RSIT class: `event.category` and `event.type`, of ECS's closed lists.
_CLASSES = {
    "abusive-content": (["email"], ["info"]),
    "malicious-code": (["malware"], ["info"]),
    "information-gathering": (["intrusion_detection", "network"], ["info"]),
    "intrusion-attempts": (["intrusion_detection", "authentication"], ["info"]),
    "intrusions": (["intrusion_detection"], ["access"]),
    "availability": (["intrusion_detection", "network"], ["denied"]),
    "fraud": (["threat"], ["indicator"]),
}
_OTHER = (["intrusion_detection"], ["info"])


def ecs(attack: Attack) -> dict[str, Any]:
    """The attack as an ECS document, nested, without empty fields."""
    category, kind = _CLASSES.get(attack.kind.partition("/")[0], _OTHER)
    document: dict[str, Any] = {
        "@timestamp": attack.last_seen_at,
        "ecs": {"version": ECS},
        "event": {
            "kind": "alert",
            "category": category,
            "type": kind,
            "id": attack.attack_id,
            "sequence": attack.count,
            "action": attack.kind,
            "reason": attack.why,
            "severity": _SEVERITY[attack.severity],
            "start": attack.first_seen_at,
            "end": attack.last_seen_at,
            "dataset": "tocsin.attack",
            "module": "tocsin",
        },
        "observer": {"vendor": "Tocsin", "product": "tocsin watch", "version": __version__, "type": "ids"},
        "message": f"{attack.why} ({attack.kind}), {attack.count:,} times",
        "tocsin": {
            "severity": attack.severity,
            "spoofable": attack.spoofable,
            "campaign": attack.campaign,
            "direction": attack.direction,
            "fingerprint": attack.fingerprint,
            "vector": attack.vector,
        },
    }
    if attack.service:
        document["network"] = {"protocol": attack.service}
    # A flood's origins are a sample of what cannot be trusted: they are related, never the source.
    if len(attack.origins) == 1 and not attack.vector:
        document["source"] = _end(attack.origins[0])
    if attack.targets:
        document["destination"] = _end(attack.targets[0])
    related = [name for name in (*attack.origins, *attack.targets) if is_address(name)]
    document["related"] = {"ip": related, "hosts": sorted(attack.names)}
    return {name: value for name, value in document.items() if value}


def _end(name: str) -> dict[str, str]:
    return {"address": name, "ip": name} if is_address(name) else {"address": name, "domain": name}
