"""Records of one source in, evidence out: rules decide, times are settled, groups go to the run."""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from tocsin.sift.findings import Finding
from tocsin.sift.lines import DAY, IMPOSSIBLE_TIME, Block
from tocsin.sift.origins import normalise
from tocsin.sift.recordplan import Outcome, Plan, Row
from tocsin.sift.records import Wrapped, as_number, as_text, bare_address, names
from tocsin.sift.regions import Hasher
from tocsin.sift.shapes import BARE_HEADER, HEADER
from tocsin.sift.values import Span

if TYPE_CHECKING:
    from tocsin.sift.engine import Run
    from tocsin.sift.sources import Source

_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
_TAIL = r"(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})$"
_EPOCH = r"^([0-9]{10})(?:[0-9]{3}|[0-9]{6}|[0-9]{9})?(?:\.[0-9]*)?$"
_OTHER = r"^(?:[A-Z][a-z]{2},? )?(.*?[ :T][0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,][0-9]+)?(.*)$"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HOUR = 3600
_MANY, _MUCH = 200_000, 64 << 20  # records, or bytes of their lines, that wait to be grouped
_NOBODY = (None, "", "-")


class RecordReader:
    """Takes the records of one source, by a plan that may change on the way.

    Records wait until there are many: grouping them by the dozen would cost more than reading them.
    """

    def __init__(self, run: "Run", source: "Source", plan: Plan) -> None:
        self._run, self._source, self.plan = run, source, plan
        self._clock = run.clock(source)
        self._span = Span()
        self.hasher = Hasher()
        self._numbers: list[int] = []
        self._lines: list[bytes] = []
        self._rows: list[Row] = []
        self._waiting = 0

    def follow(self, plan: Plan) -> None:
        """From here on records are read by another plan."""
        self._flush()
        self.plan = plan

    def see(self, data: bytes) -> None:
        """So many bytes were read."""
        self.hasher.update(data)
        self._run.see(data)

    def reject(self, number: int, reason: str, raw: bytes) -> None:
        """A record cannot be read."""
        self._run.reject(self._source, number, reason, raw)

    def take(
        self, numbers: Sequence[int], lines: Sequence[bytes], rows: Sequence[Row], unread: int = 0
    ) -> None:
        """Records with their numbers, their bytes and the values of the plan's fields.

        `unread` more were read of which no rule could tell anything.
        """
        self._span.lines += len(rows) + unread
        self._numbers += numbers
        self._lines += lines
        self._rows += rows
        self._waiting += sum(map(len, lines))
        if len(self._rows) >= _MANY or self._waiting >= _MUCH:
            self._flush()

    def _flush(self) -> None:
        rows, split = self._rows, self.plan.deciding
        judged: dict[Outcome, list[int]] = {}
        for place, outcome in enumerate(map(self.plan.outcomes.__getitem__, [row[:split] for row in rows])):
            if outcome is not None:
                judged.setdefault(outcome, []).append(place)
        told = {outcome: places for outcome, places in judged.items() if outcome.wrapped is None}
        if told:
            self._tell(_frame(self.plan, told, rows), self._numbers, self._lines)
        carried: dict[Wrapped, list[int]] = {}
        for outcome, places in judged.items():
            if outcome.wrapped:
                carried.setdefault(outcome.wrapped, []).extend(places)
        if carried:
            self._hand_on(carried, self._numbers, self._lines, rows)
        self._numbers, self._lines, self._rows, self._waiting = [], [], [], 0

    def close(self) -> None:
        """All was read."""
        self._flush()
        self._run.count(self._span.lines)
        self._run.remember(self.hasher)
        self._run.keep_log(self._source, self._span, self._clock)

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
        self._span.service = self._span.service or self.plan.rules[int(settled["rule"][0])][0].service
        assumed = [self._clock.assumed(False, open_, False) for open_ in (False, True)]
        keys = ["rule", "origin", "target", "day"]
        if self._run.options.observations:
            keys.append("place")
        groups = settled.group_by(keys, maintain_order=True).agg(
            pl.col("place").alias("places"),
            pl.col("at").min().alias("first"),
            pl.col("at").max().alias("last"),
            pl.col("times").sum(),
            (pl.col("times") * pl.col("weight")).sum().alias("score"),
            pl.col("solid").any(),
            pl.col("open").any(),
        )
        columns = ("rule", "origin", "target", "places", "first", "last", "times", "score", "solid", "open")
        for number, origin, target, places, start, end, times, score, solid, open_ in groups.select(
            columns
        ).iter_rows():
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
            text = b"\n".join([lines[place] for place in places]) + b"\n"
            self._run.add(self._source.path, finding, [numbers[place] for place in places], text)

    def _settle(self, found: pl.DataFrame) -> tuple[pl.DataFrame, list[int]]:
        """Records whose origin is somebody, with `at` (seconds since 1970), `day` and `open` (no zone was
        written); and those of them whose time cannot be read."""
        usual = self._run.options.target
        origins = {text: normalise(bare_address(text)) for text in found["origin"].drop_nulls().unique()}
        targets = {text: normalise(bare_address(text)) or usual for text in found["target"].unique().drop_nulls()}
        found = found.with_columns(
            _look_up(found["origin"], origins), _look_up(found["target"], targets).fill_null(usual)
        ).filter(pl.col("origin").is_not_null())
        times = _times(found["time"])
        hours = {text: self._clock.hour(text) for text in times["hour"].drop_nulls().unique()}
        at = _look_up(times["hour"], hours, pl.Int64) + times["seconds"]
        settled = found.with_columns(at.alias("at"), (at // DAY).alias("day"), times["open"])
        is_settled = at.is_not_null()
        return settled.filter(is_settled), settled.filter(~is_settled)["place"].to_list()

    def _hand_on(
        self,
        carried: dict[Wrapped, list[int]],
        numbers: Sequence[int],
        lines: Sequence[bytes],
        rows: Sequence[Row],
    ) -> None:
        """Give the lines that records carry to the reader of logs."""
        made: list[tuple[int, str]] = []
        for wrapped, places in carried.items():
            compose = _composer(self.plan, wrapped)
            made += [(place, line) for place in places if (line := compose(rows[place]))]
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
        """Lines for the rules of logs: as they are, or as they were made from records."""
        texts = [line.decode("utf-8", "replace") for line in raw] if lines is None else lines
        block = Block(pl.Series("line", texts, dtype=pl.String), 1, numbers, raw)
        options, path = self._run.options, self._source.path
        span = self._run.log_reader().take(path, [block], self._clock, options.target)
        self._span.lines += span.lines
        if span.first is not None and span.last is not None:
            self._span.widen(span.first, span.last, span.zone_open)
            self._span.service = self._span.service or span.service


def _frame(plan: Plan, told: dict[Outcome, list[int]], rows: Sequence[Row]) -> pl.DataFrame:
    """What the rules read, a row for each record in order, as text where it is not settled yet."""
    columns: dict[str, list[Any]] = {
        name: [] for name in ("place", "rule", "origin", "target", "time", "times", "weight", "solid")
    }
    for outcome, places in told.items():
        rule, mine = plan.rules[outcome.rule][1], [rows[place] for place in places]
        many = len(places)
        columns["place"] += places
        columns["rule"] += [outcome.rule] * many
        columns["weight"] += [outcome.weight] * many
        columns["solid"] += [outcome.solid] * many
        columns["origin"] += _texts(plan, rule.origin, mine) if outcome.origin is None else [outcome.origin] * many
        columns["target"] += _texts(plan, rule.target, mine) if outcome.target is None else [outcome.target] * many
        columns["time"] += _texts(plan, rule.time, mine)
        if outcome.times is not None or not rule.count:
            columns["times"] += [outcome.times or 1] * many
        else:
            columns["times"] += [_count(row[plan.place[rule.count]]) for row in mine]
    frame = pl.DataFrame(columns, schema=_FOUND)
    return frame.sort("place") if len(told) > 1 else frame


_FOUND = {
    "place": pl.Int64, "rule": pl.Int32, "origin": pl.String, "target": pl.String, "time": pl.String,
    "times": pl.Int64, "weight": pl.Int64, "solid": pl.Boolean,
}  # fmt: skip


def _texts(plan: Plan, paths: str | tuple[str, ...], rows: list[Row]) -> list[str | None]:
    """What the first of some fields that holds something says, for each row."""
    found: list[Any] = [None] * len(rows)
    for place in plan.places(paths):
        column = [row[place] for row in rows]
        found = column if found.count(None) == len(rows) else [
            other if value in _NOBODY else value for value, other in zip(found, column, strict=True)
        ]
        if not any(map(found.count, _NOBODY)):
            break
    return [value if type(value) is str else _text(value) for value in found]


def _text(value: Any) -> str | None:
    return None if value is None else as_text(value)


def _count(value: Any) -> int:
    number = None if value is None else as_number(value)
    return int(number) if number is not None and 1 <= number < 1e9 else 1


def _times(texts: pl.Series) -> pl.DataFrame:
    """Times as `hour` (what `stamps.Clock` settles), `seconds` behind it, and whether the zone is `open`."""
    hour, seconds = _clocked(texts.str.slice(0, 13), texts.str.slice(14, 2), texts.str.slice(17, 2))
    tail = texts.str.slice(19).str.extract(_TAIL, 1)
    iso = texts.str.contains(_ISO)
    frame = pl.DataFrame(
        {"hour": hour + tail.fill_null(""), "seconds": seconds, "open": tail.is_null()}
    )
    if iso.all() and not iso.null_count():
        return frame
    epoch = texts.str.extract(_EPOCH, 1).cast(pl.Int64)
    parts = texts.str.extract_groups(_OTHER).struct
    others, behind = _clocked(parts.field("1"), parts.field("2"), parts.field("3"))
    after = parts.field("4").str.strip_chars(" ])")
    rest = pl.DataFrame(
        {
            "hour": pl.select(pl.coalesce((epoch // HOUR * HOUR).cast(pl.String), others + after)).to_series(),
            "seconds": pl.select(pl.when(epoch.is_not_null()).then(epoch % HOUR).otherwise(behind)).to_series(),
            "open": epoch.is_null() & ~after.str.contains("^(Z|UTC|GMT|[+-])").fill_null(value=False),
        }
    )
    known = iso.fill_null(value=False)
    return pl.select(
        **{
            name: pl.when(known).then(frame[name]).otherwise(rest[name]) for name in ("hour", "seconds", "open")
        }
    )


def _clocked(hour: pl.Series, minute: pl.Series, second: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The hour where minute and second are possible (null elsewhere), and the seconds behind it."""
    minutes, seconds = minute.cast(pl.Int64, strict=False), second.cast(pl.Int64, strict=False)
    possible = ((minutes < 60) & (seconds < 61)).fill_null(value=False)
    return pl.select(pl.when(possible).then(hour)).to_series(), minutes * 60 + seconds


def _look_up(series: pl.Series, table: dict[str, Any], dtype: Any = pl.String) -> pl.Series:
    if not table:
        return pl.Series(series.name, [None] * len(series), dtype=dtype)
    return series.replace_strict(table, default=None, return_dtype=dtype)


def _composer(plan: Plan, wrapped: Wrapped) -> Callable[[Row], str | None]:
    """How a record of that kind becomes a line of a log."""

    def read(row: Row, paths: str | tuple[str, ...]) -> str:
        for place in plan.places(paths):
            if row[place] not in _NOBODY:
                return as_text(row[place])  # type: ignore[arg-type]
        return ""

    strip = re.compile(wrapped.strip) if wrapped.strip else None
    has_header = re.compile(f"{HEADER}|{BARE_HEADER}")

    def text(row: Row) -> str | None:
        line = read(row, wrapped.text).strip().replace("\n", " ").replace("\r", " ")
        if strip and (begun := strip.match(line)):
            line = line[begun.end() :]
        if not line or has_header.search(line):
            return line or None
        program = read(row, wrapped.program).replace(" ", "_")
        host = read(row, wrapped.host).replace(" ", "_")
        sender = f"{host or 'unknown'} {program}: " if program else ""
        return f"{_iso(read(row, wrapped.time))} {sender}{line}"

    def request(row: Row) -> str | None:
        client = bare_address(read(row, wrapped.client))
        stamp = _clf(read(row, wrapped.time))
        asked = read(row, wrapped.request)
        if not asked:
            method, protocol = read(row, wrapped.method) or "-", read(row, wrapped.protocol) or "HTTP/1.1"
            protocol = protocol if "/" in protocol else f"HTTP/{protocol}"
            asked = f"{method} {read(row, wrapped.uri) or '/'} {protocol}"
        agent, referer = read(row, wrapped.agent) or "-", read(row, wrapped.referer) or "-"
        status, size = read(row, wrapped.status) or "-", read(row, wrapped.size) or "-"
        line = f'{client} - - [{stamp}] "{_quoted(asked)}" {status} {size} "{_quoted(referer)}" "{_quoted(agent)}"'
        return line.replace("\n", " ").replace("\r", " ") if client else None

    return text if names(wrapped.text) else request


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _iso(text: str) -> str:
    """A time as ISO 8601; what cannot be read stays, and is rejected where it is read."""
    if re.match(_EPOCH, text):
        return f"{dt.datetime.fromtimestamp(int(text[:10]), dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    return text.replace(" ", "T", 1) if re.match(_ISO, text) else text


def _clf(text: str) -> str:
    """A time as web servers write it: `29/Aug/2025:19:13:03 +0000`."""
    text = _iso(text)
    if not re.match(_ISO, text):
        return text
    month = int(text[5:7])
    tail = re.search(_TAIL, text[19:])
    zone = tail[1].replace(":", "") if tail else ""
    zone = "+0000" if zone in ("Z", "UTC", "GMT") else zone
    name = _MONTHS[month - 1] if 1 <= month <= 12 else "-"
    return f"{text[8:10]}/{name}/{text[:4]}:{text[11:19]} {zone}".rstrip()
