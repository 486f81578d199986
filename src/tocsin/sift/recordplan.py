"""Record rules made ready for one source: which fields are read, and what their values mean.

Whether a rule fits depends on few fields with few values, so the answer for a combination of values is worked
out once and remembered.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec

from tocsin.sift.records import (
    Names,
    RecordRule,
    Scalar,
    Wrapped,
    as_text,
    names,
    steps,
    test_of,
    walk,
)
from tocsin.sift.rulebook import Rulebook

Row = tuple[Scalar | None, ...]  # the values of a plan's fields in one record
_REMEMBERED = 100_000
_LEAF = str | int | float | bool | None
_FIELDS_OF_LINES = ("time", "text", "host", "program", "client", "vhost", "request", "method", "uri",
                    "protocol", "status", "size", "referer", "agent")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a record means: the rule's number, or the line that it carries; and what is the same for all such.

    `origin`, `target` and `times` are set where the rule's pattern read them.
    """

    rule: int = -1
    wrapped: Wrapped | None = None
    weight: int = 0
    solid: bool = True
    origin: str | None = None
    target: str | None = None
    times: int | None = None


class Plan:
    """The record rules of some books. `fields` are the paths that they read.

    Those come first that decide which rule fits (`deciding` of them), then those that say who is told of:
    `saying` together. `later` are the places of what is asked when it is known what a record means.
    """

    def __init__(self, books: Sequence[Rulebook]) -> None:
        self.rules = [(book, rule) for book in books for rule in book.records]
        self.wrapped = [wrapped for book in books for wrapped in book.wrapped]
        every: list[RecordRule | Wrapped] = [*(rule for _, rule in self.rules), *self.wrapped]
        deciding = dict.fromkeys(path for rule in every for path in _deciding(rule))
        said = deciding | dict.fromkeys(path for _, rule in self.rules for path in _sides(rule))
        told = dict.fromkeys(path for rule in every for path in _told(rule))
        shelves = list(dict.fromkeys((book.service, rule.kind, rule.evidence) for book, rule in self.rules))
        self.shelf_of = [shelves.index((book.service, rule.kind, rule.evidence)) for book, rule in self.rules]
        self.deciding, self.saying = len(deciding), len(said)
        self.fields = list(said | told)
        self.place = {path: number for number, path in enumerate(self.fields)}
        self.later = [self.place[path] for path in told]
        self._places: dict[Names, list[int]] = {}
        asked = [rule.literals for rule in every]
        self.literals = tuple(dict.fromkeys(text.encode() for texts in asked for text in texts))
        if not all(asked):
            self.literals = ()
        self.outcomes = _Outcomes(self._decide)
        self._tests = [self._tests_of(rule.where) for rule in every]
        self._forged = [
            self._tests_of(rule.spoofable) if isinstance(rule.spoofable, dict) else None
            for _, rule in self.rules
        ]
        self._patterns = [re.compile(rule.pattern) if rule.pattern else None for _, rule in self.rules]

    def places(self, paths: Names) -> list[int]:
        """Where some fields stand in a row."""
        if (found := self._places.get(paths)) is None:
            found = self._places[paths] = [self.place[path] for path in names(paths) if path]
        return found

    def _tests_of(self, where: dict[str, Any]) -> list[tuple[int, Callable[[Scalar | None], bool]]]:
        return [(self.place[path], test_of(condition)) for path, condition in where.items()]

    def _decide(self, row: Row) -> Outcome | None:
        for number, tests in enumerate(self._tests):
            if not all(holds(row[place]) for place, holds in tests):
                continue
            if number >= len(self.rules):
                return Outcome(wrapped=self.wrapped[number - len(self.rules)])
            if outcome := self._read(number, row):
                return outcome
        return None

    def _read(self, number: int, row: Row) -> Outcome | None:
        rule = self.rules[number][1]
        read: dict[str, str | None] = {}
        if pattern := self._patterns[number]:
            text = row[self.place[rule.text]]
            match = None if text is None else pattern.fullmatch(as_text(text))
            if match is None:
                return None
            read = match.groupdict()
        weight = rule.weight
        if rule.weigh and (value := row[self.place[rule.weigh.field]]) is not None:
            weight = rule.weigh.values.get(as_text(value), weight)
        forged = self._forged[number]
        spoofable = rule.spoofable if forged is None else all(holds(row[place]) for place, holds in forged)
        times = int((read["count"] or "1")[:9]) if "count" in read else None  # what is longer is no count
        return Outcome(number, None, weight, not spoofable, read.get("origin"), read.get("target"), times)


