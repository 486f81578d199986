"""Words in messages, found without groups: these cost several times what it takes to say where they stand."""

import polars as pl

from tocsin.sift.patterns import Word, quick_word


def quickly(messages: pl.Series, pattern: str) -> pl.Series:
    """The first group of a pattern in each message, None where it does not fit."""
    word = quick_word(pattern)
    if word is None or not _is_ascii(messages):
        return messages.str.extract(pattern, 1)
    return _words(messages, messages.str.find(word.before), word)


def certainly(messages: pl.Series, word: Word) -> pl.Series:
    """The word in each message in which only one text can stand before it, None in all others."""
    if not _is_ascii(messages):
        return messages.clear().extend_constant(None, len(messages))
    once = messages.str.count_matches(word.before, literal=True) == 1
    found = _words(messages, messages.str.find(word.before, literal=True), word)
    return found if once.all() else found.set(~once, None)


def _words(messages: pl.Series, places: pl.Series, word: Word) -> pl.Series:
    frame = pl.DataFrame({"message": messages, "place": places})
    tail = pl.col("tail").str
    return (
        frame.select(tail=pl.col("message").str.slice(pl.col("place") + word.length))
        .select(
            pl.when(pl.col("tail").is_not_null()).then(tail.slice(0, tail.find(word.after, literal=True)))
        )
        .to_series()
    )


def _is_ascii(messages: pl.Series) -> bool:
    """Whether places are the same in bytes and in characters."""
    return bool(messages.str.len_bytes().sum() == messages.str.len_chars().sum())
