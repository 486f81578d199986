"""The rules that sifting applies: data in `rules/*.toml`, checked when they are loaded.

A file is a rulebook: one service, the programs or line shapes that its lines come in, thresholds, and rules.
Patterns are in the subset that RE2 and Rust's regex share: no look-around, no back-references. Each rule has
a literal, or a few, of which one must stand in a line before its pattern is tried. `docs/rules.md` explains
every field; a user's own files in `rules_folder()` are read like ours.
"""

import hashlib
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from tocsin import __version__
from tocsin.kernel.problems import BadInput
from tocsin.sift.home import edge_home
from tocsin.sift.records import Check, RecordRule, Wrapped, names, steps
from tocsin.sift.shapes import BARE, REQUESTS, SYSLOG, UNDATED, WHATEVER

_FORBIDDEN = re.compile(r"\(\?(?:[=!]|<[=!]|P=|\()|\\[1-9]|\(\?>|[*+?}]\+")
_KIND = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*/[a-z0-9]+(?:-[a-z0-9]+)*")  # RSIT class/type


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which score an attack of one kind is `low` and `medium`; below it is `info`.

    A sign-in counts as won by guessing when the guesses before it scored `compromise` or more.
    """

    low: int
    medium: int
    compromise: int = 0


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one kind of line means. `samples` maps messages to the origin the rule must read ("" for none).

    Whether a line matches is cheap to say, what a group holds is not. `quick` therefore reads the origin of
    most lines that `pattern` matches, by its first group; it may find nothing, never another origin.
    `spoofable` marks evidence whose origin anybody can forge (UDP, a lone SYN): it is never blocked upon.
    `local` marks what somebody on the host itself did (`su`): the origin is the host that the header names.
    """

    id: str
    pattern: str
    kind: str
    evidence: Literal["verdict", "sign", "success"]
    weight: int
    why: str
    samples: dict[str, str]
    literal: str | tuple[str, ...] = ()
    quick: str = ""
    spoofable: bool = False
    local: bool = False

    @property
    def literals(self) -> tuple[str, ...]:
        """Of these one must stand in a line before the pattern is tried."""
        return (self.literal,) if isinstance(self.literal, str) else self.literal

    @property
    def counts(self) -> bool:
        """Whether the line itself says how often."""
        return "(?P<count>" in self.pattern

    @property
    def names_target(self) -> bool:
        """Whether the line itself names the attacked host, whatever its header says."""
        return "(?P<target>" in self.pattern


class Rulebook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of one service.

    `programs` are the names under which it writes to syslog or the journal; `shapes` name the line shapes
    (`shapes.BARE`) of logs that it writes itself. `prefix` and `suffix` surround every pattern. `records` and
    `wrapped` are rules for records (`records`); `marks` are the fields by which a source of them is known,
    `columns` the names of a table's columns where its first line does not say them. A book that is `last` is
    asked about what all others, a user's own too, leave over. `literal` is for rules without their own.
    """

    service: str
    log_type: str
    thresholds: dict[str, Thresholds] = {}
    rules: tuple[Rule, ...] = ()
    records: tuple[RecordRule, ...] = ()
    wrapped: tuple[Wrapped, ...] = ()
    marks: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    prefix: str = ""
    suffix: str = ""
    last: bool = False
    literal: tuple[str, ...] = ()

    def marks_stand_in(self, text: bytes) -> bool:
        """Whether JSON that begins so, or a record, has what marks this book's records."""
        marks = _quoted(self.marks)
        return bool(marks) and all(mark in text for mark in marks)

    def full_pattern(self, rule: Rule) -> str:
        """The rule's pattern as it must match a whole message."""
        return f"^{self.prefix}(?:{rule.pattern}){self.suffix}$"


