"""Records in columns: Zeek's tab-separated logs, and CSV or TSV whose first line names what a rule knows.

Zeek's logs say themselves what their columns are (`#fields`), again and again where logs were joined. See
"Zeek Log Formats" in Zeek's manual, and RFC 4180 for CSV.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from tocsin.sift import rulebook
from tocsin.sift.records import steps

if TYPE_CHECKING:
    from tocsin.sift.blocks import Place
    from tocsin.sift.engine import Run
    from tocsin.sift.recordplan import Plan, Row
    from tocsin.sift.recordreader import RecordReader
    from tocsin.sift.records import Scalar
    from tocsin.sift.rulebook import Rulebook
    from tocsin.sift.sources import Source, Stream

ZEEK = b"#separator"
WRONG_COLUMNS = "not as many columns as are named"
NOT_CSV = "broken CSV"
_DELIMITERS = ",;\t|"
_BATCH = 20_000
_BOM = b"\xef\xbb\xbf"
_NONE = frozenset(("-", "(empty)", ""))


def looks_like(start: bytes) -> bool:
    """A Zeek log, or a first line of columns that mark a known kind of record."""
    return start.startswith(ZEEK) or any(_columns(start, book) for book in rulebook.ruleset().books)


def read(run: "Run", source: "Source", stream: "Stream") -> None:
    """Read the records to their end."""
    if (source.head or stream.peek(len(ZEEK))).startswith(ZEEK):
        _read_zeek(run, source, stream)
    else:
        _read_csv(run, source, stream)


def is_mapped(start: bytes, book: "Rulebook") -> bool:
    """Whether a source that begins so has the columns of a mapping."""
    return start.startswith(ZEEK) or bool(_columns(start, book))


def _columns(start: bytes, book: "Rulebook") -> tuple[str, list[str]] | None:
    """The delimiter and the columns of a CSV file that is a book's; None where it is not."""
    if not book.marks:
        return None
    first = start.removeprefix(_BOM).partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")
    if first[:1] in "{[<" or "\r" in first or "\0" in first:
        return None
    for delimiter in _DELIMITERS:
        if delimiter not in first:
            continue
        try:
            names = next(csv.reader([first], delimiter=delimiter), [])
        except csv.Error:
            continue
        if book.columns and len(names) == len(book.columns):
            return delimiter, list(book.columns)
        if set(book.marks) <= {name.strip() for name in names}:
            return delimiter, [name.strip() for name in names]
    return None


class _Picker:
    """Takes the values of a plan's fields from a line's columns."""

    def __init__(self, plan: "Plan", columns: Sequence[str]) -> None:
        self.width = len(columns)
        place = {name: number for number, name in enumerate(columns)}
        names = [".".join(map(str, steps(path))) for path in plan.fields]
        places = [place.get(name, len(columns)) for name in names]  # behind the last: nothing
        self._get: Callable[[Sequence[str]], tuple[str, ...]] = itemgetter(*places, *places[:2])
        self._many = len(places)

    def row(self, cells: list[str]) -> "Row":
        """The values; `-` and nothing are nothing."""
        cells.append("")
        return tuple([None if cell in _NONE else cell for cell in self._get(cells)[: self._many]])


def _read_zeek(run: "Run", source: "Source", stream: "Stream") -> None:
    from tocsin.sift.blocks import Place, cut
    from tocsin.sift.recordplan import Plan
    from tocsin.sift.recordreader import RecordReader

    head = source.head or stream.peek()
    place = Place(run.skip_known(source, stream))
    reader = RecordReader(run, source, Plan(()))
    zeek = _Zeek(run, reader)
    for line in head.split(b"\n")[:20]:  # what was skipped may have said what the columns are
        if line.startswith(b"#") and place.line > 1:
            zeek.learn(line.decode("utf-8", "replace").rstrip("\r"))
    for data in cut(stream, place, reader.see, reader.reject):
        zeek.take(data, place)
    reader.close()


