"""Complaints that come as prose: a table says, sender by sender, how each is known and where its facts stand.

`senders.toml` beside this module is the table; adding a sender is adding a row:

    [[forms]]
    id = "example"                        # the observations' rule: mail/example
    senders = ["example.org"]             # any of these domains wrote it
    subject = "regex"  text = "regex"     # and/or: what must occur; everything that is given must hold
    kind = "…" severity = "…"             # what it means; without them the words found by `what` decide
    service = "smtp"
    each = "regex"                        # one claim for every match; without it the mail is one claim
    sections = "regex"                    # cuts the text: its group `what` holds for what follows
    origin, at, url, what, target, count = ["regex", …]   # where the rest stands: the first that matches

Groups are named like the keys. `{ip}` stands for an address; patterns ignore case, `^` is a line's start.
`at` may span several dates: the oldest and the newest are taken. `log_lines` reads the lines of a log that
name the origin; `accuses_nobody` is for mails that are known and no
complaint, `refused` says why a mail that is known cannot be read, `zone` which zone its dates leave out.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from tocsin.wire.letters import Letter

IP = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?:\d{1,3}(?:\.\d{1,3}){3})?)"
FACTS = ("origin", "at", "url", "what", "target", "count")


@dataclass(frozen=True)
class Form:
    """One row of the table, compiled."""

    id: str
    senders: tuple[str, ...]
    subject: re.Pattern[str] | None
    text: re.Pattern[str] | None
    each: re.Pattern[str] | None
    sections: re.Pattern[str] | None
    facts: dict[str, tuple[re.Pattern[str], ...]]
    words: dict[str, str]
    kind: str = ""
    severity: str = "info"
    service: str = ""
    zone: str = ""
    log_lines: bool = False
    accuses_nobody: bool = False
    refused: str = ""

    def knows(self, letter: Letter, text: str) -> bool:
        """Whether the mail is of this form."""
        return (
            (not self.senders or any(map(letter.is_from, self.senders)))
            and (self.subject is None or self.subject.search(letter.subject) is not None)
            and (self.text is None or self.text.search(text) is not None)
        )


@lru_cache(maxsize=1)
def forms() -> tuple[Form, ...]:
    """The table, in the order in which its rows are tried."""
    text = resources.files(__name__).joinpath("senders.toml").read_text("utf-8")
    return tuple(map(_form, tomllib.loads(text)["forms"]))


def _form(row: dict[str, Any]) -> Form:
    facts = {name: tuple(map(_compile, row.pop(name, ()))) for name in FACTS}
    for name in ("subject", "text", "each", "sections"):
        row[name] = _compile(row[name]) if name in row else None
    return Form(
        **row | {"senders": tuple(row.get("senders", ())), "words": row.get("words", {})},
        facts={name: found for name, found in facts.items() if found},
    )


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("{ip}", IP), re.MULTILINE | re.IGNORECASE)