class _Outcomes(dict[Row, Outcome | None]):
    """Outcomes by the deciding values of a row, worked out when first asked for."""

    def __init__(self, decide: Callable[[Row], Outcome | None]) -> None:
        super().__init__()
        self._decide = decide

    def __missing__(self, row: Row) -> Outcome | None:
        if len(self) > _REMEMBERED:
            self.clear()
        found = self[row] = self._decide(row)
        return found


def _deciding(rule: RecordRule | Wrapped) -> Iterable[str]:
    yield from rule.where
    if isinstance(rule, RecordRule):
        yield from filter(None, [rule.text, rule.weigh.field if rule.weigh else ""])
        yield from rule.spoofable if isinstance(rule.spoofable, dict) else ()


def _sides(rule: RecordRule) -> Iterable[str]:
    return filter(None, (*names(rule.origin), *names(rule.target)))


def _told(rule: RecordRule | Wrapped) -> Iterable[str]:
    if isinstance(rule, RecordRule):
        yield from filter(None, (*names(rule.time), rule.count))
    else:
        yield from (path for field in _FIELDS_OF_LINES for path in names(getattr(rule, field)) if path)


class JsonFields:
    """Reads fields from lines of JSON: all lines at once as long as they are scalars where rules ask."""

    def __init__(self, fields: Sequence[str]) -> None:
        self._paths = [steps(path) for path in fields]
        self._gets: list[Callable[[object], Any]] = []
        tree: dict[str, Any] = {}
        if all(_plant(tree, path) for path in self._paths):
            kind, getters = _struct(tree)
            self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind)
            self._gets = [attrgetter(getters[tuple(map(str, path))]) for path in self._paths]

    def columns(self, lines: Sequence[bytes]) -> list[list[Scalar | None]]:
        """Each field's values in the lines; a line is an object that was found to be JSON."""
        if self._gets:
            try:
                found = list(map(self._decoder.decode, lines))
                return [list(map(get, found)) for get in self._gets]
            except (msgspec.DecodeError, AttributeError, UnicodeDecodeError, RecursionError):
                pass
        return [list(column) for column in zip(*map(self._row, lines), strict=True)]

    def row(self, line: bytes) -> Row:
        """The values of the fields in one line."""
        return tuple(value for (value,) in self.columns([line]))

    def _row(self, line: bytes) -> Row:
        try:
            document = msgspec.json.decode(line.decode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError):
            document = None
        return tuple(walk(document, path) for path in self._paths)


def _plant(tree: dict[str, Any], path: list[str | int]) -> bool:
    """Put a path into a tree of names; whether it fits there (no place in a list, no field in a value)."""
    branch = tree
    for step in path[:-1]:
        if not isinstance(step, str):
            return False
        branch = branch.setdefault(step, {})
        if branch is None:
            return False
    last = path[-1]
    if not isinstance(last, str) or branch.get(last, None) is not None:
        return False
    branch[last] = None
    return True


def _struct(tree: dict[str, Any]) -> tuple[type, dict[tuple[str, ...], str]]:
    """A type that decodes exactly these fields, and how an attribute of it is reached by its path."""
    members: list[Any] = []
    spelled: dict[str, str] = {}
    getters: dict[tuple[str, ...], str] = {}
    for number, (name, below) in enumerate(tree.items()):
        attribute = f"f{number}"
        spelled[attribute] = name
        if below is None:
            members.append((attribute, _LEAF, None))
            getters[name,] = attribute
            continue
        kind, inner = _struct(below)
        members.append((attribute, kind, kind()))
        getters |= {(name, *path): f"{attribute}.{getter}" for path, getter in inner.items()}
    return msgspec.defstruct("Fields", members, rename=spelled, gc=False, frozen=True), getters
