"""What a record means (JSON, TSV, CSV, Parquet): rules as data, in the same files as those for lines.

A field is named by its path: `alert.severity` is `severity` inside `alert`, `id\\.orig_h` is a name that has
a dot itself, `hosts[0]` is the first of a list. Where several fields are named the first that holds
something counts. `docs/records.md` explains every field with an example.
"""

import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from tocsin.kernel.problems import BadInput

Scalar = str | int | float | bool
_STEP = re.compile(r"((?:\\.|[^.\\\[])+)((?:\[[0-9]+\])*)(?:\.|$)")
_PORT = re.compile(r"[^:\[\]]+:[0-9]{1,5}")
_BRACKETED = re.compile(r"\[([^\]]*)\](?::[0-9]{1,5})?")


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"without": "not"}):
    """A condition on one field: all that is said must hold. `not` takes a value or several."""

    pattern: str = ""
    without: Scalar | tuple[Scalar, ...] | None = None
    at_least: float | None = None
    at_most: float | None = None
    present: bool | None = None


Condition = str | int | float | bool | tuple[Scalar, ...] | Check
Names = str | tuple[str, ...]


class Weigh(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one record adds to the score by the value of a field; the rule's `weight` where none fits."""

    field: str
    values: dict[str, int]


class RecordRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one kind of record means. `samples` maps JSON records to the origin to be read ("" for none).

    `where` says which records are meant. `text` names a field whose whole value must match `pattern`, which
    may name `origin`, `target` and `count` itself. `literal` (one of several) must stand in a line of JSON
    before it is looked into. `spoofable` marks records whose origin anybody can forge, always or under
    conditions.
    """

    id: str
    kind: str
    evidence: Literal["verdict", "sign", "success"]
    weight: int
    why: str
    time: Names
    origin: Names = ()
    samples: dict[str, str] = {}
    where: dict[str, Condition] = {}
    target: Names = ()
    count: str = ""
    text: str = ""
    pattern: str = ""
    literal: str | tuple[str, ...] = ()
    spoofable: bool | dict[str, Condition] = False
    weigh: Weigh | None = None

    @property
    def literals(self) -> tuple[str, ...]:
        """Of these one must stand in a line of JSON; none asks for every line."""
        return tuple(filter(None, names(self.literal)))


class Wrapped(msgspec.Struct, frozen=True, forbid_unknown_fields=True, eq=False):
    """A record that carries a line for the rules of logs: as text, or as the parts of a web request.

    `text` holds a log line, less what `strip` matches at its start; where that line has no time of its own,
    `time`, `host` and `program` head it. Or `client`, `method`, `uri`, `status` and so on make a line as web
    servers write it (combined log format).
    """

    id: str
    where: dict[str, Condition] = {}
    samples: dict[str, str] = {}
    literal: str | tuple[str, ...] = ()
    time: Names = ()
    text: Names = ()
    host: Names = ()
    program: Names = ()
    strip: str = ""
    client: Names = ()
    vhost: Names = ()
    request: Names = ()
    method: Names = ()
    uri: Names = ()
    protocol: Names = ()
    status: Names = ()
    size: Names = ()
    referer: Names = ()
    agent: Names = ()

    @property
    def literals(self) -> tuple[str, ...]:
        """Of these one must stand in a line of JSON; none asks for every line."""
        return tuple(filter(None, names(self.literal)))


# What may stand before a record that syslog carried: a header (RFC 3164, RFC 5424, ISO times), CEE's cookie.
_CARRIER = re.compile(
    rb"(?:(?:<[0-9]{1,3}>)?(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}"
    rb"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]{8,}(?:Z|[+-][0-9:]{4,6})?)"
    rb" (?:\S+ )?[^\s:\[]+(?:\[[0-9]+\])?: *"
    rb"|<[0-9]{1,3}>1 (?:\S+ ){5}(?:-|\[.*?\]) (?:\xef\xbb\xbf)?)?(?:@cee: ?)?(?=\{)"
)


def record_in(line: bytes) -> bytes:
    """The JSON object that a line is, or that syslog carried in it; nothing where it is no such line."""
    begun = _CARRIER.match(line)
    if not begun:
        return b""
    record = line[begun.end() :].strip()
    try:
        msgspec.json.decode(record.decode("utf-8", "replace"), type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return b""
    return record


def names(given: Names) -> tuple[str, ...]:
    """One name or several, as several."""
    return (given,) if isinstance(given, str) else given


def steps(path: str) -> list[str | int]:
    """A path as names and places in lists. Raises BadInput for what is no path."""
    found: list[str | int] = []
    at = 0
    while at < len(path) and (match := _STEP.match(path, at)):
        found.append(re.sub(r"\\(.)", r"\1", match[1]))
        found += [int(place) for place in re.findall(r"[0-9]+", match[2])]
        at = match.end()
    if not found or at != len(path) or re.search(r"(?<!\\)\.$", path):
        raise BadInput(f"not the path of a field: {path!r}")
    return found


def walk(document: object, path: list[str | int]) -> Scalar | None:
    """The value at a path of decoded JSON: a scalar, a list of scalars as `a, b`, None for nothing."""
    value: Any = document
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    if isinstance(value, list):
        return ", ".join(as_text(item) for item in value if isinstance(item, (str, int, float)))
    return "{}" if isinstance(value, dict) else value


def as_text(value: Scalar) -> str:
    """A scalar as JSON writes it, strings bare; whole numbers without a fraction."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def test_of(condition: Condition) -> Callable[[Scalar | None], bool]:
    """A condition as a function of the field's value (None: it is not there)."""
    if isinstance(condition, Check):
        return _tested(condition)
    wanted = _wanted(condition)
    return lambda value: value is not None and as_text(value) in wanted


def _tested(test: Check) -> Callable[[Scalar | None], bool]:
    pattern = re.compile(test.pattern) if test.pattern else None
    unwanted = _wanted(test.without) if test.without is not None else frozenset[str]()

    def holds(value: Scalar | None) -> bool:
        if value is None or value == "":
            return test.present is False or (test.present is None and bool(unwanted) and pattern is None)
        if test.present is False:
            return False
        text = as_text(value)
        if text in unwanted or (pattern and not pattern.fullmatch(text)):
            return False
        if test.at_least is None and test.at_most is None:
            return True
        number = as_number(value)
        return (
            number is not None
            and (test.at_least is None or number >= test.at_least)
            and (test.at_most is None or number <= test.at_most)
        )

    return holds


def _wanted(value: Scalar | tuple[Scalar, ...]) -> frozenset[str]:
    return frozenset(map(as_text, value if isinstance(value, tuple) else (value,)))


def as_number(value: Scalar) -> float | None:
    """A value as a number, None when it is none."""
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def bare_address(text: str) -> str:
    """What stands in for the origin: the first of a list (`X-Forwarded-For`), without port and brackets."""
    first = text.partition(",")[0].strip()
    if bracketed := _BRACKETED.fullmatch(first):
        return bracketed[1]
    return first.rpartition(":")[0] if _PORT.fullmatch(first) else first
