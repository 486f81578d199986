"""The quick ways through a block against the long way: the same lines, read in the same words."""

import random
import re
from pathlib import Path

import polars as pl
import pytest
from tests.sift.logs import FAILED, sift_text, syslog

from tocsin.sift.lines import Matcher
from tocsin.sift.patterns import beginning, origin_word, quick_word
from tocsin.sift.quick import certainly, quickly
from tocsin.sift.rulebook import ours, ruleset

RULES = ruleset()
MATCHER = Matcher(RULES)
HEADS = (
    "Nov  3 04:05:{second:02} gate {program}[{pid}]: ",
    "Nov 13 24:05:{second:02} gate.example.net {program}[{pid}]: ",
    "Nov 33 04:65:{second:02} fe80::1 {program}[{pid}]: ",
    "Nov  3 04:05:{second:02} gate: {program}[{pid}]: ",
    "Nov  3 04:05:{second:02} gate other/{program}[{pid}]: ",
    "Nov  3 04:05:{second:02} gate {program}: ",
    "<13>Nov  3 04:05:{second:02} gate {program}[{pid}]: ",
    "2025-11-03T04:05:{second:02}+01:00 gate {program}[{pid}]: ",
    "<34>1 2025-11-03T04:05:{second:02}Z gate {program} {pid} - - ",
    "",
)
NOISE = (
    "Nov  3 04:05:06 gate CRON[12]: (root) CMD (x)",
    "Nov  3 04:05:06 gate sshd[3]: pam_unix(sshd:session): session closed for user deploy",
    "Nov  3 04:05:06 gate dovecot[3]: 2025-11-03 04:05:07 Failed password for root",
    "no header",
    "",
)


def written(dice: random.Random, only: str) -> list[str]:
    """What rules' samples say, of `only` one program or of all, under all kinds of headers, among noise.

    Some of it is broken, repeated or written twice.
    """
    lines = []
    for book, rule in zip(RULES.book_of, RULES.rules, strict=True):
        if only and only not in book.programs:
            continue
        for message in list(rule.samples) * (8 if only else 1):
            program = only or dice.choice(book.programs or ("unheard-of",))
            # the first head is the usual one: half of the lines have it
            head = dice.choice([HEADS[0], dice.choice(HEADS)])
            told = dice.choice(
                [
                    message,
                    message,
                    f"message repeated 3 times: [ {message}]",
                    message[: dice.randrange(len(message) + 1)],
                    f"error: {message}",
                    f"{message} [preauth]",
                    message.replace(" ", "  ", 1),
                    message.replace(" from ", " from from ", 1),
                    f"\xe9{message}",
                ]
            )
            pid, second = dice.randrange(9999), dice.randrange(61)
            lines.append(head.format(program=program, pid=pid, second=second) + told)
    lines += dice.choices(NOISE, k=len(lines))
    dice.shuffle(lines)
    return [line.partition("\n")[0] for line in lines]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("only", ["", "sshd", "smtpd", "dovecot"])
