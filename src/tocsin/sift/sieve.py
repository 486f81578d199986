"""Lines under the usual header, told by one pattern whether they may be evidence.

Most lines of a log have one form of header (RFC 3164 with a process number) and come from a few programs, and
most of them say nothing. One automaton over the header and the beginnings of what those programs' rules are
about leaves these out before anything is taken apart; of the others, time and message are cut out by place.
Which programs these are, a sample of the lines says: the answer is the same without it, only later.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from tocsin.sift.headers import CARRIED, split
from tocsin.sift.patterns import beginning
from tocsin.sift.rulebook import Ruleset
from tocsin.sift.shapes import MONTH

WORTHWHILE = 2_000  # lines; for fewer, making the pattern takes longer than it saves
_SAMPLE = 500
_OFTEN = 0.2  # of the lines: more often than that, a section is worth a pattern of its own
_HEAD = (
    rf"^{MONTH} [ 0-3][0-9] [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}} [!-9;-Z\\-~]+ "  # its host holds no : and no [
)
_PID = r"\[[0-9]+\]: "
_REPEATED = "message repeated "
_MOST_PROGRAMS = 500
_NAME = re.compile(r"[A-Za-z0-9_./()@+-]+")


@dataclass(frozen=True)
class Section:
    """The rules for what some programs write: their literals, and for each the rules' places.

    `has_own_logs` says that these programs write logs of their own, too, which syslog may carry.
    """

    literals: list[str]
    rules: dict[str, list[int]]
    has_own_logs: bool


class Sieve:
    """Parts blocks of lines. `sections` are those of the rules, `section_of` says which a program has."""

    def __init__(
        self,
        rules: Ruleset,
        sections: Sequence[Section],
        section_of: Callable[[str], int | None],
    ) -> None:
        self._rules = rules
        self._sections = sections
        self._section_of = section_of
        self._programs: frozenset[str] = frozenset()
        self._patterns = lru_cache(maxsize=8)(self._make_patterns)

    def part(self, text: pl.Series) -> tuple[pl.DataFrame | None, pl.Series | None]:
        """Lines that are read by place, and the rows of those to be read in full (None for all of them).

        The former have `row`, `who` (host and program), `section` and `message`. A line that is in neither
        has a header and says nothing.
        """
        if len(text) < WORTHWHILE:
            return None, None
        talkative = self._learn(text)
        if not self._programs:
            return None, None
        usual, telling = self._patterns(self._programs, talkative)
        may_tell = text.str.contains(telling)
        told = _by_place(may_tell.arg_true(), text.filter(may_tell))
        sections = {who: self._section_of(who.partition(" ")[2]) for who in told["who"].unique()}
        told = told.with_columns(_numbered(told["who"], sections).alias("section"))
        own_logs = [number for number, section in enumerate(self._sections) if section.has_own_logs]
        in_full = told["message"].str.starts_with(_REPEATED)
        if (own := told["section"].is_in(own_logs)).any():
            in_full |= own & told["message"].str.contains(CARRIED)
        others = (~may_tell).arg_true()
        others = others.filter(~text.filter(~may_tell).str.contains(usual))
        if in_full.any():
            others = pl.concat([others, told["row"].filter(in_full)]).sort()
            told = told.filter(~in_full)
        return told, others

    def _learn(self, text: pl.Series) -> frozenset[int]:
        """Take note of the programs with rules that a sample names; gives the sections of most lines."""
        sample = split(text.gather_every(max(1, len(text) // _SAMPLE)))["program"].drop_nulls()
        seen: Counter[int] = Counter()
        found = set()
        for name, count in sample.value_counts(name="count").iter_rows():
            number = self._section_of(name)
            if number is not None and _NAME.fullmatch(name):
                found.add(name)
                seen[number] += count
        self._programs = (self._programs if len(self._programs) < _MOST_PROGRAMS else frozenset()) | found
        return frozenset(number for number, count in seen.items() if count >= len(sample) * _OFTEN)

    def _make_patterns(self, programs: frozenset[str], talkative: frozenset[int]) -> tuple[str, str]:
        """What has the usual header and one of these programs; what of that may be evidence.

        Only of the talkative sections is that told by how their rules begin: of many, it would be slow.
        """
        by_section: dict[int, list[str]] = {}
        for program in sorted(programs):
            number = self._section_of(program)
            if number is not None:
                by_section.setdefault(number, []).append(re.escape(program))
        written = {number: f"(?:{'|'.join(names)}){_PID}" for number, names in by_section.items()}
        telling = "|".join(
            f"{head}(?:{'|'.join(self._beginnings(number))})" if number in talkative else head
            for number, head in written.items()
        )
        return f"{_HEAD}(?:{'|'.join(written.values())})", f"{_HEAD}(?:{telling})"

    def _beginnings(self, number: int) -> Iterator[str]:
        """Patterns of which one fits every message that a rule of a section, or of a log it carries, fits."""
        section = self._sections[number]
        anywhere: dict[str, None] = {}
        for position in sorted({place for places in section.rules.values() for place in places}):
            rule, book = self._rules.rules[position], self._rules.book_of[position]
            begins, is_whole = beginning(book.prefix)
            if is_whole:
                begins += beginning(rule.pattern)[0]
            if re.match(begins, ""):
                anywhere |= dict.fromkeys(map(re.escape, rule.literals))
            else:
                yield begins
        if anywhere:
            yield f".*(?:{'|'.join(anywhere)})"
        if section.has_own_logs:
            yield CARRIED.removeprefix("^")
        yield _REPEATED


def _by_place(rows: pl.Series, lines: pl.Series) -> pl.DataFrame:
    """Lines under the usual header as `row`, `who` and `message`."""
    frame = pl.DataFrame({"row": rows, "line": lines})
    return frame.select(
        "row",
        pl.col("line").str.slice(16, pl.col("line").str.find("[", literal=True) - 16).alias("who"),
        pl.col("line").str.slice(pl.col("line").str.find("]: ", literal=True) + 3).alias("message"),
    )


def _numbered(who: pl.Series, sections: dict[str, int | None]) -> pl.Series:
    return who.replace_strict(sections, return_dtype=pl.Int16) if sections else who.cast(pl.Int16)
