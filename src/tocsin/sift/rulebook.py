"""The rules that sifting applies to log lines: data in `rules/*.toml`, checked when they are loaded.

Patterns are in the subset that RE2 and Rust's regex share: no look-around, no back-references. Each rule has
one literal that must stand in a line before its pattern is tried.
"""

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from tocsin.kernel.problems import BadInput

_FORBIDDEN = re.compile(r"\(\?(?:[=!]|<[=!]|P=|\()|\\[1-9]|\(\?>|[*+?}]\+")


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
    """

    id: str
    literal: str
    pattern: str
    kind: str
    evidence: Literal["verdict", "sign", "success"]
    weight: int
    why: str
    samples: dict[str, str]
    quick: str = ""

    @property
    def counts(self) -> bool:
        """Whether the line itself says how often."""
        return "(?P<count>" in self.pattern


class Rulebook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of one service and the names under which its programs write to the log."""

    service: str
    programs: tuple[str, ...]
    log_type: str
    prefix: str
    suffix: str
    thresholds: dict[str, Thresholds]
    rules: tuple[Rule, ...]

    def full_pattern(self, rule: Rule) -> str:
        """The rule's pattern as it must match a whole message."""
        return f"^{self.prefix}(?:{rule.pattern}){self.suffix}$"


@cache
def sshd() -> Rulebook:
    """The rules for OpenSSH's server."""
    return load(resources.files("tocsin.sift.rules").joinpath("sshd.toml").read_bytes())


def load(text: bytes) -> Rulebook:
    """Read and check a rule file. Raises BadInput that names the rule at fault."""
    try:
        book = msgspec.convert(tomllib.loads(text.decode()), Rulebook)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise BadInput(f"a rule file does not hold together: {error}") from error
    for rule in book.rules:
        _check(book, rule)
    return book


def _check(book: Rulebook, rule: Rule) -> None:
    if not rule.literal:
        raise BadInput(f"rule {rule.id} has no literal")
    if _FORBIDDEN.search(rule.pattern):
        raise BadInput(f"rule {rule.id} uses what RE2 cannot do: {rule.pattern}")
    try:
        groups = re.compile(book.full_pattern(rule)).groupindex
    except re.error as error:
        raise BadInput(f"rule {rule.id} has a broken pattern: {error}") from error
    if rule.quick and rule.counts:
        raise BadInput(f"rule {rule.id} cannot be quick and count")
    if "origin" not in groups:
        raise BadInput(f"rule {rule.id} names no origin")
    if rule.evidence != "success" and rule.kind not in book.thresholds:
        raise BadInput(f"rule {rule.id} has a kind without thresholds: {rule.kind}")
    missing = [line for line, origin in rule.samples.items() if origin and rule.literal not in line]
    if missing:
        raise BadInput(f"rule {rule.id} has a sample without its literal: {missing[0]}")
