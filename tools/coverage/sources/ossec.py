"""OSSEC's test lines: the level of the rule that a line must raise (`pass`) or must not raise (`fail`).

A line of level 5 and above must be an attack; one of level 3 and below, or one that must not raise a rule of
level 5 and above, must be none. Level 4, and lines that must not raise a low level, say nothing. Lines that
begin with a time are read as they are; `[error] …` lacks only Apache's time, which is put before it; anything
else gets a syslog header whose program is the file's name. Where a line names no address, and tells of nobody
on its own host, there is no origin and so no attack: those are counted as wrong and named in the note.

Levels ask for nothing at all up to level 3. The order asks what CrowdSec's scenarios ask: an attack where one
is expected, and nothing above `info` where none is.
"""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tocsin.sift.engine import Options, sift
from tocsin.sift.values import Attack
from tools.coverage.rows import Failure, Row

SOURCE = "OSSEC levels"
ORDER = "OSSEC severity order"
_LINE = re.compile(r"log \d+ (pass|fail) = (.*)")
_TIMED = re.compile(
    r"[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:|\d{4}[-/]\d\d[-/]\d\d|.*\[\d{1,2}/[A-Z][a-z]{2}/\d{4}|\[[A-Z]"
)
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|::")


class Label(NamedTuple):
    """One line and whether it must be an attack."""

    section: str
    line: str
    is_attack: bool


def judge(samples: Path) -> list[Row]:
    """Two rows per file, first all by level, then all by order."""
    judged = [_judge_file(file) for file in sorted((samples / "ossec").glob("*.ini"))]
    return [row for rows in zip(*judged, strict=True) for row in rows]


def labels(text: str) -> Iterator[Label]:
    """The lines of a test file that say something about severity."""
    section, lines = "", list[tuple[str, str]]()
    for line in text.splitlines():
        if line.startswith("["):
            section, lines = line.strip("[] "), []
        elif found := _LINE.fullmatch(line):
            lines.append((found[1], found[2]))
        elif line.startswith("alert"):
            level = int(line.partition("=")[2])
            for verdict, log in lines:
                if verdict == "pass" and level != 4:
                    yield Label(section, log, level >= 5)
                elif verdict == "fail" and level >= 5:
                    yield Label(section, log, False)


def _judge_file(file: Path) -> tuple[Row, Row]:
    row, order = Row(SOURCE, file.stem), Row(ORDER, file.stem)
    nameless = 0
    for label in labels(file.read_text(errors="replace")):
        attacks = _sift_line(_headed(label.line, file.stem))
        found = ", ".join(f"{one.severity} {one.kind} {one.origins[0]}" for one in attacks) or "nothing"
        expected = "an attack" if label.is_attack else "nothing"
        passed = bool(attacks) == label.is_attack
        row.judge(passed, Failure(f"{file.stem}: {label.section}", expected, found, (label.line,)))
        row.false_positives += bool(attacks) and not label.is_attack
        weighty = bool(attacks) if label.is_attack else any(one.severity != "info" for one in attacks)
        expected = "an attack" if label.is_attack else "nothing above info"
        failure = Failure(f"{file.stem}: {label.section}", expected, found, (label.line,))
        order.judge(weighty == label.is_attack, failure)
        order.false_positives += weighty and not label.is_attack
        nameless += label.is_attack and not passed and not _ADDRESS.search(label.line)
    if nameless:
        row.note = order.note = f"{nameless} name nobody"
    return row, order


def _headed(line: str, program: str) -> str:
    if _TIMED.match(line):
        return line
    if line.startswith("["):
        return f"[Fri Dec 13 06:59:54 2013] {line}"
    return f"Dec 13 06:59:54 host {program}[1]: {line}"


def _sift_line(line: str) -> list[Attack]:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "line.log"
        log.write_text(line + "\n")
        return list(sift([str(log)], Options(tz="UTC")).attacks)
