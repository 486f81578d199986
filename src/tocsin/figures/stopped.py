"""What sharing achieved: connections that members' resolvers and firewalls stopped."""

import datetime as dt

from django.db.models import Count, Sum
from django.db.models.functions import TruncWeek

from tocsin.blocking import rules as blocking
from tocsin.blocking.models import Tally
from tocsin.figures import definitions, rules
from tocsin.figures.values import Cell, Figure, Row

WEEKS = 12


def stopped(at: dt.datetime) -> Figure:
    """Connections stopped at all members together, by week, and since the beginning."""
    monday = at.astimezone(dt.UTC).date() - dt.timedelta(days=at.astimezone(dt.UTC).weekday())
    mondays = [monday - dt.timedelta(weeks=back) for back in reversed(range(WEEKS))]
    start = dt.datetime.combine(mondays[0], dt.time(), dt.UTC)
    sums = (
        Tally.objects.filter(hour__gte=start, hour__lte=at)
        .annotate(week=TruncWeek("hour", tzinfo=dt.UTC))
        .values("week")
        .annotate(hits=Sum("hits"), networks=Count("member", distinct=True))
        .order_by()
    )
    by_week = {row["week"].date(): (row["hits"], row["networks"]) for row in sums}
    whole = Tally.objects.aggregate(hits=Sum("hits"), networks=Count("member", distinct=True))
    total = (whole["hits"] or 0, whole["networks"])
    rows = tuple(Row(f"{day.day} {day:%b}", _cells(*by_week.get(day, (0, 0)))) for day in mondays)
    return Figure(definitions.STOPPED, _sentence(*total), rows if total[0] else ())


def _cells(hits: int, networks: int) -> tuple[Cell, Cell]:
    """Connections and networks; where the networks are few, only a floor of their connections."""
    where = rules.told(networks)
    if networks >= rules.FEW or not hits:
        return Cell(f"{hits:,}", hits), where
    floor = blocking.shown(hits, networks)
    return (Cell(f"at least {floor:,}", floor) if floor else rules.told(hits)), where


def _sentence(hits: int, networks: int) -> str:
    if not hits:
        return "No member has told of a stopped connection yet."
    connections, where = _cells(hits, networks)
    return f"Warnings shared here have stopped {connections.said} connections at {where.said} networks."
