"""The public figures: all of them, counted now, or as they were counted last."""

import datetime as dt
import time

import msgspec
from django.core.cache import caches

from tocsin.figures import charts, followup, stopped, usefulness
from tocsin.figures.values import Figure, PublicFigures
from tocsin.journal import queries as journal
from tocsin.kernel.problems import NotFound
from tocsin.kernel.time import now

FRESH_FOR = 60.0  # seconds for which a count is shown
RESTS = 20  # a count that took long is repeated after so many times its length, so that it never is the load
STALE_AFTER = 600.0  # seconds after which nobody waits for the worker any more: the page counts by itself
KEPT_AS = "public-figures-2"
DRAWINGS = {"stopped": charts.columns}
_decoder = msgspec.msgpack.Decoder(PublicFigures)


def public_figures(at: dt.datetime | None = None) -> PublicFigures:
    """Count every public figure at this instant, with its chart. Takes seconds where there are a million."""
    began, at = time.monotonic(), at or now()
    figures = (
        followup.funnel(),
        followup.first_answer(at),
        followup.overdue(at),
        stopped.stopped(at),
        usefulness.usefulness(at),
    )
    return PublicFigures(
        counted_at=at,
        journal_size=_journal_size(),
        took=time.monotonic() - began,
        sentence=f"{figures[0].sentence} {figures[3].sentence}",
        figures=tuple(_with_chart(figure) for figure in figures),
    )


def published() -> PublicFigures:
    """The figures as the worker counted them last; counted here where there are none, or only old ones."""
    known = _known()
    return known if known is not None and _is_within(known, STALE_AFTER) else publish()


def publish() -> PublicFigures:
    """Count, and let every process of this machine show it."""
    figures = public_figures()
    caches["figures"].set(KEPT_AS, msgspec.msgpack.encode(figures), None)
    return figures


def refresh() -> None:
    """Publish again where the last count is old enough."""
    known = _known()
    if known is None or not _is_within(known, FRESH_FOR):
        publish()


def _is_within(known: PublicFigures, seconds: float) -> bool:
    age = (now() - known.counted_at).total_seconds()
    return 0 <= age < max(seconds, RESTS * known.took)


def _known() -> PublicFigures | None:
    kept = caches["figures"].get(KEPT_AS)
    return _decoder.decode(kept) if kept is not None else None


def _with_chart(figure: Figure) -> Figure:
    spec = DRAWINGS.get(figure.method.name, charts.bars)(figure.rows)
    if spec is None:
        return figure
    return msgspec.structs.replace(
        figure, svg=charts.drawn(spec, f"{figure.method.title}: {figure.sentence}")
    )


def _journal_size() -> int:
    try:
        return journal.latest_head().tree_size
    except NotFound:
        return 0
