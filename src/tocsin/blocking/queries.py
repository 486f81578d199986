"""What blocks achieved: for a report, for a case, for the exchange as a whole; never by member."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Sum

from tocsin.blocking import rules
from tocsin.blocking.models import Tally
from tocsin.intake.models import Report
from tocsin.sharing.models import Appeal, Assertion


@dataclass(frozen=True)
class Effect:
    """What became of a warning, as far as it may be shown: small numbers are suppressed already.

    `connections` stopped, `networks` beside the reporter's own (0 where they are few); `words` say both,
    such as "stopped 41,200 connections at 5 networks", and are empty where nothing was stopped yet. `appeals`
    were made against what was warned of, and so many of them `upheld`, by a person or by the clock.
    """

    connections: int
    networks: int
    words: str
    appeals: int = 0
    upheld: int = 0

    @property
    def receipt(self) -> str:
        """`stopped 41,200 connections at 5 networks; 0 appeals`; empty where nothing was stopped yet."""
        return f"{self.words}; {rules.appeal_words(self.appeals, self.upheld)}" if self.words else ""


@dataclass(frozen=True)
class Stopped:
    """Connections at one member; internal to this room, for a member's number is nobody else's business."""

    member: int
    hits: int


def effect_of_reports(report_pks: Collection[int]) -> dict[int, Effect]:
    """What the indicators of each report stopped, told to the report's own member; every key is there."""
    members = dict(Report.objects.filter(pk__in=report_pks).values_list("pk", "member_id"))
    pairs = Assertion.objects.filter(report__in=report_pks, withdrawn_at__isnull=True)
    asserted: defaultdict[int, set[int]] = defaultdict(set)
    for report, indicator in pairs.values_list("report_id", "indicator_id"):
        asserted[report].add(indicator)
    everything = set().union(*asserted.values())
    stopped, appeals = _stopped(everything), _appeals(everything)
    return {
        report: _effect(
            (one for pk in asserted[report] for one in stopped[pk]),
            (outcome for pk in asserted[report] for outcome in appeals[pk]),
            own=members.get(report),
        )
        for report in report_pks
    }


def effect_of(indicators: Collection[int]) -> Effect:
    """What these indicators stopped, as a case says it: no network is anybody's own here."""
    return _effect(
        (one for ones in _stopped(indicators).values() for one in ones),
        (outcome for outcomes in _appeals(indicators).values() for outcome in outcomes),
        own=None,
    )


def _stopped(indicators: Collection[int]) -> defaultdict[int, list[Stopped]]:
    sums = Tally.objects.filter(indicator__in=indicators).values_list("indicator_id", "member_id")
    found: defaultdict[int, list[Stopped]] = defaultdict(list)
    for indicator, member, hits in sums.annotate(Sum("hits")) if indicators else ():
        found[indicator].append(Stopped(member, hits))
    return found


def _appeals(indicators: Collection[int]) -> defaultdict[int, list[str]]:
    """How each appeal against these ended; empty while it waits."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    made = Appeal.objects.filter(indicator__in=indicators).values_list("indicator_id", "outcome")
    for indicator, outcome in made if indicators else ():
        found[indicator].append(outcome)
    return found


def _effect(stopped: Iterable[Stopped], appeals: Iterable[str], own: int | None) -> Effect:
    by_member: defaultdict[int, int] = defaultdict(int)
    for one in stopped:
        by_member[one.member] += one.hits
    mine = by_member.pop(own, 0) if own is not None else 0
    others, networks, ended = sum(by_member.values()), len(by_member), list(appeals)
    return Effect(
        connections=mine + rules.shown(others, networks),
        networks=networks if networks >= rules.LEAST_SHOWN else 0,
        words=rules.words(mine, others, networks),
        appeals=len(ended),
        upheld=sum(outcome in (Appeal.Outcome.UPHELD, Appeal.Outcome.LAPSED) for outcome in ended),
    )
