"""What can be told from the text of a pattern, so that automata and groups need not be asked.

Patterns are those of rules: the subset of RE2 and Rust (`rulebook`). What is not understood is not told.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

# What opens a group, an escape, a class, any other character; and how often it may stand.
_PART = re.compile(
    r"(?:\((?:\?(?:P<\w+>|:))?|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.)(?:(?:[*+?]|\{[0-9,]+\})\??)?", re.DOTALL
)
_OPEN = re.compile(r"(?<!\\)(?:\\\\)*(?:\.|\[\^|\\[SWD])")
_LITERAL = re.compile(r"\\?([^\\.^$|?*+()\[\]{}0-9A-Za-z])|([0-9A-Za-z])|\\([\\.^$|?*+()\[\]{}])")
_WORD = re.compile(r"\(\?P<origin>(?:(\\S\+|\[\^ \]\+)|\[0-9A-Fa-f:\.\]\*\[0-9A-Fa-f:\])\)")
_MAY_FOLLOW = re.compile(r" [*?]|\(\?: [^()|]*\)\?")  # after a word, or nothing
_QUICK = re.compile(r"(.*)\(\[\^ \]\+\)(.*)")


@dataclass(frozen=True)
class Word:
    """A word and what surrounds it: the text right before, and what is the first thing after it.

    Where `before` is a pattern that fits once only where the whole pattern does, the text in it is `length`
    long. The word ends before `after`, or with the message.
    """

    before: str
    length: int
    after: str


def beginning(pattern: str) -> tuple[str, bool]:
    """How whatever fits a pattern begins, up to where it may be anything; and whether that is all of it."""
    done = ""
    parts = _parts(pattern)
    for part in parts or ():
        if _OPEN.search(part):
            return done, False
        done += re.sub(r"\(\?P<\w+>", "(?:", part)
    return done, parts is not None


@cache
def origin_word(pattern: str, suffix: str) -> Word | None:
    """Where the origin stands in what fits a pattern with its suffix, if the text before it says so."""
    parts = _parts(pattern)
    end = _parts(suffix)
    if parts is None or end is None:
        return None
    place = next((number for number, part in enumerate(parts) if _WORD.fullmatch(part)), None)
    if place is None:
        return None
    before = _literal_end(parts[:place])
    after = _after([*parts[place + 1 :], *end])
    if not before or after is None or after in "0123456789ABCDEFabcdef:.":
        return None
    if after != " " and parts[place].startswith("(?P<origin>\\S"):
        return None  # the word itself may hold it
    if after != " " and parts[place].startswith("(?P<origin>[^ "):
        return None
    return Word(before, len(before), after)


@cache
def quick_word(pattern: str) -> Word | None:
    """The only group of a quick pattern, if that is a word after a text and before a space or the end."""
    found = _QUICK.fullmatch(pattern)
    if found is None:
        return None
    parts, rest = _parts(found[1]), _parts(found[2])
    if not parts or rest is None:
        return None
    before = _literal_end(parts, whole=True)
    if not before or (rest and _after(rest[:-1] if rest[-1] == "$" else rest) != " "):
        return None
    return Word(f"{found[1]}[^ ]{'+' if found[2] else ''}{found[2]}", len(before), " ")


def _after(parts: Sequence[str]) -> str | None:
    """The character that must come next, a space where it is that or the end; None if that is not known."""
    must = None
    for part in parts:
        if _MAY_FOLLOW.fullmatch(part):
            must = " "
            continue
        first = " " if part.startswith("(?: ") and "|" not in part else _literal(part.removesuffix("+"))
        return first if must in (None, first) else None
    return " "


def _literal_end(parts: Sequence[str], *, whole: bool = False) -> str:
    """The literal text with which parts end: of itself no end that it begins with, or the `whole` of it."""
    text = ""
    for part in reversed(parts):
        character = _literal(part)
        if character is None:
            if whole:
                return ""
            break
        text = character + text
    if whole:
        return text
    while any(text.startswith(text[size:]) for size in range(1, len(text))):
        text = text[1:]
    return text


def _literal(part: str) -> str | None:
    found = _LITERAL.fullmatch(part)
    return next(filter(None, found.groups())) if found else None


def _parts(pattern: str) -> list[str] | None:
    """The parts of a pattern, groups as a whole; None where it has alternatives or what no rule uses."""
    parts, part, depth = [], "", 0
    for match in _PART.finditer(pattern):
        piece = match[0]
        if (piece == "|" and not depth) or (piece.startswith("(?") and piece[2:3] not in ("P", ":")):
            return None
        depth += piece.startswith("(") - piece.startswith(")")
        part += piece
        if not depth:
            parts.append(part)
            part = ""
    return parts
