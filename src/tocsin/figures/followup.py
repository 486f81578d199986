"""Is anybody met by silence? How far reports came, how long the first answer took, what is overdue where."""

import bisect
import datetime as dt
import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, Min, OuterRef, Q

from tocsin.cases import states
from tocsin.cases.models import Case, Decision, Link, Outcome, Share
from tocsin.cases.reporter_home import funnel_of
from tocsin.cases.triage import DUTIES
from tocsin.cases.units import current_pack
from tocsin.figures import definitions, rules
from tocsin.figures.values import NOTHING, Cell, Figure, Row
from tocsin.intake.models import Report

WINDOW = dt.timedelta(days=90)
QUANTILES = (("Median", 0.5), ("90th percentile", 0.9))
# How long an answer took: words, and the minutes below which it counts there.
SPANS = (
    ("Within 4 hours", 4 * rules.HOUR),
    ("Within a day", rules.DAY),
    ("Within 5 days", 5 * rules.DAY),
    ("Within 28 days", 28 * rules.DAY),
    ("Later", None),
)


def funnel() -> Figure:
    """The follow-up funnel, whole."""
    counted = funnel_of(current_pack(), Report.objects.count(), Share.objects.all())
    steps = (
        ("Received", counted.received),
        ("Acknowledged", counted.acknowledged),
        ("Owned", counted.owned),
        ("Assessed", counted.assessed),
        ("Investigated", counted.investigated),
        ("Disrupted", counted.disrupted),
        ("Charged", counted.charged),
    )
    rows = tuple(Row(name, (rules.told(number), _share(number, counted.received))) for name, number in steps)
    sentence = _funnel_sentence(counted.received, counted.assessed)
    return Figure(definitions.FOLLOW_UP, sentence, rows if counted.received >= rules.FEW else ())


def _share(part: int, whole: int) -> Cell:
    if 0 < part < rules.FEW or not whole:
        return NOTHING
    percent = 100 * part // whole
    return Cell("less than 1" if part and not percent else str(percent), percent)


def _funnel_sentence(received: int, assessed: int) -> str:
    if received < rules.FEW:
        return "Fewer than five reports have come in: too few for figures that point at nobody."
    if not assessed:
        return f"None of {received:,} reports has been followed up by a person yet."
    share = _share(assessed, received).said
    percent = f" ({share} %)" if share != "–" else ""
    return f"Of {received:,} reports, {rules.told(assessed).said}{percent} were followed up by a person."


@dataclass(frozen=True)
class Waits:
    """Reports by minutes to the first answer, or waited so far; and those that no person had to answer."""

    answered: Counter[int]
    waiting: Counter[int]
    joined: int
    diverted: int

    @property
    def total(self) -> int:
        """The reports that a person had or has to answer."""
        return self.answered.total() + self.waiting.total()


def waits(at: dt.datetime) -> Waits:
    """How long each report of the last 90 days waited for a person's first decision or answer.

    Reports of one batch were received at one instant, so they are counted together, and answers are matched
    here: a question to the database for each link would cost ten times as much.
    """
    since = at - WINDOW
    links = Link.objects.filter(detached_at__isnull=True, report__received_at__gte=since)
    batches = links.values_list("case_id", "report__received_at").annotate(Count("pk")).order_by()
    answers = answers_since(since)
    answered: Counter[int] = Counter()
    waiting: Counter[int] = Counter()
    joined = 0
    for case, received_at, count in batches.iterator(5000):
        given = answers.get(case, ())
        first = bisect.bisect_left(given, received_at)
        if first < len(given):
            answered[_minutes(given[first] - received_at)] += count
        elif given:
            joined += count
        else:
            waiting[_minutes(at - received_at)] += count
    diverted = Report.objects.filter(
        ~Exists(Link.objects.filter(report=OuterRef("pk"))),
        received_at__gte=since,
        status=states.DIVERTED,
    )
    return Waits(answered, waiting, joined, diverted.count())