def test_the_sieve_loses_and_adds_nothing(seed: int, only: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every matching line with all that was read in it, and every line that is none, as without the sieve."""
    lines = pl.Series(written(random.Random(seed), only))
    monkeypatch.setattr("tocsin.sift.sieve.WORTHWHILE", len(lines) + 1)
    whole, unreadable = MATCHER.find(lines)
    monkeypatch.setattr("tocsin.sift.sieve.WORTHWHILE", 1)
    monkeypatch.setattr("tocsin.sift.readings._MANY", 1)
    sieved, left_over = MATCHER.find(lines)
    assert sieved.rows() == whole.rows()
    assert left_over == unreadable
    assert whole.height > 50


def test_the_sieve_leaves_out_what_says_nothing() -> None:
    """Of lines under the usual header it passes on those that begin like evidence, and no others."""
    lines = syslog(
        [FAILED.format(origin="192.0.2.1"), "pam_unix(sshd:session): session closed for user deploy"] * 2000
    )
    told, others = MATCHER._sieve.part(pl.Series(lines.splitlines()))
    assert told is not None and others is not None
    assert told["row"].to_list() == list(range(0, 4000, 2))
    assert set(told["who"]) == {"gate sshd"}
    assert not len(others)


def test_programs_in_a_path_of_any_letters_are_read_in_full(tmp_path: Path) -> None:
    """What a log calls a program is a stranger's word, and no part of a pattern unless it is plain."""
    odd = "Nov  3 04:05:06 gate (?<é>/sshd[7]: " + FAILED.format(origin="192.0.2.1")
    sifted = sift_text(tmp_path, "\n".join([odd] * 3000), year=2025)
    assert sifted.balance.observed == 3000


def test_every_sample_begins_as_its_pattern_says() -> None:
    """The beginning of a pattern fits whatever the whole of it fits."""
    told = 0
    for book, rule in zip(RULES.book_of, RULES.rules, strict=True):
        begins, is_whole = beginning(book.prefix)
        begins += beginning(rule.pattern)[0] if is_whole else ""
        for message in rule.samples:
            if re.search(book.full_pattern(rule), message):
                assert re.match(begins, message), (rule.id, begins)
                told += bool(begins)
    assert told > 200


@pytest.mark.parametrize(
    ("pattern", "begins"),
    [
        (r"Failed (?:a|b) for .* from", "Failed (?:a|b) for "),
        (r"Invalid user x", "Invalid user x"),
        (r"(?P<origin>[0-9:]+) is bad", "(?:[0-9:]+) is bad"),
        (r"[Aa]uth\. x{1,3}y?\S+", r"[Aa]uth\. x{1,3}y?"),
        (r"a|b", ""),  # either may come first
        (r"(?i)a", ""),  # what no rule uses is not told
        (r"x[^a]b", "x"),
    ],
)
def test_a_beginning_ends_where_anything_may_stand(pattern: str, begins: str) -> None:
    """Up to the first part that is open, with options as they are."""
    assert beginning(pattern)[0] == begins


def test_a_word_is_what_the_group_holds_or_unknown() -> None:
    """For every rule of ours whose text says where its origin stands, on samples as they are and broken."""
    dice, told = random.Random(4), 0
    for book, rule in zip(RULES.book_of, RULES.rules, strict=True):
        word = origin_word(rule.pattern, book.suffix)
        if word is None or rule.local:
            continue
        messages = list(rule.samples)
        for message in rule.samples:
            for _ in range(20):
                one, other = dice.randrange(len(message) + 1), dice.randrange(len(message) + 1)
                more = dice.choice([word.before, word.after, " x", "", message[other:], message])
                messages.append(message[:one] + more + message[max(0, one - dice.randrange(9)) :])
        series = pl.Series([message for message in messages if message.isascii()], dtype=pl.String)
        series = series.filter(series.str.contains(book.full_pattern(rule)))
        held = series.str.extract_groups(book.full_pattern(rule)).struct.field("origin")
        found = certainly(series, word)
        sure = found.is_not_null()
        assert found.filter(sure).to_list() == held.filter(sure).to_list(), rule.id
        told += int(sure.sum())
    assert told > 500


@pytest.mark.parametrize(
    ("pattern", "suffix"),
    [
        (r"a(?P<origin>\S+)b", ""),  # the word itself may hold what comes next
        (r"a(?P<origin>[^ ]+)\)", ""),
        (r"(?:from )?(?P<origin>\S+) x", ""),  # nothing certain stands before it
        (r"from (?P<origin>\S+)(?:: .*)?", ""),
        (r"from (?P<origin>[0-9A-Fa-f:.]*[0-9A-Fa-f:])(?: x)?\)", ""),  # two things may come next
        (r"from (?P<origin>[0-9A-Fa-f:.]*[0-9A-Fa-f:])f", ""),
        (r"x|from (?P<origin>\S+) y", ""),
        (r"from (?P<origin>\S+)", r"\.?"),
    ],
)
def test_what_may_end_in_several_ways_is_no_word(pattern: str, suffix: str) -> None:
    """Then the pattern's own group has to say."""
    assert origin_word(pattern, suffix) is None


def test_quick_patterns_read_what_their_group_reads() -> None:
    """Those that look for a word, and any other."""
    patterns = {rule.quick for book in ours() for rule in book.rules if rule.quick}
    patterns |= {r"at ([^ ]+)\]", r"([0-9]+) x", r"from ([^ ]+) *$"}
    words = ["a from b port 3 ssh2", "a from b", " from 192.0.2.1", "x rhost=192.0.2.1 z", " rhost= rhost=1"]
    more = ["at 1] at 2]", "12 x", "é from b", "from b ", "a from b port 3 ssh2 from c port 4 ssh2", None]
    messages = pl.Series([*words, *more])
    for pattern in patterns:
        for some in (messages, messages.filter(messages.str.len_bytes() == messages.str.len_chars())):
            assert quickly(some, pattern).to_list() == some.str.extract(pattern, 1).to_list()
    assert sum(quick_word(pattern) is not None for pattern in patterns) == 4


@pytest.mark.parametrize("size", [1 << 14, 1 << 16, 1 << 20])
def test_signs_count_the_same_however_a_log_is_cut(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sign of an origin with a verdict counts nowhere, in whatever block either stands."""
    pam = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={}"
    said = [pam.format(f"192.0.2.{n % 7}") for n in range(3000)]
    said[1500] = FAILED.format(origin="192.0.2.3")
    monkeypatch.setattr("tocsin.sift.blocks.BLOCK", size)
    sifted = sift_text(tmp_path, syslog(said, at="Nov  3 04:05:{second:02}"), year=2025)
    lines = {a.origins[0]: sum(part.line_count for part in a.evidence) for a in sifted.attacks}
    assert lines["192.0.2.3"] == 1
    assert sum(lines.values()) == 3000 - sum(n % 7 == 3 for n in range(3000))
