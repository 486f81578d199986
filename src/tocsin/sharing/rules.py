"""What a report says of an address or a name, and when that is shared. Pure decisions, no table is read.

Nothing is blocked on one unverified word: two independent members or one trusted person, evidence that
cannot be forged, no warning list, no member's own network, an expiry, a withdrawal.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tocsin.sharing import confidence
from tocsin.wire import report as wire
from tocsin.wire.lists import UNNAMED
from tocsin.wire.observables import address_of as address_of
from tocsin.wire.observables import name_of as name_of

Kind = Literal["address", "name"]
State = Literal["held", "shared", "withdrawn", "expired"]

DEFAULTS = confidence.figures(confidence.own_file())
EXPIRY: dict[str, dt.timedelta] = {kind: DEFAULTS.expiry(kind) for kind in ("address", "name")}
USUAL = confidence.weight_of(confidence.Record(), DEFAULTS)  # what a word of a source without a record weighs
RENEWED_FROM = dt.timedelta(hours=12)  # a smaller gain of life is not worth a new version to every member
SOURCES_NEEDED = 2
LEVELS = ("clear", "green", "amber", "amber+strict")  # TLP:RED is for persons, and in no feed at all

ADDRESS_KINDS = re.compile(r"(?:intrusion-attempts|intrusions)/.+|information-gathering/scanner")
NAME_KINDS = frozenset({"fraud/phishing", "malicious-code/malware-distribution", "malicious-code/c2-server"})
FORGEABLE = frozenset({"udp", "icmp", "icmpv6", "gre", "ip"})  # one packet is enough, and needs no answer

BASES = ("voices", "person", "alone", "unsure", "forgeable", "nobody", "listed", "asks", "refused", "expired")

FORGEABLE_WORDS = "The evidence could be forged: nothing shows that the address ever got an answer."
ALONE_WORDS = "Only one member has reported it so far."
UNSURE_WORDS = "Those who reported it were wrong too often to be believed without a person."
NOBODY_WORDS = "No report stands behind it any more."
NOT_PUBLIC_WORDS = "It is no public address."
OWN_WORDS = "It lies in a member's own network, which is never shared."
TWO_WORDS = "At least two independent members reported it."
TRUSTED_WORDS = "A trusted person approved it."


@dataclass(frozen=True, slots=True)
class Claim:
    """What one report says of one address or name; `unforgeable` where the origin must have had an answer."""

    kind: Kind
    value: str
    unforgeable: bool = True


@dataclass(frozen=True, slots=True)
class Word:
    """One member's standing word for an indicator, when it was last given, and how far it may travel.

    `upstream` is the feed that the member passes on, `community` the only one that may read it (None: all);
    `attack_kind` is the class of attack that it names, where that was asked for.
    """

    member: int
    at: dt.datetime
    unforgeable: bool = True
    tlp: str = "green"
    upstream: str = ""
    community: int | None = None
    weight: float = USUAL
    attack_kind: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The latest yes or no of a trusted person."""

    is_yes: bool
    at: dt.datetime
    reason: str = ""
    by_clock: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is known of an indicator; `obstacle` is why it may never be shared, or empty.

    `caution` is why only a trusted person's yes shares it, or empty.
    `seen` is when a member met it last, by a sighting: no word, and no voice.
    """

    kind: str
    state: str
    reason: str = ""
    words: tuple[Word, ...] = ()
    ruling: Ruling | None = None
    obstacle: str = ""
    caution: str = ""
    valid_until: dt.datetime | None = None
    tlp: str = ""
    sources_needed: int = SOURCES_NEEDED
    community: int | None = None
    basis: str = ""
    seen: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state that an indicator should be in, why, until when, and at which TLP it is shared.

    `basis` is the reason in one word, for whoever counts: see BASES.
    """

    state: State
    reason: str
    valid_until: dt.datetime | None = None
    tlp: str = ""
    basis: str = ""


