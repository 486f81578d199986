"""How `tocsin` talks: results on standard output, all talk on standard error, lower case, no full stop.

Exit codes: 0 done, also when attacks were found; 1 something went wrong; 2 wrong usage or bad input; 3
nothing could be read; 4 not signed in or not allowed; 5 not found; 6 conflict; 7 the other side did not
answer; 8 a proof does not hold; 70 an error of the program; 130 interrupted; 141 the reader
of the output went away.
"""

import os
import sys
from typing import TextIO

from tocsin.kernel.problems import Problem

NOTHING_READ = 3
INTERNAL = 70
INTERRUPTED = 130
BROKEN_PIPE = 141

_CODES = {"red": "31", "yellow": "33", "cyan": "36", "dim": "2", "bold": "1"}


def say(text: str) -> None:
    """A line of talk."""
    sys.stderr.write(text + "\n")


def fail(problem: Problem) -> int:
    """Tell a problem; gives its exit code."""
    tell_error(problem.detail, problem.hint)
    return problem.exit_code


def tell_error(message: str, hint: str = "") -> None:
    """`tocsin: error: …` and, where there is one, `tocsin: hint: …`."""
    say(f"tocsin: {colour('error:', 'red', sys.stderr)} {_plain(message)}")
    if hint:
        say(f"tocsin: {colour('hint:', 'cyan', sys.stderr)} {_plain(hint)}")


def colour(text: str, name: str, stream: TextIO) -> str:
    """The text in a colour, where the stream is a terminal and nobody asked for none (no-color.org)."""
    if not is_terminal(stream) or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{_CODES[name]}m{text}\x1b[0m"


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody is watching."""
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def printable(text: str) -> str:
    """Text from evidence without control characters, so that a log line cannot steer the terminal."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _plain(text: str) -> str:
    """Our way of writing: one line, lower case at the start, no full stop at the end."""
    line = printable(" ".join(text.split())).removesuffix(".")
    first_word = line.split(" ", 1)[0]
    return line if first_word[1:] != first_word[1:].lower() else line[:1].lower() + line[1:]