class _Zeek:
    """A Zeek log on its way: what its columns are, and who takes them."""

    def __init__(self, run: "Run", reader: "RecordReader") -> None:
        self._run, self._reader = run, reader
        self._separator = "\t"
        self._picker: _Picker | None = None
        self._width = 0

    def learn(self, line: str) -> None:
        """A line that begins with `#`."""
        from tocsin.sift.recordplan import Plan

        if line.startswith("#separator"):
            named = re.sub(r"\\x([0-9a-fA-F]{2})", lambda code: chr(int(code[1], 16)), line[11:])
            self._separator = named[:1] or "\t"
        elif line.startswith("#fields"):
            columns = line.split(self._separator)[1:]
            mapping = self._run.options.mapping
            books = [mapping] if mapping else self._run.rules.general
            plan = Plan([book for book in books if book.marks and set(book.marks) <= set(columns)])
            self._reader.follow(plan)
            self._width = len(columns)
            self._picker = _Picker(plan, columns) if plan.fields else None

    def take(self, data: bytes, place: "Place") -> None:
        """A stretch of lines."""
        raw = data.removesuffix(b"\n").split(b"\n")
        numbers: list[int] = []
        lines: list[bytes] = []
        rows: list[Row] = []
        unread = 0
        for number, (line, whole) in enumerate(
            zip(data.removesuffix(b"\n").decode("utf-8", "replace").split("\n"), raw, strict=True), place.line
        ):
            if line[:1] == "#":
                self._reader.take(numbers, lines, _turned(rows), unread)
                numbers, lines, rows, unread = [], [], [], 1
                self.learn(line.rstrip("\r"))
                continue
            cells = line.rstrip("\r").split(self._separator)
            if not line.strip():
                unread += 1
            elif len(cells) != self._width:
                self._reader.reject(number, WRONG_COLUMNS, whole)
            elif self._picker is None:
                unread += 1
            else:
                numbers.append(number)
                lines.append(whole.rstrip(b"\r"))
                rows.append(self._picker.row(cells))
        self._reader.take(numbers, lines, _turned(rows), unread)
        place.line += len(raw)


def _read_csv(run: "Run", source: "Source", stream: "Stream") -> None:
    from tocsin.sift.blocks import Place
    from tocsin.sift.recordplan import Plan
    from tocsin.sift.recordreader import RecordReader

    start = source.head or stream.peek()
    books = [run.options.mapping] if run.options.mapping else run.rules.general
    book, (delimiter, columns) = next((book, found) for book in books if (found := _columns(start, book)))
    place = Place(run.skip_known(source, stream))
    plan = Plan([book])
    reader, picker = RecordReader(run, source, plan), _Picker(plan, columns)
    heading = place.line == 1 and not book.columns
    numbers: list[int] = []
    lines: list[bytes] = []
    rows: list[Row] = []
    unread = 0
    for number, cells, taken in _csv_records(stream, place, reader, delimiter):
        unread += len(taken) - 1
        if heading or not any(cells):
            heading, unread = False, unread + 1
        elif len(cells) != picker.width:
            unread -= len(taken) - 1
            _reject_all(reader, number, taken, WRONG_COLUMNS)
        else:
            numbers.append(number)
            lines.append(b"\n".join(taken))
            rows.append(picker.row(cells))
        if len(rows) >= _BATCH:
            reader.take(numbers, lines, _turned(rows), unread)
            numbers, lines, rows, unread = [], [], [], 0
    reader.take(numbers, lines, _turned(rows), unread)
    reader.close()


def _csv_records(
    stream: "Stream", place: "Place", reader: "RecordReader", delimiter: str
) -> Iterator[tuple[int, list[str], list[bytes]]]:
    """Each record's first line number, its cells and its lines; what is no CSV is rejected line by line."""
    from tocsin.sift.blocks import cut

    taken: list[bytes] = []

    def pull() -> Iterator[str]:
        for data in cut(stream, place, reader.see, reader.reject):
            if place.line == 1:
                data = data.removeprefix(_BOM)
            for line in data.removesuffix(b"\n").split(b"\n"):
                place.line += 1
                taken.append(line.removesuffix(b"\r"))
                yield taken[-1].decode("utf-8", "replace").replace("\r", " ") + "\n"

    records = csv.reader(pull(), delimiter=delimiter)
    while True:
        try:
            cells = next(records)
        except StopIteration:
            return
        except csv.Error:
            _reject_all(reader, place.line - len(taken), taken, NOT_CSV)
        else:
            yield place.line - len(taken), cells, list(taken)
        taken.clear()


def _turned(rows: "Sequence[Row]") -> "Sequence[Sequence[Scalar | None]]":
    return list(zip(*rows, strict=True))


def _reject_all(reader: "RecordReader", first: int, lines: Iterable[bytes], reason: str) -> None:
    for number, line in enumerate(lines, start=first):
        reader.reject(number, reason, line)
