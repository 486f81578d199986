"""An attack's running state: what earlier runs saw of it, and what this one adds."""

from tocsin.kernel.time import parse_rfc3339
from tocsin.sift import rulebook
from tocsin.sift.piles import MOST_LINES, added
from tocsin.sift.rulebook import Ruleset
from tocsin.sift.tally import SAMPLED, level_of
from tocsin.sift.values import Attack, EvidenceLines
from tocsin.wire.report import SEVERITIES


def merge(before: Attack | None, new: Attack, rules: Ruleset | None = None) -> Attack:
    """The cumulative attack: counts and scores add up, times widen, and the severity is judged again.

    `new` must come from evidence that `before` has not seen (the spool knows the regions).
    """
    if before is None:
        return new
    score = before.score + new.score
    lines = {evidence.path: evidence for evidence in before.evidence}
    for evidence in new.evidence:
        lines[evidence.path] = _joined(lines.get(evidence.path), evidence)
    return Attack(
        attack_id=new.attack_id,
        kind=new.kind,
        origins=tuple(dict.fromkeys((*before.origins, *new.origins)))[:SAMPLED],
        targets=new.targets,
        service=new.service,
        first_seen_at=min(before.first_seen_at, new.first_seen_at, key=parse_rfc3339),
        last_seen_at=max(before.last_seen_at, new.last_seen_at, key=parse_rfc3339),
        count=before.count + new.count,
        severity=SEVERITIES[max(_level(new, score, rules or rulebook.ruleset()), *map(_rank, (before, new)))],
        evidence=tuple(lines.values()),
        campaign=new.campaign or before.campaign,
        lane="restricted" if "restricted" in (before.lane, new.lane) else "ordinary",
        why=new.why or before.why,
        assumed={**before.assumed, **new.assumed},
        own=tuple(dict.fromkeys((*before.own, *new.own))),
        score=score,
        names=tuple(sorted({*before.names, *new.names})),
        spoofable=before.spoofable and new.spoofable,
        vector=new.vector,
        fingerprint=before.fingerprint or new.fingerprint,
        origin_count=max(before.origin_count, new.origin_count),
        measures=added(before.measures, new.measures),
        direction=new.direction or before.direction,
    )


def _joined(before: EvidenceLines | None, new: EvidenceLines) -> EvidenceLines:
    # The digest speaks for the lines seen last: those of earlier runs are named by the reports they made.
    if before is None:
        return new
    numbers = tuple(sorted({*before.lines, *new.lines}))[:MOST_LINES]
    return EvidenceLines(new.path, numbers, before.line_count + new.line_count, new.sha256)


def _rank(attack: Attack) -> int:
    return SEVERITIES.index(attack.severity)


def _level(attack: Attack, score: int, rules: Ruleset) -> int:
    return level_of(rules.thresholds(attack.service, attack.kind), score)
