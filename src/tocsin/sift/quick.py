"""What the first group of a quick pattern holds, found without a group where the pattern allows it.

Groups cost several times what it takes to say where a pattern fits. Most quick patterns look for a word: a
text before it, the word, then a space or the end. That is a place and the next space.
"""

import re
from functools import lru_cache

import polars as pl

# A text, a word as the only group, and then nothing, the end, a space, or one of the two behind an option.
_WORD = re.compile(
    r"(?P<before>(?:[^\\.^$|?*+()\[\]{}]|\\[^0-9A-Za-z])+)\(\[\^ \]\+\)(?P<after>|\$| (?!\*|\?|\{)[^()]*|\(\?: (?!\*|\?|\{)[^()|]*\)\?\$)"
)


def quickly(messages: pl.Series, pattern: str) -> pl.Series:
    """The first group of a pattern in each message, None where it does not fit."""
    word = _word(pattern)
    if word is None or messages.str.len_bytes().sum() != messages.str.len_chars().sum():
        return messages.str.extract(pattern, 1)
    place, length = word
    tail = pl.col("tail").str
    return (
        messages.to_frame("message")
        .select(tail=pl.col("message").str.slice(pl.col("message").str.find(place) + length))
        .select(pl.when(pl.col("tail").is_not_null()).then(tail.slice(0, tail.find(" ", literal=True))))
        .to_series()
    )


@lru_cache(maxsize=1000)
def _word(pattern: str) -> tuple[str, int] | None:
    """A pattern without groups that says where the text before the word begins, and the length of that text."""
    parts = _WORD.fullmatch(pattern)
    if parts is None:
        return None
    before = parts["before"]
    return f"{before}[^ ]{'+' if parts['after'] else ''}{parts['after']}", len(re.sub(r"\\(.)", r"\1", before))
