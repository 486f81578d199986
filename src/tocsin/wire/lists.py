"""The statement that goes with a list, the classes that stand on it, and what changed on it."""

import re
from collections.abc import Iterable, Iterator

import msgspec

SIGNATURE_HEADER = "Tocsin-Signature"
CHANGES = "text/vnd.tocsin.changes; charset=utf-8"
UNNAMED = "other/other"  # the class of what is listed under none

_class = re.compile(r"[;#] class ([a-z0-9-]+/[a-z0-9-]+)\s*")
_came = re.compile(r"\+(.+?)(?: ([a-z0-9-]+/[a-z0-9-]+))?", re.DOTALL)


class ListStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A signed statement about one list.

    `name` is the list's file name, `number` grows with every change, `date` is the instant of that change and
    `expires` that at which its last value does (RFC 3339, UTC); `count` values stand on it; `sha256` is the
    digest of the list's bytes. The signature is Ed25519 (RFC 8032) over the canonical bytes of all other
    fields; `key_id` is the first 16 hex digits of the SHA-256 of the raw public key.

    With `since`, the bytes are not the list but what left it and came onto it after that instant, the date of
    an earlier number (`CHANGES`). A statement about a whole list does not have the field.
    """

    origin: str
    name: str
    number: int
    date: str
    expires: str
    count: int
    sha256: str
    key_id: str
    signature: str = ""
    since: str = ""


def class_line(mark: str, kind: str) -> str:
    """The comment that says for which class of attack (RSIT `class/type`) the values after it are listed.

    `mark` is what begins a comment in that form. Who does not know the comment reads the list all the same.
    """
    return f"{mark} class {kind or UNNAMED}\n"


def class_of(line: str) -> str | None:
    """The class that such a comment names; None for every other line."""
    found = _class.fullmatch(line)
    return found[1] if found else None


def changes(gone: Iterable[str], come: Iterable[tuple[str, str]], *, classes: bool) -> Iterator[str]:
    """What changed on a list, a value a line: `-` for what left it, all of these first, then `+`.

    What came is a value with its class, told behind a space where `classes` are asked for.
    """
    for value in gone:
        yield f"-{value}\n"
    for value, kind in come:
        yield f"+{value} {kind or UNNAMED}\n" if classes else f"+{value}\n"


def read_changes(text: str) -> tuple[list[str], list[tuple[str, str]]]:
    """What left a list, and what came onto it with its class, if told. Raises ValueError for other lines."""
    gone: list[str] = []
    come: list[tuple[str, str]] = []
    for line in text.splitlines():
        came = _came.fullmatch(line)
        if came:
            come.append((came[1], came[2] or ""))
        elif line[:1] == "-" and len(line) > 1:
            gone.append(line[1:])
        else:
            raise ValueError(f"neither gone nor come: {line[:60]!r}")
    return gone, come
