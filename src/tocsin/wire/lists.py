"""The statement that goes with a list: what it is, which number, and whose word that is."""

from collections.abc import Iterable, Iterator

import msgspec

SIGNATURE_HEADER = "Tocsin-Signature"
CHANGES = "text/vnd.tocsin.changes; charset=utf-8"


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


def changes(gone: Iterable[str], come: Iterable[str]) -> Iterator[str]:
    """What changed on a list, a value a line: `-` for what left it, all of these first, then `+`."""
    for value in gone:
        yield f"-{value}\n"
    for value in come:
        yield f"+{value}\n"


def read_changes(text: str) -> tuple[list[str], list[str]]:
    """What left a list and what came onto it. Raises ValueError where a line is neither."""
    gone: list[str] = []
    come: list[str] = []
    for line in text.splitlines():
        if line[:1] not in ("-", "+") or len(line) < 2:
            raise ValueError(f"neither gone nor come: {line[:60]!r}")
        (gone if line[0] == "-" else come).append(line[1:])
    return gone, come
