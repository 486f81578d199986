"""From an attack to what may leave the provider: no raw line, no path, no own customer's address."""

import datetime as dt
import ipaddress
from collections.abc import Mapping, Sequence

from tocsin.kernel.hashing import keyed_token
from tocsin.kernel.ids import attack_id
from tocsin.kernel.time import parse_rfc3339
from tocsin.sift.values import Attack
from tocsin.wire.report import Evidence, Holding, Report

UNNAMED = "abuse-desk"  # mails and reports are not a log with a period of its own
MOST_NAMES = 100  # as many as an exchange takes of one attack
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def minimise(
    attack: Attack,
    *,
    own: Sequence[Network],
    key: bytes,
    source_ids: Mapping[str, str],
    holdings: Mapping[str, Holding],
) -> Report:
    """The report on one attack as it will leave.

    Addresses inside `own` become tokens under the member's `key` before the id that is sent is derived, or
    the hash of an IPv4 address would give it away (DESIGN 11.1). `source_ids` names each evidence path
    without telling it; `holdings` are keyed by source id.
    """
    origins = tuple(_hide(origin, own, key) for origin in attack.origins)
    targets = tuple(_hide(target, own, key) for target in attack.targets)

    def name_of(path: str) -> str:
        return source_ids.get(path, UNNAMED)

    used = sorted({name_of(e.path) for e in attack.evidence})
    return Report(
        attack_id=sent_id(attack, own, key),
        kind=attack.kind,
        origins=origins,
        targets=targets,
        service=attack.service,
        first_seen_at=attack.first_seen_at,
        last_seen_at=attack.last_seen_at,
        count=attack.count,
        severity=attack.severity,
        evidence=tuple(Evidence(name_of(e.path), e.line_count, e.sha256) for e in attack.evidence),
        holdings=tuple(holdings[source_id] for source_id in used if source_id in holdings),
        assumed=attack.assumed,
        lane=attack.lane,
        names=attack.names[:MOST_NAMES] if attack.lane == "ordinary" else (),
        spoofable=attack.spoofable,
        vector=attack.vector,
        fingerprint=attack.fingerprint,
        origin_count=attack.origin_count,
        measures=attack.measures,
    )


def sent_id(attack: Attack, own: Sequence[Network], key: bytes) -> str:
    """The id by which the exchange will know an attack: another than here where own addresses are hidden."""
    origins = tuple(_hide(origin, own, key) for origin in attack.origins)
    targets = tuple(_hide(target, own, key) for target in attack.targets)
    if origins == attack.origins and targets == attack.targets:
        return attack.attack_id
    origin = "" if attack.vector else _first(origins)
    return attack_id(attack.kind, origin, _first(targets), attack.service, _day(attack))


def networks(texts: Sequence[str]) -> list[Network]:
    """The networks named on the command line; ValueError on one that is none."""
    return [ipaddress.ip_network(text, strict=False) for text in texts]


def _hide(name: str, own: Sequence[Network], key: bytes) -> str:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name
    return keyed_token(key, name) if any(address in network for network in own) else name


def _first(names: tuple[str, ...]) -> str:
    return names[0] if names else ""


def _day(attack: Attack) -> dt.date:
    return parse_rfc3339(attack.first_seen_at).date()
