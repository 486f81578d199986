"""Every sample of every rule through the real engine: does a rule read what its file says it reads?"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from tocsin.sift import recordproofs
from tocsin.sift.lines import Matcher
from tocsin.sift.origins import normalise
from tocsin.sift.rulebook import Rule, Rulebook, Ruleset
from tocsin.sift.shapes import BARE, REQUESTS, SYSLOG, UNDATED, WHATEVER


@dataclass(frozen=True)
class Proof:
    """What became of one sample. `origin` is what was read ("" for nothing), `by` the rule that read it.

    Where a record carries a line, that line stands for the origin.
    """

    service: str
    rule: str
    message: str
    expected: str
    origin: str
    by: str

    @property
    def holds(self) -> bool:
        """The rule read the origin that its sample names; a near miss is nobody's, or another rule's."""
        if not self.expected:
            return self.by != self.rule or not self.origin
        return self.by == self.rule and self.origin in (normalise(self.expected) or "", self.expected)


def prove(rules: Ruleset, books: Iterable[Rulebook]) -> Iterator[Proof]:
    """Try all samples of these books among all `rules`, in every form in which a book's lines come."""
    books = list(books)
    yield from _prove_lines(rules, books)
    yield from _prove_records(rules, books)


def _prove_records(rules: Ruleset, books: Iterable[Rulebook]) -> Iterator[Proof]:
    for book, rule, text, expected in recordproofs.samples(books):
        asked = recordproofs.asked_about(rules.books, text)
        found = recordproofs.read_record(asked, text) if book in asked else None
        by, read = (found.rule.id, found.line or found.origin) if found else ("", "")
        yield Proof(book.service, rule.id, text, expected, read, by)


def _prove_lines(rules: Ruleset, books: Iterable[Rulebook]) -> Iterator[Proof]:
    samples = [
        (book, rule, message, expected, line)
        for book in books
        for rule in book.rules
        for message, expected in rule.samples.items()
        for line in lines(book, message)
    ]
    text = pl.Series([sample[-1] for sample in samples], dtype=pl.String)
    found = Matcher(rules).find(text)[0]
    read = {row: (rules.rules[rule].id, normalise(origin) or "") for row, rule, origin in _rows(found)}
    proofs: dict[tuple[str, str, str], Proof] = {}
    for row, (book, rule, message, expected, _) in enumerate(samples):
        by, origin = read.get(row, ("", ""))
        proof = Proof(book.service, rule.id, message, expected, origin, by)
        key = (book.service, rule.id, message)
        before = proofs.setdefault(key, proof)
        if _says_more(proof, before, rule):
            proofs[key] = proof
    yield from proofs.values()


def lines(book: Rulebook, message: str) -> Iterator[str]:
    """Log lines that hold the message: one as the book's first program writes it, one for each shape."""
    if book.programs or SYSLOG in book.shapes:
        program = book.programs[0] if book.programs else "program"
        yield f"Jan  7 03:04:05 gate {program}[1]: {message}"
    for shape in book.shapes:
        if shape in (WHATEVER, REQUESTS):
            yield message
            yield BARE["bsd"].example.format(message=message)
        elif shape == UNDATED:
            yield message
        elif shape in BARE:
            yield BARE[shape].example.format(message=message)


def _rows(found: pl.DataFrame) -> Iterator[tuple[int, int, str]]:
    return found.select("row", "rule", "origin").iter_rows()


def _says_more(proof: Proof, before: Proof, rule: Rule) -> bool:
    """Of several forms, one in which the rule matched decides; else one that another rule took."""
    return (proof.by == rule.id, bool(proof.by)) > (before.by == rule.id, bool(before.by))
