"""What record rules make of one record: for `tocsin rules test` and `explain`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from tocsin.sift.origins import normalise
from tocsin.sift.recordframe import count_of, first_of, sides
from tocsin.sift.recordlines import composer
from tocsin.sift.recordplan import JsonFields, Plan, Row
from tocsin.sift.records import RecordRule, Wrapped, as_text, bare_address, test_of
from tocsin.sift.rulebook import Rulebook


@dataclass(frozen=True)
class Reading:
    """What became of a record: the rule that took it, and what it read; or the line that it carries."""

    book: Rulebook
    rule: RecordRule | Wrapped
    origin: str = ""
    target: str = ""
    time: str = ""
    count: int = 1
    weight: int = 0
    line: str = ""


def is_record(text: str) -> bool:
    """Whether a text is one JSON object."""
    try:
        return text.lstrip().startswith("{") and bool(msgspec.json.decode(text, type=dict[str, msgspec.Raw]))
    except (msgspec.DecodeError, RecursionError):
        return False


def asked_about(books: Iterable[Rulebook], text: str) -> list[Rulebook]:
    """The books by whose rules a source of such a record would be read."""
    return [book for book in books if book.marks_stand_in(text.encode())]


def read_record(books: list[Rulebook], text: str) -> Reading | None:
    """What the first rule that fits reads from a record, if a literal stands there; None where none fits."""
    plan = Plan(books)
    if not plan.fields or (plan.literals and not any(literal.decode() in text for literal in plan.literals)):
        return None
    row = JsonFields(plan.fields).row(text.encode())
    outcome = plan.outcomes[row[: plan.deciding]]
    if outcome is None:
        return None
    if outcome.wrapped:
        book = next(book for book in books if outcome.wrapped in book.wrapped)
        return Reading(book, outcome.wrapped, line=composer(plan, outcome.wrapped)(row) or "")
    book, rule = plan.rules[outcome.rule]
    origin, target = sides(plan, outcome, row)
    return Reading(
        book,
        rule,
        normalise(bare_address(origin)) or "",
        normalise(bare_address(target)) or "",
        first_of(plan, rule.time, row),
        count_of(row[plan.place[rule.count]]) if rule.count else outcome.times or 1,
        outcome.weight,
    )


def nearest(books: list[Rulebook], text: str) -> tuple[str, str] | None:
    """The rule of which most conditions hold, and the first that does not."""
    plan = Plan(books)
    if not plan.fields:
        return None
    row = JsonFields(plan.fields).row(text.encode())
    rules: list[RecordRule | Wrapped] = []
    for book in books:
        rules += [*book.records, *book.wrapped]
    _, rule_id, failed = max((_held(plan, rule, row) for rule in rules), key=lambda found: found[0])
    return (rule_id, failed) if failed else None


def _held(plan: Plan, rule: RecordRule | Wrapped, row: Row) -> tuple[int, str, str]:
    held, failed = 0, ""
    for path, condition in rule.where.items():
        value = row[plan.place[path]]
        if test_of(condition)(value):
            held += 1
        else:
            failed = failed or f"{path} = {'nothing' if value is None else as_text(value)}"
    if not failed and isinstance(rule, RecordRule) and rule.text:
        value = row[plan.place[rule.text]]
        held, failed = held + 1, f"{rule.text} = {'nothing' if value is None else as_text(value)}"
    return held, rule.id, failed


def samples(books: Iterable[Rulebook]) -> Iterator[tuple[Rulebook, RecordRule | Wrapped, str, str]]:
    """Every sample of every record rule, with what it must become."""
    for book in books:
        rules: list[RecordRule | Wrapped] = [*book.records, *book.wrapped]
        for rule in rules:
            for text, expected in rule.samples.items():
                yield book, rule, text, expected