def claims_of(report: wire.Report) -> Iterator[Claim]:
    """What a report says: its one origin address, or the names that it was reported for.

    The restricted lane says nothing, nor does `info`, nor evidence whose origin could be forged. Several
    origins are a sample of what cannot be trusted (DESIGN 3, attack), so they say nothing either. Names stand
    exactly as reported.
    """
    if report.lane != "ordinary" or report.severity == "info":
        return
    if report.spoofable and report.kind not in NAME_KINDS:
        return
    if ADDRESS_KINDS.fullmatch(report.kind) and len(report.origins) == 1:
        address = address_of(report.origins[0])
        if address is not None:
            yield Claim("address", address, report.service.partition("/")[0].lower() not in FORGEABLE)
    elif report.kind in NAME_KINDS:
        for name in dict.fromkeys(filter(None, map(name_of, report.names))):
            yield Claim("name", name)


def audible(words: Iterable[Word], level: str, community: int | None = None) -> tuple[Word, ...]:
    """The words that an audience may read, and so all that counts for it.

    What only a stricter circle may know never lifts anything where others could see it rise.
    """
    readable = LEVELS[: LEVELS.index(level) + 1]
    return tuple(word for word in words if word.tlp in readable and word.community in (None, community))


def judge(standing: Standing, at: dt.datetime, levels: Sequence[str] = LEVELS[:3]) -> Verdict:
    """Where an indicator belongs at this instant: shared at the least strict of the levels that carries it.

    `levels` go from the least strict to the audience's ceiling. A trusted person's yes shares as far as the
    words behind it go.
    """
    heard = {level: audible(standing.words, level, standing.community) for level in levels}
    lowest = [level for level, words in heard.items() if words] or [standing.tlp or levels[-1]]
    for level in lowest:
        was_there = standing.tlp in LEVELS[: LEVELS.index(level) + 1]
        state = standing.state if was_there else "held"
        verdict = judge_heard(replace(standing, words=heard.get(level, ()), state=state), at)
        if verdict.state == "shared":
            return replace(verdict, tlp=level)
    verdict = judge_heard(replace(standing, words=heard[levels[-1]]), at)
    return replace(verdict, tlp=standing.tlp)


def judge_heard(standing: Standing, at: dt.datetime) -> Verdict:
    """Where an indicator belongs by all of these words.

    To become shared, words and rulings must be younger than the kind's expiry; once shared, all that were
    not withdrawn keep it there, and the youngest sets its end. Sightings put that off, up to a limit.
    """
    if standing.obstacle:
        return _off(standing, standing.obstacle, "listed")
    ruling = standing.ruling
    if ruling is not None and not ruling.is_yes:
        words = ruling.reason if ruling.by_clock else f"A trusted person decided against it: {ruling.reason}"
        return _off(standing, words, "refused")
    life = EXPIRY[standing.kind]
    known = [word for word in standing.words if _counts(word.at, standing, at)]
    firm = [word for word in known if word.unforgeable]
    approved = ruling is not None and _counts(ruling.at, standing, at)
    if standing.caution and not approved:
        is_over = standing.state == "expired" and not firm  # with nothing new, that it ended is the reason
        return _off(standing, standing.caution, "asks", is_answered=is_over)
    if not approved:
        said = loudest(firm)
        sure = confidence.certainty(said, DEFAULTS) >= DEFAULTS.enough
        if len(said) < standing.sources_needed or not sure:
            lacking = _lacking(known, firm, is_many=len(said) >= standing.sources_needed)
            return _off(standing, *lacking, is_answered=True)
    instants = [word.at for word in firm] + ([ruling.at] if ruling is not None and approved else [])
    valid_until = max(instants) + life
    if standing.seen is not None and standing.state == "shared":
        latest = max(instants) + DEFAULTS.sightings.longest(standing.kind)
        valid_until = max(valid_until, min(standing.seen + life, latest))
    valid_until = next_hour(valid_until)  # to the hour: it would tell when somebody last spoke
    if valid_until <= at:
        words = f"Nobody has reported it again for {life.days} days."
        return Verdict("expired", words, standing.valid_until, basis="expired")
    before = standing.valid_until if standing.state == "shared" else None
    if before is not None and at < before and valid_until - before < RENEWED_FROM:
        valid_until = before
    # Once shared, old words count again; the reason goes by the fresh ones, or it would change by itself.
    by_two = voices(word for word in firm if word.at > at - life) >= standing.sources_needed or not approved
    words, basis = (TWO_WORDS, "voices") if by_two else (TRUSTED_WORDS, "person")
    return Verdict("shared", words, valid_until, basis=basis)


