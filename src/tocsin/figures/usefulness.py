"""How useful the reporters find the answers that they get."""

import datetime as dt
from collections import Counter

from django.db.models import Count, F

from tocsin.cases.models import Rating
from tocsin.cases.ratings import STEPS
from tocsin.figures import definitions, rules
from tocsin.figures.values import NOTHING, Cell, Figure, Row

WINDOW = dt.timedelta(days=90)


def usefulness(at: dt.datetime) -> Figure:
    """Ratings of the answers of the last 90 days; a step that fewer than five chose is not told exactly."""
    standing = Rating.objects.filter(ended_at__gte=at - WINDOW, case__closed_at=F("ended_at"))
    counted = Counter(dict(standing.values_list("step").annotate(Count("pk")).order_by()))
    total = counted.total()
    if total < rules.FEW:
        return Figure(
            definitions.USEFULNESS, "Too few ratings in the last 90 days to tell how useful answers are."
        )
    few = [step for step in STEPS if 0 < counted[step] < rules.FEW]
    rows = tuple(
        Row(words.capitalize(), (rules.told(counted[step]), _share(counted[step], total, hidden=bool(few))))
        for step, words in sorted(STEPS.items(), reverse=True)
    )
    return Figure(definitions.USEFULNESS, _sentence(counted[3], total, hidden=bool(few)), rows)


def _share(part: int, total: int, *, hidden: bool) -> Cell:
    """The share in per cent; none where one step is suppressed, because the rest would tell it."""
    return NOTHING if hidden else Cell(str(100 * part // total), 100 * part // total)


def _sentence(useful: int, total: int, *, hidden: bool) -> str:
    if hidden:
        return f"Reporters called {rules.told(useful).said} answers of the last 90 days useful."
    return f"Reporters called {useful:,} of {total:,} rated answers useful."
