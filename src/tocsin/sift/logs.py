"""Reading one log: blocks in, groups out, two blocks at a time on two threads, merged in order.

What matched is grouped over several blocks, because a group costs its merge as often as it is met.
"""

import datetime as dt
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

os.environ.setdefault("POLARS_MAX_THREADS", "2")  # before Polars is first imported, by `lines`

import polars as pl

from tocsin.kernel.time import rfc3339
from tocsin.sift.blocks import See, block_makers
from tocsin.sift.grouping import grouped
from tocsin.sift.journald import export_blocks, json_blocks
from tocsin.sift.lines import Block, Matcher
from tocsin.sift.piles import Key
from tocsin.sift.rejects import Rejects
from tocsin.sift.rulebook import Ruleset
from tocsin.sift.shapes import ALL
from tocsin.sift.sources import Kind, Stream
from tocsin.sift.stamps import Clock
from tocsin.sift.tally import Tally
from tocsin.sift.values import Observation, Span

THREADS = 2
TOGETHER = 2  # blocks whose lines are grouped together: they stay in memory until then


@dataclass(frozen=True)
class _Found:
    """What is left of a block: matching lines, what is no line (number, reason, bytes), how many there were.

    `raw` are the lines' bytes where the text is not exactly these.
    """

    rows: pl.DataFrame
    rejected: list[tuple[int, str, bytes]]
    lines: int
    raw: Sequence[bytes] | None


class LogReader:
    """Reads logs with a ruleset into a tally."""

    def __init__(self, rules: Ruleset, tally: Tally, rejects: Rejects, *, keep_rows: bool) -> None:
        self._rules = rules
        self._tally = tally
        self._rejects = rejects
        self._matcher = Matcher(rules)
        self._threads = ThreadPoolExecutor(THREADS)
        self._kept: list[tuple[str, pl.DataFrame]] | None = [] if keep_rows else None

    def read(
        self, path: str, kind: Kind, stream: Stream, first: int, clock: Clock, target: str, see: See
    ) -> Span:
        """Read a log from where the stream stands; `first` is the number of the next line."""

        def reject(number: int, reason: str, raw: bytes) -> None:
            self._rejects.add(path, number, reason, raw)

        if kind == "journal-json":
            return self.take(path, json_blocks(stream, first, see, reject), clock, target)
        if kind == "journal-export":
            return self.take(path, export_blocks(stream, first, see, reject), clock, target)
        return self._take(path, block_makers(stream, first, see, reject), clock, target)

    def take(self, path: str, stretch: Iterable[Block], clock: Clock, target: str) -> Span:
        """Read blocks of lines of a source, wherever they come from."""
        return self._take(path, (partial(_same, block) for block in stretch), clock, target)

    def _take(self, path: str, makers: Iterable[Callable[[], Block]], clock: Clock, target: str) -> Span:
        def reject(number: int, reason: str, raw: bytes) -> None:
            self._rejects.add(path, number, reason, raw)

        span = Span()
        together: list[pl.DataFrame] = []
        for found in self._matched(makers, clock, target):
            for refused in found.rejected:
                reject(*refused)
            span.lines += found.lines - len(found.rejected)
            if found.rows.height:
                self._widen(span, found.rows)
            if self._kept is not None:
                self._kept.append((path, found.rows.select(*_OBSERVED)))
            if found.raw is not None:
                self._merge(path, together, clock)
                self._merge(path, [found.rows], clock, found.raw)
                continue
            together.append(found.rows)
            if len(together) == TOGETHER:
                self._merge(path, together, clock)
        self._merge(path, together, clock)
        return span

    def _widen(self, span: Span, rows: pl.DataFrame) -> None:
        at, shapes = rows["at"], rows["shape"].unique()
        first, last = at.min(), at.max()
        assert isinstance(first, int) and isinstance(last, int)  # noqa: S101 (for the type checker)
        span.widen(first, last, any(ALL[shape].zone_open for shape in shapes))
        if not span.service:
            span.service = self._matcher.shelves[min(rows["shelf"].unique())][0]

    def observations(self) -> Iterator[Observation]:
        """Every matching line that counts as evidence, source after source in order of lines."""
        counting = {(key, evidence) for key, evidence, _ in self._tally.counting()}
        for path, rows in self._kept or ():
            for number, shelf, origin, target, day, at, count, rule in rows.iter_rows():
                service, kind, evidence = self._matcher.shelves[shelf]
                if (Key(kind, origin, target, service, day), evidence) in counting:
                    yield Observation(
                        path=path,
                        line=number,
                        kind=kind,
                        origin=origin,
                        target=target,
                        service=service,
                        seen_at=rfc3339(dt.datetime.fromtimestamp(at, dt.UTC)),
                        count=count,
                        rule=self._rules.rules[rule].id,
                    )

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _matched(self, makers: Iterable[Callable[[], Block]], clock: Clock, target: str) -> Iterator[_Found]:
        """Blocks made and matched on two threads, given back in order, no more than three in the works."""

        def work(make: Callable[[], Block]) -> _Found:
            block = make()
            matches = self._matcher.match(block, clock, target)
            rejected = [(block.number(row), reason, block.line(row)) for row, reason in matches.rejected]
            return _Found(matches.rows, rejected, len(block.text), block.raw)

        waiting: deque[Future[_Found]] = deque()
        for make in makers:
            waiting.append(self._threads.submit(work, make))
            if len(waiting) > THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _merge(
        self, path: str, matched: list[pl.DataFrame], clock: Clock, raw: Sequence[bytes] | None = None
    ) -> None:
        """Add what matched in blocks that follow one another to the tally; empties the list.

        `raw` are the lines' bytes where the text is not exactly these.
        """
        found = [rows for rows in matched if rows.height]
        matched.clear()
        if not found:
            return
        groups = grouped(pl.concat(found), self._matcher.signs, by_row=raw is not None)
        found.clear()  # groups hold all that is needed: what they were made of may be large
        tally, shelves = self._tally, self._matcher.shelves
        settled = [clock.assumed(shape.year_open, shape.zone_open, shape.day_open) for shape in ALL]
        for group in groups.iter_rows():
            shelf, origin, target, day, text, numbers, count, score, first, last, rule, shape, solid = group
            service, kind, evidence = shelves[shelf]
            if evidence == "sign" and tally.is_told(origin, service, kind):
                continue
            pile = tally.pile(Key(kind, origin, target, service, day), evidence, first, last)
            pile.count += count
            pile.score += score
            pile.solid |= solid
            if rule < pile.rule:
                pile.rule = rule
            if pile.assumed is not settled[shape]:
                pile.assume(settled[shape])
            data = text.encode() if raw is None else b"\n".join([raw[row] for row in text])
            pile.lines_of(path).add(numbers, data + b"\n")
        tally.put_away()


def _same(block: Block) -> Block:
    return block


_OBSERVED = ("number", "shelf", "origin", "target", "day", "at", "count", "rule")