def voices(words: Iterable[Word]) -> int:
    """How many speak independently: one voice a member, and one for all who pass on the same feed."""
    return len(loudest(words))


def loudest(words: Iterable[Word]) -> list[float]:
    """The weight of each independent voice: of several who are one voice, that of the best record."""
    groups: list[tuple[set[object], float]] = []
    for word in words:
        names: set[object] = {word.member, word.upstream} if word.upstream else {word.member}
        joined = [group for group in groups if group[0] & names]
        groups = [group for group in groups if not group[0] & names]
        weight = max([word.weight, *(heard for _, heard in joined)])
        groups.append((names.union(*(others for others, _ in joined)), weight))
    return [weight for _, weight in groups]


def next_hour(at: dt.datetime) -> dt.datetime:
    """The first full hour that is not before."""
    return at + (dt.datetime.min.replace(tzinfo=dt.UTC) - at) % dt.timedelta(hours=1)


def sureness(words: Iterable[Word], kind: str, basis: str, at: dt.datetime) -> float:
    """How sure the exchange is now, 0 to 1, by the words of an audience: older ones have faded.

    A trusted person's yes is sure in itself.
    """
    heard = [
        replace(word, weight=confidence.faded(word.weight, at - word.at, kind, DEFAULTS))
        for word in words
        if word.unforgeable
    ]
    sure = confidence.certainty(loudest(heard), DEFAULTS)
    return max(sure, DEFAULTS.bands["high"]) if basis == "person" else sure


def class_said(words: Iterable[Word]) -> str:
    """The class of attack that most members name; of two that as many name, the one that was named last."""
    members: dict[str, set[int]] = {}
    last: dict[str, dt.datetime] = {}
    for word in words:
        if word.attack_kind:
            members.setdefault(word.attack_kind, set()).add(word.member)
            last[word.attack_kind] = max(last.get(word.attack_kind, word.at), word.at)
    return max(members, key=lambda kind: (len(members[kind]), last[kind], kind), default=UNNAMED)


def _counts(instant: dt.datetime, standing: Standing, at: dt.datetime) -> bool:
    return standing.state == "shared" or instant > at - EXPIRY[standing.kind]


def _lacking(known: list[Word], firm: list[Word], *, is_many: bool) -> tuple[str, str]:
    if is_many:
        return UNSURE_WORDS, "unsure"
    if known and not firm:
        return FORGEABLE_WORDS, "forgeable"
    return (ALONE_WORDS, "alone") if firm else (NOBODY_WORDS, "nobody")


def _off(standing: Standing, reason: str, basis: str, *, is_answered: bool = False) -> Verdict:
    """Not shared: withdrawn where it was, otherwise as before; `is_answered` keeps an earlier reason."""
    if standing.state == "shared":
        return Verdict("withdrawn", reason, standing.valid_until, basis=basis)
    if standing.state == "held":
        return Verdict("held", reason, basis=basis)
    state: State = "expired" if standing.state == "expired" else "withdrawn"
    if is_answered:
        return Verdict(state, standing.reason, standing.valid_until, basis=standing.basis or basis)
    return Verdict(state, reason, standing.valid_until, basis=basis)
