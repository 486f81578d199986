"""Judging indicators by all that is known of them now, and telling the feed what changed."""

import datetime as dt
import ipaddress
import secrets
from collections import defaultdict
from collections.abc import Sequence

from django.conf import settings
from django.db.models import Max

from tocsin.access.models import Community, Member
from tocsin.journal.acts import Act
from tocsin.kernel.intervals import intervals
from tocsin.sharing import confidence, records, rules
from tocsin.sharing.channels import levels_of
from tocsin.sharing.models import Approval, Assertion, Indicator, Sighting, Standing
from tocsin.sharing.publishing import Departure, publish
from tocsin.sharing.warning_lists import ASKS, warning_lists
from tocsin.store.rows import update_rows

EVENTS = {
    "shared": "sharing:indicator:shared",
    "withdrawn": "sharing:indicator:withdrawn",
    "expired": "sharing:indicator:expired",
}
RENEWED = "sharing:indicator:renewed"
COLUMNS = ("attack_kind", "state", "reason", "changed_at", "valid_until", "tlp", "basis", "confirmed_at")


class Obstacles:
    """Why an address or a name may never be shared: members' own networks and warning lists, as of now."""

    def __init__(self) -> None:
        listed = Member.objects.order_by("pk").values_list("networks", flat=True)
        texts = [text for networks in listed for text in networks]
        self._own = intervals((text, 0) for text in texts)
        self._pretended = intervals((text, 0) for text in settings.PRETEND_PUBLIC)
        self.fingerprint = (
            *texts,
            "/",
            *settings.PRETEND_PUBLIC,
            "/",
            *warning_lists().titles,
            *sorted(ASKS),
        )

    def of(self, kind: str, value: str) -> str:
        """The obstacle in one sentence, or nothing."""
        if kind == "name":
            return _on_list(warning_lists().of_name(value))
        if self._own.find(value) is not None:
            return rules.OWN_WORDS
        if self._pretended.find(value) is not None:
            return ""
        listed = warning_lists().of_address(value)
        if listed is None and not ipaddress.ip_address(value).is_global:
            return rules.NOT_PUBLIC_WORDS
        return _on_list(listed)

    def caution(self, kind: str, value: str) -> str:
        """Why a person has to say yes before this is shared, in one sentence, or nothing."""
        if kind == "name":
            title = warning_lists().asks_of_name(value)
        else:
            is_pretended = self._pretended.find(value) is not None
            title = None if is_pretended else warning_lists().asks_of_address(value)
        return f"It stands on the list “{title}”, where a trusted person has to say yes." if title else ""


def judge_all(recorded: Act, pks: Sequence[int], at: dt.datetime) -> int:
    """Judge these indicators for every audience, store and publish what changed; gives how many.

    In random order: a feed does not tell in which they were said.
    """
    obstacles, words, rulings, seen = Obstacles(), words_of(pks), rulings_of(pks), seen_of(pks)
    indicators = list(Indicator.objects.filter(pk__in=pks).order_by("pk"))
    everywhere: list[Indicator | Standing] = [*indicators, *standings(indicators, words, at)]
    secrets.SystemRandom().shuffle(everywhere)
    changed: list[Indicator | Standing] = []
    fresh: list[Indicator | Standing] = []
    departures: list[Departure] = []
    for where in everywhere:
        indicator, community = (
            (where.indicator, where.community) if isinstance(where, Standing) else (where, None)
        )
        community_pk = community.pk if community is not None else None
        known = rules.Standing(
            kind=indicator.kind,
            state=where.state,
            reason=where.reason,
            words=tuple(words[indicator.pk]),
            ruling=rulings.get(indicator.pk),
            obstacle=obstacles.of(indicator.kind, indicator.value),
            caution=obstacles.caution(indicator.kind, indicator.value),
            valid_until=where.valid_until,
            tlp=where.tlp,
            sources_needed=community.sources_needed if community is not None else rules.SOURCES_NEEDED,
            community=community_pk,
            basis=where.basis,
            seen=seen.get(indicator.pk),
        )
        verdict = rules.judge(known, at, levels_of(community))
        before = (where.state, where.reason, where.valid_until, where.tlp, where.basis)
        if before == (verdict.state, verdict.reason, verdict.valid_until, verdict.tlp, verdict.basis):
            continue
        event = EVENTS.get(verdict.state) if verdict.state != where.state else None
        if event is None and verdict.state == "shared":
            moved = (verdict.valid_until, verdict.tlp) != (where.valid_until, where.tlp)
            event = RENEWED if moved else None
        if event is not None:
            told = confidences(known, verdict, at, levels_of(community)) if verdict.state == "shared" else {}
            departures.append(Departure(indicator, where, event, told))
        if verdict.state == "shared" and where.state != "shared":
            fresh.append(where)
        where.state, where.reason, where.tlp = verdict.state, verdict.reason, verdict.tlp
        where.valid_until, where.changed_at, where.basis = verdict.valid_until, at, verdict.basis
        if verdict.basis == "voices" and where.confirmed_at is None:
            where.confirmed_at = at
        changed.append(where)
    classify(fresh)
    update_rows([one for one in changed if isinstance(one, Indicator)], COLUMNS)
    update_rows([one for one in changed if isinstance(one, Standing)], COLUMNS)
    publish(recorded, departures)
    return len(changed)


