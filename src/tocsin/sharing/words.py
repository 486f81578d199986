"""Storing what members say: each word once, under the indicator of its canonical value."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from tocsin.access.models import Community, Member
from tocsin.intake.models import Report
from tocsin.kernel.ids import new_id
from tocsin.kernel.problems import BadInput
from tocsin.sharing import rules
from tocsin.sharing.models import Assertion, Indicator
from tocsin.sharing.publishing import stix_id_of
from tocsin.store import bulk
from tocsin.store.rows import insert_rows, update_rows
from tocsin.wire.indicators import lookup_of

Key = tuple[str, str]
Told = tuple[Report, rules.Claim]

PAP = ("clear", "green", "amber", "red")
ACTIONS = ("block", "detect", "look")
RENEWABLE = (
    "asserted_at", "withdrawn_at", "community", "tlp", "pap", "actions", "upstream", "evidence", "confidence",
    "valid_until", "is_heard", "waits_since", "leaves_at",
)  # fmt: skip
AT_ONCE = frozenset({"critical"})  # severities that wait for no batch


@dataclass(frozen=True, slots=True)
class Said:
    """A member's word that is no report's: of an address or a name, and how far it may go.

    `reference` is the sender's name for it; `community` a primary key, None for everybody; `upstream` the
    feed that the member passes on; `evidence` a SHA-256 in hex digits; `confidence` 0 to 100.
    """

    kind: rules.Kind
    value: str
    reference: str
    attack_kind: str = "other/other"
    tlp: str = "green"
    pap: str = "green"
    community: int | None = None
    actions: tuple[str, ...] = ("block",)
    upstream: str = ""
    evidence: str = ""
    confidence: int | None = None
    valid_until: dt.datetime | None = None


def keep_words(told: Sequence[Told], at: dt.datetime) -> list[int]:
    """Store new words and renew known ones; gives the indicators that learned something.

    Those of small sources wait for their batch, unless the report is critical: nothing is learned yet.
    """
    indicators = known_or_new({(c.kind, c.value): report.kind for report, c in told}, at)
    small = small_among({report.member_id for report, _ in told})
    pks = {indicator.pk for indicator in indicators.values()}
    reports = {report.pk for report, _ in told}
    known = {
        (row.indicator_id, row.report_id): row
        for row in Assertion.objects.filter(indicator__in=pks, report__in=reports)
    }
    fresh: list[Assertion] = []
    renewed: list[Assertion] = []
    changed: dict[int, Indicator] = {}
    for report, claim in told:
        indicator = indicators[claim.kind, claim.value]
        before = known.get((indicator.pk, report.pk))
        if before is None:
            word = Assertion(
                indicator=indicator, report=report, member_id=report.member_id, tlp=settings.SHARING_TLP
            )
            fresh.append(word)
        elif before.entry_seq < report.entry_seq and before.withdrawn_at is None:
            word = before
            renewed.append(word)
        else:
            continue
        word.entry_seq, word.unforgeable = report.entry_seq, claim.unforgeable
        say(word, at, waits=report.member_id in small and report.severity not in AT_ONCE)
        # What is shared keeps the kind it was shared for: a change would tell when somebody spoke again.
        is_news = word.waits_since is None and indicator.state != Indicator.State.SHARED
        if is_news and indicator.attack_kind != report.kind:
            indicator.attack_kind = report.kind
            changed[indicator.pk] = indicator
    update_rows(list(changed.values()), ["attack_kind"])
    Assertion.objects.bulk_create(fresh)
    renewable = ["asserted_at", "entry_seq", "unforgeable", "is_heard", "waits_since", "leaves_at"]
    Assertion.objects.bulk_update(renewed, renewable)
    return sorted({word.indicator_id for word in [*fresh, *renewed] if word.waits_since is None})


def small_among(members: set[int]) -> set[int]:
    """Those of these members, by primary key, whose words wait for a batch."""
    return set(Member.objects.filter(pk__in=members, is_small_source=True).values_list("pk", flat=True))


def say(word: Assertion, at: dt.datetime, *, waits: bool) -> None:
    """A word is said, new or again: it counts from now on, or waits, as it was before, for its batch."""
    if not waits:
        word.asserted_at, word.is_heard, word.waits_since, word.leaves_at = at, True, None, None
        return
    if not stands(word):
        word.asserted_at, word.is_heard = at, False
    if word.withdrawn_at is not None:
        word.waits_since, word.leaves_at = None, None
    word.waits_since = word.waits_since or at


def stands(word: Assertion) -> bool:
    """Does it count now? A word that was not stored yet has no instant."""
    return word.asserted_at is not None and word.is_heard and word.withdrawn_at is None


def known_or_new(kinds: Mapping[Key, str], at: dt.datetime) -> dict[Key, Indicator]:
    """The indicators of these kinds and values, those that are new stored as held with their attack kind."""
    values = [value for _, value in kinds]
    found = Indicator.objects.filter(pk__in=bulk.keys_where(Indicator, "value", values))
    known: dict[Key, Indicator] = {(row.kind, row.value): row for row in found}
    fresh = [
        Indicator(
            indicator_id=new_id("indicator"),
            stix_id=stix_id_of(kind, value),
            kind=kind,
            value=value,
            lookup=lookup_of(value),
            attack_kind=attack_kind,
            reason=rules.ALONE_WORDS,
            asserted_at=at,
            changed_at=at,
        )
        for (kind, value), attack_kind in kinds.items()
        if (kind, value) not in known
    ]
    for row in Indicator.objects.bulk_create(fresh):
        known[row.kind, row.value] = row
    return known


def keep_said(member: Member, said: Sequence[Said], at: dt.datetime) -> tuple[list[int], int]:
    """Store new words and renew known ones; gives the indicators that learned something, and the new words.

    A word that was withdrawn stands again when it is said again. A small source's new words, and plain
    renewals, wait for their batch; what it corrects counts at once. Raises BadInput.
    """
    last = {(one.reference, one.kind, one.value): one for one in map(checked, said)}
    if not last:
        return [], 0
    check_communities(member, {one.community for one in last.values() if one.community is not None})
    indicators = known_or_new({(one.kind, one.value): one.attack_kind for one in last.values()}, at)
    references = {one.reference for one in last.values()}
    pks = bulk.keys_where(Assertion, "reference", sorted(references), member_id=member.pk)
    rows = Assertion.objects.filter(pk__in=pks, report=None)
    known = {(row.reference, row.indicator_id): row for row in rows}
    fresh: list[Assertion] = []
    renewed: list[Assertion] = []
    for one in last.values():
        indicator = indicators[one.kind, one.value]
        word = known.get((one.reference, indicator.pk))
        if word is None:
            word = Assertion(indicator=indicator, member=member, reference=one.reference)
            fresh.append(word)
        elif is_same(word, one):
            continue
        else:
            renewed.append(word)
        is_corrected = stands(word) and (word.tlp, word.community_id) != (one.tlp, one.community)
        say(word, at, waits=member.is_small_source and not is_corrected)
        word.withdrawn_at = None
        word.community_id, word.tlp, word.pap = one.community, one.tlp, one.pap
        word.actions, word.upstream, word.evidence = ",".join(one.actions), one.upstream, one.evidence
        word.confidence, word.valid_until = one.confidence, one.valid_until
    insert_rows(fresh)
    update_rows(renewed, RENEWABLE)
    return sorted({word.indicator_id for word in [*fresh, *renewed] if word.waits_since is None}), len(fresh)


def is_same(word: Assertion, one: Said) -> bool:
    """Was exactly this said before, and never taken back? Then it is no news, and renews nothing."""
    return word.withdrawn_at is None and (
        word.community_id, word.tlp, word.pap, word.actions, word.upstream, word.evidence, word.confidence,
        word.valid_until,
    ) == (
        one.community, one.tlp, one.pap, ",".join(one.actions), one.upstream, one.evidence, one.confidence,
        one.valid_until,
    )  # fmt: skip


def checked(one: Said) -> Said:
    """What may be stored. Raises BadInput, naming what is wrong."""
    canonical = rules.name_of(one.value) if one.kind == "name" else rules.address_of(one.value)
    if canonical != one.value:
        raise BadInput(f"this is no {one.kind} in its canonical spelling: {one.value[:60]!r}")
    if not 1 <= len(one.reference) <= 200 or not one.reference.isprintable():
        raise BadInput("a reference has 1 to 200 printable characters")
    if one.tlp not in (*rules.LEVELS, "red") or one.pap not in PAP:
        raise BadInput("tlp and pap are labels of TLP 2.0 and PAP, in lower case")
    if not one.actions or not set(one.actions) <= set(ACTIONS):
        raise BadInput(f"permitted actions are {', '.join(ACTIONS)}")
    return one


def check_communities(member: Member, communities: set[int]) -> None:
    """Only to communities that the member belongs to. Raises BadInput."""
    own = Community.objects.filter(closed_at=None, memberships__member=member, memberships__until=None)
    if communities - set(own.values_list("pk", flat=True)):
        raise BadInput("this member does not belong to that community")