def answers_since(since: dt.datetime) -> dict[int, list[dt.datetime]]:
    """When persons decided or answered, by case and in order, for cases that have reports from then on."""
    recent = Exists(Link.objects.filter(case=OuterRef("case"), report__received_at__gte=since))
    decided = Decision.objects.filter(recent, is_automatic=False).values_list("case_id", "at")
    ended = Outcome.objects.filter(recent, withdrawn_at__isnull=True, is_automatic=False).values_list(
        "case_id", "given_at"
    )
    found: defaultdict[int, list[dt.datetime]] = defaultdict(list)
    for case, instant in itertools.chain(decided.iterator(), ended.iterator()):
        found[case].append(instant)
    for instants in found.values():
        instants.sort()
    return dict(found)


def by_span(answered: Counter[int]) -> list[tuple[str, int]]:
    """How many answers came in each span, each counted in the first that it fits."""
    counts = Counter(
        next(words for words, limit in SPANS if limit is None or minutes < limit)
        for minutes in answered.elements()
    )
    return [(words, counts[words]) for words, _ in SPANS]


def _minutes(span: dt.timedelta) -> int:
    return max(0, int(span.total_seconds() // 60))


def first_answer(at: dt.datetime) -> Figure:
    """How long it takes until a person answers, in the middle and for the unlucky tenth."""
    found = waits(at)
    times = [(name, rules.quantile(found.answered, found.waiting, share)) for name, share in QUANTILES]
    counts = (
        *(Row(words, (rules.told(number), NOTHING)) for words, number in by_span(found.answered)),
        Row("Still waiting", (rules.told(found.waiting.total()), NOTHING)),
        Row("Automatic: joined later", (rules.told(found.joined), NOTHING)),
        Row("Automatic: not for police", (rules.told(found.diverted), NOTHING)),
    )
    quantiles = tuple(Row(name, (NOTHING, _time(minutes))) for name, minutes in times)
    if found.total < rules.FEW:
        return Figure(definitions.FIRST_ANSWER, "Too few reports in the last 90 days to tell a time.")
    return Figure(definitions.FIRST_ANSWER, _wait_sentence(times), quantiles + counts)


def _time(minutes: int | None) -> Cell:
    return Cell("not reached") if minutes is None else Cell(rules.duration_words(minutes), minutes)


def _wait_sentence(times: list[tuple[str, int | None]]) -> str:
    (_, median), (_, late) = times
    if median is None:
        return "More than half of the reports still wait for a first answer."
    start = f"Half of the reports have a first answer within {rules.duration_words(median)}"
    if late is None:
        return f"{start}; nine in ten is not reached: too many still wait."
    return f"{start}, nine in ten within {rules.duration_words(late)}."


def overdue(at: dt.datetime) -> Figure:
    """Which units owe an answer past its due time."""
    late = Q(clocks__ended_at__isnull=True, clocks__due_at__lte=at, clocks__clock_id__in=DUTIES)
    rows = list(
        Case.objects.filter(late, closed_at__isnull=True)
        .values("investigating_unit__name", "investigating_unit__joined_at")
        .annotate(cases=Count("pk", distinct=True), oldest=Min("clocks__due_at"))
        .order_by("-cases", "investigating_unit__name")
    )
    shown = [row for row in rows if row["cases"] >= rules.FEW]
    few = len(rows) - len(shown)
    table = [
        Row(
            row["investigating_unit__name"]
            + ("" if row["investigating_unit__joined_at"] else " (not joined)"),
            (rules.told(row["cases"]), _time(_minutes(at - row["oldest"]))),
        )
        for row in shown
    ]
    if few:
        table.append(
            Row(f"{few} other unit{'s' if few > 1 else ''}", (Cell(f"under {rules.FEW} each"), NOTHING))
        )
    return Figure(definitions.OVERDUE, _overdue_sentence(shown, few), tuple(table))


def _overdue_sentence(shown: Sequence[Mapping[str, Any]], few: int) -> str:
    if not shown and not few:
        return "No unit owes an answer past its due time."
    if not shown:
        units = f"{few} units owe" if few > 1 else "One unit owes"
        return f"{units} overdue answers, {'each ' if few > 1 else ''}in fewer than {rules.FEW} cases."
    least = sum(row["cases"] for row in shown)
    return f"At least {least:,} cases are overdue; the most are at {shown[0]['investigating_unit__name']}."