def classify(fresh: Sequence[Indicator | Standing]) -> None:
    """Say for which class of attack each of these is shared from now on, by the words that may be read there.

    It stays as long as it is shared: a change would tell when, and of what, somebody spoke again.
    """
    if not fresh:
        return
    pks = {one.indicator_id if isinstance(one, Standing) else one.pk for one in fresh}
    said = (
        Assertion.objects.filter(
            indicator__in=pks, withdrawn_at=None, is_heard=True, member__suspended_at=None
        )
        .order_by()
        .values_list("indicator_id", "member_id", "asserted_at", "tlp", "community_id", "report__kind")
    )
    words: dict[int, list[rules.Word]] = defaultdict(list)
    for pk, member, at, tlp, community, kind in said:
        words[pk].append(rules.Word(member, at, tlp=tlp, community=community, attack_kind=kind or ""))
    for one in fresh:
        pk, circle = (one.indicator_id, one.community_id) if isinstance(one, Standing) else (one.pk, None)
        one.attack_kind = rules.class_said(rules.audible(words[pk], one.tlp, circle))


def confidences(
    known: rules.Standing, verdict: rules.Verdict, at: dt.datetime, levels: Sequence[str]
) -> dict[str, int]:
    """How sure the exchange is at each TLP level of an audience, by what may be read there, as in STIX."""
    heard = {level: rules.audible(known.words, level, known.community) for level in levels}
    return {
        level: confidence.stix(rules.sureness(words, known.kind, verdict.basis, at), rules.DEFAULTS)
        for level, words in heard.items()
    }


def standings(
    indicators: Sequence[Indicator], words: dict[int, list[rules.Word]], at: dt.datetime
) -> list[Standing]:
    """Where each of these stands in the communities to which something was ever said of it, new ones held."""
    known = Standing.objects.filter(indicator__in=indicators).select_related("community")
    found = {(one.indicator_id, one.community_id): one for one in known.order_by("pk")}
    by_pk = {indicator.pk: indicator for indicator in indicators}
    said = {(pk, word.community) for pk in by_pk for word in words[pk] if word.community is not None}
    missing = sorted(pair for pair in said if pair not in found)
    communities = Community.objects.in_bulk({community for _, community in missing})
    fresh = [
        Standing(
            indicator=by_pk[pk],
            community=communities[community],
            reason=rules.ALONE_WORDS,
            changed_at=at,
        )
        for pk, community in missing
    ]
    for one in Standing.objects.bulk_create(fresh):
        found[one.indicator_id, one.community_id] = one
    for one in found.values():
        one.indicator = by_pk[one.indicator_id]
    return list(found.values())


def words_of(pks: Sequence[int]) -> dict[int, list[rules.Word]]:
    """The latest word of each member that stands, by indicator, for each circle that it is for.

    A suspended member's does not stand, and one that waits for its batch not yet.
    """
    words: dict[int, list[rules.Word]] = defaultdict(list)
    standing = (
        Assertion.objects.filter(
            indicator__in=pks, withdrawn_at=None, is_heard=True, member__suspended_at=None
        )
        .order_by()
        .values_list("indicator", "member", "unforgeable", "tlp", "upstream", "community")
        .annotate(latest=Max("asserted_at"))
    )
    weights = records.weights()
    for indicator, member, unforgeable, tlp, upstream, community, latest in standing:
        weight = weights.get(member, rules.USUAL)
        words[indicator].append(rules.Word(member, latest, unforgeable, tlp, upstream, community, weight))
    return words


def heard_by_all(pk: int, at: dt.datetime) -> list[rules.Word]:
    """Of one indicator the unforgeable words that all may hear, the latest of each member up to this instant.

    Grouped by no more than that: a page waits for it, and one address may be named by very many reports.
    """
    said = Assertion.objects.filter(
        indicator=pk, withdrawn_at=None, is_heard=True, unforgeable=True, community=None, asserted_at__lte=at
    )
    latest = said.order_by().values_list("member", "upstream").annotate(Max("asserted_at"))
    suspended = set(Member.objects.exclude(suspended_at=None).values_list("pk", flat=True))
    weights = records.weights()
    return [
        rules.Word(member, last, upstream=upstream, weight=weights.get(member, rules.USUAL))
        for member, upstream, last in latest
        if member not in suspended
    ]


def seen_of(pks: Sequence[int]) -> dict[int, dt.datetime]:
    """When each of these was met last, by indicator. Who was wrong too often keeps nothing on a list."""
    known = Sighting.objects.filter(indicator__in=pks, member__suspended_at=None).exclude(
        member__source_record__weight__lte=rules.DEFAULTS.source.least
    )
    return dict(known.order_by().values_list("indicator").annotate(Max("seen_at")))


def rulings_of(pks: Sequence[int]) -> dict[int, rules.Ruling]:
    """The latest yes or no of trusted persons, by indicator."""
    rows = Approval.objects.filter(indicator__in=pks).order_by("at", "pk")
    return {
        row.indicator_id: rules.Ruling(row.is_yes, row.at, row.reason, row.person_id is None) for row in rows
    }


def _on_list(title: str | None) -> str:
    return f"It stands on the warning list “{title}”, so it is never shared." if title else ""
