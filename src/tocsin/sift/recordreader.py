"""Records of one source in, evidence out: rules decide, times are settled, groups go to the run."""

from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING

import polars as pl

from tocsin.sift.findings import Finding
from tocsin.sift.lines import DAY, IMPOSSIBLE_TIME, Block
from tocsin.sift.recordframe import CARRIED, NOTHING, Columns, Kept, Meanings, frame_of, look_up, times_of
from tocsin.sift.recordlines import composer
from tocsin.sift.recordplan import JsonFields, Plan
from tocsin.sift.records import Scalar, Wrapped, record_in
from tocsin.sift.regions import Hasher
from tocsin.sift.values import Span

if TYPE_CHECKING:
    from tocsin.sift.engine import Run
    from tocsin.sift.sources import Source

_MANY, _MUCH = 200_000, 64 << 20  # records, or bytes of their lines, that wait to be grouped
_REMEMBERED = 100_000  # combinations of values whose meaning is known


class RecordReader:
    """Takes the records of one source, by a plan that may change on the way.

    Records wait until there are many: grouping them by the dozen would cost more than reading them.
    """

    def __init__(self, run: "Run", source: "Source", plan: Plan) -> None:
        self._run, self._source = run, source
        self._read_by(plan)
        self._clock = run.clock(source)
        self._span = Span()
        self._hasher = Hasher()
        self._log_type = ""
        self._begin()

    def _begin(self) -> None:
        """Nothing waits. Of the columns only those are kept that are still to be read."""
        self._numbers: list[int] = []
        self._lines: list[bytes] = []
        self._meant: list[int] = []
        self._columns: dict[int, list[Scalar | None]] = {}
        self._waiting = 0

    def follow(self, plan: Plan) -> None:
        """From here on records are read by another plan."""
        self._flush()
        self._read_by(plan)

    def _read_by(self, plan: Plan) -> None:
        self.plan, self._meanings = plan, Meanings(plan, self._run.options.target)

    def see(self, data: bytes) -> None:
        """So many bytes were read."""
        self._hasher.update(data)  # a thread for it costs more than it spares: both want the interpreter
        self._run.see(data)

    def reject(self, number: int, reason: str, raw: bytes) -> None:
        """A record cannot be read."""
        self._run.reject(self._source, number, reason, raw)

    def take(self, numbers: Sequence[int], lines: Sequence[bytes], columns: Columns, unread: int = 0) -> None:
        """Records with their numbers, their bytes and, field by field, the values of the plan's fields.

        `unread` more were read of which no rule could tell anything.
        """
        self._span.lines += len(numbers) + unread
        if not numbers:
            return
        if len(self._meanings) > _REMEMBERED:
            self.follow(self.plan)
        saying = columns[: self.plan.saying]
        rows = zip(*saying, strict=True) if saying else repeat((), len(numbers))
        self._meant += map(self._meanings.__getitem__, rows)
        self._numbers += numbers
        self._lines += lines
        for place in self.plan.later:
            self._columns.setdefault(place, []).extend(columns[place])
        self._waiting += sum(map(len, lines))
        if len(self._numbers) >= _MANY or self._waiting >= _MUCH:
            self._flush()

    def _flush(self) -> None:
        numbers, lines, meant, columns = self._numbers, self._lines, self._meant, self._columns
        self._begin()
        if not numbers:
            return
        if max(meant) > NOTHING:
            self._tell(frame_of(self.plan, self._meanings, meant, columns), numbers, lines)
        if min(meant) < NOTHING:
            carried: dict[Wrapped, list[int]] = {}
            for place, number in enumerate(meant):
                if number < NOTHING:
                    carried.setdefault(self.plan.wrapped[CARRIED - number], []).append(place)
            self._hand_on(carried, numbers, lines, columns)

    def close(self) -> None:
        """All was read."""
        self._flush()
        self._run.count(self._span.lines)
        self._run.remember(self._source, self._hasher)
        self._run.keep_log(self._source, self._span, self._clock, self._log_type)

    def _tell(self, found: pl.DataFrame, numbers: Sequence[int], lines: Sequence[bytes]) -> None:
        """Findings of what rules read, one for each group of records that one attack is made of."""
        settled, timeless = self._settle(found)
        for place in timeless:
            self.reject(numbers[place], IMPOSSIBLE_TIME, lines[place])
        self._span.lines -= len(timeless)
        if not settled.height:
            return
        first, last = int(settled["at"].min() or 0), int(settled["at"].max() or 0)  # type: ignore[arg-type]
        self._span.widen(first, last, bool(settled["open"].any()))
        book = self.plan.rules[int(settled["rule"][0])][0]
        self._span.service = self._span.service or book.service
        self._log_type = self._log_type or book.log_type
        assumed = [self._clock.assumed(False, open_, False) for open_ in (False, True)]
        keys = ["side", "day"]  # what is one attack has its lines in order
        if self._run.options.observations:
            keys.append("place")
        groups = settled.group_by(keys, maintain_order=True).agg(
            pl.col("rule").min(),
            pl.col("origin", "target").first(),
            pl.col("place").alias("places"),
            pl.col("at").min().alias("first"),
            pl.col("at").max().alias("last"),
            pl.col("times").sum(),
            (pl.col("times") * pl.col("weight")).sum().alias("score"),
            pl.col("solid").any(),
            pl.col("open").any(),
        )
        order = groups["places"].explode()
        places, ordered = order.to_list(), pl.Series(numbers, dtype=pl.Int64).gather(order).to_list()
        told = groups.with_columns(pl.col("places").list.len().cum_sum().alias("until")).select(
            "rule", "origin", "target", "first", "last", "times", "score", "solid", "open", "until"
        )
        since = 0
        for number, origin, target, start, end, times, score, solid, open_, until in told.iter_rows():
            book, rule = self.plan.rules[number]
            finding = Finding(
                kind=rule.kind,
                origin=origin,
                target=target,
                service=book.service,
                first=start,
                last=end,
                count=times,
                score=score,
                why=rule.why,
                reader=rule.id,
                assumed=assumed[open_],
                spoofable=not solid,
                evidence=rule.evidence,
            )
            text = b"\n".join([lines[place] for place in places[since:until]]) + b"\n"
            self._run.add(self._source.path, finding, ordered[since:until], text)
            since = until

    def _settle(self, found: pl.DataFrame) -> tuple[pl.DataFrame, list[int]]:
        """The same with `at` (seconds since 1970), `day` and `open` (no zone was written); and the places of
        those whose time cannot be read."""
        times = times_of(found["time"])
        hours = {text: self._clock.hour(text) for text in times["hour"].drop_nulls().unique()}
        at = look_up(times["hour"], hours, pl.Int64) + times["seconds"]
        settled = found.with_columns(at.alias("at"), (at // DAY).alias("day"), times["open"])
        is_settled = at.is_not_null()
        return settled.filter(is_settled), settled.filter(~is_settled)["place"].to_list()

    def _hand_on(
        self,
        carried: dict[Wrapped, list[int]],
        numbers: Sequence[int],
        lines: Sequence[bytes],
        columns: Kept,
    ) -> None:
        """Give the lines that records carry to the reader of logs."""
        made: list[tuple[int, str]] = []
        fields = [columns.get(place) for place in range(len(self.plan.fields))]
        for wrapped, places in carried.items():
            compose = composer(self.plan, wrapped)
            rows = (tuple([column[place] if column else None for column in fields]) for place in places)
            made += [(place, line) for place, row in zip(places, rows, strict=True) if (line := compose(row))]
        made.sort()
        self._span.lines -= len(made)
        self.take_lines(
            [numbers[place] for place, _ in made],
            [bytes(lines[place]) for place, _ in made],
            [line for _, line in made],
        )

    def take_lines(
        self, numbers: Sequence[int], raw: Sequence[bytes], lines: Sequence[str] | None = None
    ) -> None:
        """Lines as they are, or as they were made from records: for the rules of logs, or records again."""
        texts = [line.decode("utf-8", "replace") for line in raw] if lines is None else lines
        inner = [record_in(text.encode("utf-8", "replace")) for text in texts]
        known = self._take_inner(numbers, raw, inner) if any(inner) else frozenset[int]()
        left = [place for place in range(len(texts)) if place not in known]
        block = Block(
            pl.Series("line", [texts[place] for place in left], dtype=pl.String),
            1,
            [numbers[place] for place in left],
            [raw[place] for place in left],
        )
        options, path = self._run.options, self._source.path
        self._absorb(self._run.log_reader().take(path, [block], self._clock, options.target))

    def _take_inner(self, numbers: Sequence[int], raw: Sequence[bytes], inner: Sequence[bytes]) -> set[int]:
        """Records that stand in lines, by the books that know them; gives the places that were taken."""
        books = self._run.marked(b"\n".join(inner))
        places = {place for place, record in enumerate(inner) if record}
        if not books:  # a line that is all record is noise; one that syslog carried may be known as text
            nobody = {place for place in places if raw[place].lstrip()[:1] == b"{"}
            self._span.lines += len(nobody)
            return nobody
        ordered = sorted(places)
        reader = RecordReader(self._run, self._source, Plan(books))
        columns = JsonFields(reader.plan.fields).columns([inner[place] for place in ordered])
        reader.take([numbers[place] for place in ordered], [raw[place] for place in ordered], columns)
        reader._flush()
        self._absorb(reader._span)
        return places

    def _absorb(self, span: Span) -> None:
        self._span.lines += span.lines
        if span.first is not None and span.last is not None:
            self._span.widen(span.first, span.last, span.zone_open)
            self._span.service = self._span.service or span.service