@cache
def _quoted(marks: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(f'"{mark}"'.encode() for mark in marks)


class Ruleset:
    """All rulebooks of a run. `rules` are all their rules, in order; `book_of` the book of each.

    `general` are those that any source may be for: not the `mapped`, which are for sources that name them.
    `yours` are a user's own: their thresholds stand before those of ours for the same service.
    """

    def __init__(
        self, books: Iterable[Rulebook], mapped: Sequence[Rulebook] = (), yours: Sequence[Rulebook] = ()
    ) -> None:
        self.books = tuple(sorted(books, key=lambda book: book.last))
        self.yours = (*yours, *mapped)
        self.general = tuple(book for book in self.books if book not in mapped)
        self._marked = [(book, frozenset(map(str.encode, book.marks))) for book in self.general if book.marks]
        self.rules = tuple(rule for book in self.books for rule in book.rules)
        self.book_of = tuple(book for book in self.books for _ in book.rules)
        self._thresholds = _thresholds(book for book in self.books if book not in self.yours)
        self._thresholds |= _thresholds(self.yours)
        lines_last = sorted(
            self.books, key=lambda book: bool(book.rules)
        )  # a service's own log names its type
        self._log_types: Mapping[str, str] = {book.service: book.log_type for book in lines_last}

    def marked(self, head: bytes) -> list[Rulebook]:
        """The general books whose marks stand in JSON that begins so: each between two quotes."""
        between = frozenset(head.split(b'"')[1:-1])
        return [book for book, marks in self._marked if marks <= between]

    def thresholds(self, service: str, kind: str) -> Thresholds | None:
        """By which scores attacks of a kind on a service are judged; None where no rule tells of them."""
        return self._thresholds.get((service, kind))

    def log_type(self, service: str) -> str:
        """The country pack's type of a service's log, `other` where no rule tells of it."""
        return self._log_types.get(service, "other")


def _thresholds(books: Iterable[Rulebook]) -> dict[tuple[str, str], Thresholds]:
    """By service and kind. Books must agree; one without sign-ins need not know what is a compromise."""
    found: dict[tuple[str, str], Thresholds] = {}
    for book in books:
        for kind, bounds in book.thresholds.items():
            known = found.setdefault((book.service, kind), bounds)
            if (known.low, known.medium) != (bounds.low, bounds.medium):
                raise BadInput(f"two rule files set other thresholds for {kind} at {book.service}")
            if bounds.compromise > known.compromise:
                found[book.service, kind] = bounds
    return found


def rules_folder() -> Path:
    """Where a user keeps rule files of their own: `TOCSIN_RULES`, by default in the edge tool's folder."""
    return Path(os.environ.get("TOCSIN_RULES") or edge_home() / "rules")


def ruleset(*mappings: Rulebook | None) -> Ruleset:
    """Our rules, the user's own, those of mappings. Raises BadInput that names the file and rule at fault."""
    usual = _ruleset(rules_folder())
    more = [mapping for mapping in mappings if mapping]
    return Ruleset([*usual.books, *more], more, usual.yours) if more else usual


def mapping(file: Path) -> Rulebook:
    """What a user's mapping file says the records of a source mean. Raises BadInput."""
    book = read(file)
    if not book.records and not book.wrapped:
        raise BadInput(f"{file}: a mapping needs at least one [[records]]", hint="see docs/records.md")
    return book


@cache
def _ruleset(folder: Path) -> Ruleset:
    yours = _yours(folder)
    return Ruleset([*ours(), *yours], yours=yours)


@cache
def ours() -> tuple[Rulebook, ...]:
    """The rulebooks that come with Tocsin, by file name; the tests check them, which takes longest.

    Read from TOML once, then from a packed copy in the edge folder: that takes a thirtieth of the time.
    """
    folder = Path(str(resources.files("tocsin.sift.rules")))
    files = sorted(folder.glob("*.toml"))
    mark = _mark(files)
    kept = edge_home() / "cache" / "rules.msgpack"
    try:
        found, _, packed = kept.read_bytes().partition(b"\n")
        if found == mark:
            return msgspec.msgpack.decode(packed, type=tuple[Rulebook, ...])
    except (OSError, msgspec.MsgspecError):
        pass
    books = tuple(_named(file.name, file.read_bytes(), parse) for file in files)
    _keep(kept, mark + b"\n" + msgspec.msgpack.encode(books))
    return books


def _mark(files: Sequence[Path]) -> bytes:
    """What tells whether a packed copy is of these very files and of this version."""
    told = [(file.name, status.st_size, status.st_mtime_ns) for file in files for status in (file.stat(),)]
    return hashlib.sha256(repr((__version__, Rulebook.__struct_fields__, told)).encode()).hexdigest().encode()


def _keep(file: Path, content: bytes) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(content)
        part.replace(file)
    except OSError:
        pass  # a copy saves time; nothing hangs on it


def yours() -> tuple[Rulebook, ...]:
    """A user's own rulebooks, by file name. Raises BadInput that names the file and the rule at fault."""
    return _yours(rules_folder())


@cache
def _yours(folder: Path) -> tuple[Rulebook, ...]:
    return tuple(read(file) for file in sorted(folder.glob("*.toml")))


def parse(text: bytes) -> Rulebook:
    """Read a rule file. Raises BadInput where it is none."""
    try:
        book = msgspec.convert(tomllib.loads(text.decode()), Rulebook)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise BadInput(f"a rule file does not hold together: {error}") from error
    if not book.literal:
        return book
    replace = msgspec.structs.replace
    rules = (rule if rule.literals else replace(rule, literal=book.literal) for rule in book.rules)
    return replace(book, rules=tuple(rules))


def load(text: bytes) -> Rulebook:
    """Read and check a rule file. Raises BadInput that names the rule at fault."""
    book = parse(text)
    known_shapes = (*BARE, SYSLOG, UNDATED, WHATEVER, REQUESTS)
    if unknown := set(book.shapes) - set(known_shapes):
        known = ", ".join(known_shapes)
        raise BadInput(f"no such line shape: {', '.join(sorted(unknown))}", hint=f"known: {known}")
    if REQUESTS in book.shapes and len(book.shapes) > 1:
        raise BadInput("a rulebook about access logs is about nothing else")
    for rule in book.rules:
        _check(book, rule)
    for record in book.records:
        _check_record(book, record)
    for wrapped in book.wrapped:
        _check_record(book, wrapped)
    return book


def read(file: Path) -> Rulebook:
    """The rulebook in a file. Raises BadInput that names the file and the rule at fault."""
    try:
        return _named(str(file), file.read_bytes())
    except OSError as error:
        raise BadInput(f"{file}: {(error.strerror or 'cannot be read').lower()}") from error


def _named(name: str, text: bytes, read: Callable[[bytes], Rulebook] = load) -> Rulebook:
    try:
        return read(text)
    except BadInput as problem:
        raise BadInput(f"{name}: {problem.detail}", hint=problem.hint) from problem


def _check_record(book: Rulebook, rule: RecordRule | Wrapped) -> None:
    if not book.marks:
        raise BadInput(f"{book.service} has record rules and no marks")
    paths = [*rule.where]
    for field in rule.__struct_fields__:
        if field not in (
            "id",
            "kind",
            "evidence",
            "why",
            "literal",
            "pattern",
            "weight",
            "samples",
            "where",
            "strip",
        ):
            value = getattr(rule, field)
            paths += names(value) if isinstance(value, (str, tuple)) else ()
    for path in filter(None, paths):
        steps(path)
    for sample in rule.samples:
        if not sample.startswith("{"):
            raise BadInput(f"rule {rule.id} has a sample that is no record: {sample}")
    if isinstance(rule, Wrapped):
        if not rule.text and not rule.client:
            raise BadInput(f"rule {rule.id} names neither a text nor a client")
        return
    if bool(rule.text) != bool(rule.pattern):
        raise BadInput(f"rule {rule.id} needs both text and pattern, or none")
    checks = [check.pattern for check in rule.where.values() if isinstance(check, Check)]
    for pattern in (rule.pattern, *checks):
        if _FORBIDDEN.search(pattern):
            raise BadInput(f"rule {rule.id} uses what RE2 cannot do: {pattern}")
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            raise BadInput(f"rule {rule.id} has a broken pattern: {error}") from error
        if pattern is rule.pattern and not rule.origin and "origin" not in groups:
            raise BadInput(f"rule {rule.id} names no origin")
    _check_kind(book, rule)


def _check_kind(book: Rulebook, rule: Rule | RecordRule) -> None:
    if not _KIND.fullmatch(rule.kind):
        raise BadInput(f"rule {rule.id} has a kind that is no class/type of RSIT: {rule.kind}")
    if rule.evidence != "success" and rule.kind not in book.thresholds:
        raise BadInput(f"rule {rule.id} has a kind without thresholds: {rule.kind}")


def _check(book: Rulebook, rule: Rule) -> None:
    if not rule.literals or not all(rule.literals):
        raise BadInput(f"rule {rule.id} has no literal")
    if not book.programs and not book.shapes:
        raise BadInput(f"{book.service} names neither programs nor shapes")
    if _FORBIDDEN.search(rule.pattern):
        raise BadInput(f"rule {rule.id} uses what RE2 cannot do: {rule.pattern}")
    try:
        groups = re.compile(book.full_pattern(rule)).groupindex
    except re.error as error:
        raise BadInput(f"rule {rule.id} has a broken pattern: {error}") from error
    if rule.quick and rule.counts:
        raise BadInput(f"rule {rule.id} cannot be quick and count")
    if rule.local and (rule.quick or "origin" in groups or not rule.spoofable):
        raise BadInput(f"rule {rule.id} is local: it has no origin of its own and is never blocked upon")
    if "origin" not in groups and not rule.local:
        raise BadInput(f"rule {rule.id} names no origin")
    _check_kind(book, rule)
    for line, origin in rule.samples.items():
        if origin and not any(literal in line for literal in rule.literals):
            raise BadInput(f"rule {rule.id} has a sample without its literal: {line}")
