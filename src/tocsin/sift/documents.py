"""Mails and JSON reports as findings: one document is one piece of evidence.

A document is known by its bytes with unified line ends, so that the LF, CRLF and CR forms of one mail are
one. A mail or a file that tells of several attacks counts once for each of them. What no reader recognises
becomes an observation of kind `other/undetermined` where it names one address (`claims.guess`), and is
rejected with its reason where it names none; either way its text is kept at the desk (`unrecognised`), never
in a report. Other rejected documents are kept by path and reason alone: they are still where they were, and
may hold what must not be copied.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tocsin.sift.reported import Unusable, of_xarf
from tocsin.sift.sources import Kind
from tocsin.wire import xarf
from tocsin.wire.line_ends import unix_lines
from tocsin.wire.xarf_values import NotXarf

if TYPE_CHECKING:
    from tocsin.sift.engine import Run

_MEMBER = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?\s*|(?<=\n\n))From [^\n]*\n(?=[!-9;-~]+:)")


def read(run: "Run", path: str, kind: Kind, content: bytes) -> None:
    """Read a file of documents: `json` (one report, a list, one a line), `mail` or `mbox`."""
    content = unix_lines(content)
    if kind == "mbox":
        for line, mail in members(content):
            read_mail(run, path, line, mail)
    elif kind == "mail":
        read_mail(run, path, 1, content)
    elif is_new(run, content):
        _read_reports(run, path, content)


def read_mail(run: "Run", path: str, line: int, content: bytes) -> None:
    """Read one mail that begins at this line of some file (or is the line-th of a mailbox)."""
    from tocsin.sift.mails import read_told  # the email package takes its time to load

    content = unix_lines(content)
    if not is_new(run, content):
        return
    try:
        told = read_told(content)
    except RecursionError:
        run.rejects.add(path, line, "a mail nested too deeply")
        run.keep_unrecognised(content)
        return
    for reason in told.rejected:
        run.rejects.add(path, line, reason)
    if told.is_unrecognised:
        run.keep_unrecognised(content)
    for finding in told.findings:
        run.add(path, finding, [line], content)
    run.count(len(told.findings) or not told.rejected)  # a mail that is known and accuses nobody is noise


def is_new(run: "Run", content: bytes) -> bool:
    """Whether these bytes were not sifted before; if they were, that is counted."""
    if not run.known.has_bytes(content):
        return True
    run.balance.duplicate += 1
    run.balance.reasons["seen before"] += 1
    return False


def members(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The mails of an mbox (RFC 4155), each with the number of its first line."""
    starts = [match.span() for match in _MEMBER.finditer(content)] or [(0, 0)]
    line = 1
    ends = [*(start for start, _ in starts[1:]), len(content)]
    for (start, body), end in zip(starts, ends, strict=True):
        yield line, content[body:end]
        line += content.count(b"\n", start, end)


def _read_reports(run: "Run", path: str, content: bytes) -> None:
    try:
        documents = xarf.split(content)
    except NotXarf as why:
        run.rejects.add(path, 1, str(why))
        return
    for at, text in documents:
        try:
            finding = of_xarf(xarf.read_xarf(xarf.parse(text)))
        except (Unusable, NotXarf) as why:
            run.rejects.add(path, 1 + at, str(why))
        else:
            run.add(path, finding, [1 + at], content if len(documents) == 1 else text + b"\n")
            run.count(1)
