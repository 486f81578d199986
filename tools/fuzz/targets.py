"""What is fuzzed: functions from bytes to values that may refuse input only in the ways named here.

The codecs read bytes in memory; a reader reads a file as `tocsin sift` does, its format found by content.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.conftest import samples_folder
from tests.sift import dnstap_samples, test_bad_input
from tests.sift.fuzz_seeds import READERS
from tests.sift.upstream_seeds import UPSTREAMS, upstream_documents

from tocsin.kernel.problems import BadInput
from tocsin.sift import rulebook
from tocsin.sift.engine import Options, sift
from tocsin.sift.mails import read_told
from tocsin.sift.reported import Unusable, of_xarf
from tocsin.wire import (
    arf,
    complaint_words,
    dates,
    dnstap,
    framestream,
    idea,
    letters,
    stix_in,
    xarf,
    xarf02,
)
from tocsin.wire.xarf_values import NotXarf, host_of, is_address, name_of

Refusal = tuple[type[Exception], ...]


def _reports(content: bytes) -> None:
    for _, text in xarf.split(content):
        of_xarf(xarf.read_xarf(xarf.parse(text)))


def _events(content: bytes) -> None:
    for _, text in xarf.split(content):
        idea.read_idea(xarf.parse(text))


def _words(content: bytes) -> None:
    text = content.decode("utf-8", "replace")
    dates.read_date(text)
    arf.parse_date(text)
    complaint_words.meaning_of(text)
    complaint_words.service_of_words(text)
    assert not set(name_of(text)) & set(' \n\0";')
    is_address(host_of(text))


def _tapped(content: bytes) -> None:
    """As frames, as one of dnstap's messages, and as the DNS message in one."""
    found, _ = framestream.Frames().feed(content)
    for data in (content, *(frame.data for frame in found if not frame.control)):
        message = dnstap.read(data)
        if message:
            dnstap.name_of(dnstap.question(message.dns))
            dnstap.is_own_answer(message.dns)
            dnstap.is_said_to_be_blocked(message.dns)


def _passed_on(form: str, content: bytes) -> None:
    """What another's feed holds: each entry would be taken by the exchange, or stays with a reason."""
    for made in upstream_documents(form, content):
        for entry in made.entries:
            assert stix_in.read(entry.body).modified == entry.version
            assert stix_in.values_of(stix_in.claim_of(entry.body).pattern)
        assert all(left.reason for left in made.left)


_folder = Path(tempfile.mkdtemp(prefix="tocsin-fuzzed-"))


def _sifted(reader: str, content: bytes) -> None:
    """One file under the reader's mapping: the balance adds up, what was rejected is kept."""
    mapping = rulebook.load(READERS[reader].mapping) if READERS[reader].mapping else None
    path, rejects = _folder / "input", _folder / "rejects.tsv"
    rejects.unlink(missing_ok=True)
    path.write_bytes(content)
    sifted = sift([str(path)], Options(rejects=rejects, year=2025, mapping=mapping))
    test_bad_input.check(sifted, rejects)


def reader_of(target: str) -> str | None:
    """The reader that a target is of, or None for a codec."""
    return next((name for name in READERS if target_of(name) == target), None)


def target_of(reader: str) -> str:
    """A reader's name as a word."""
    return f"sift-{reader.replace(' ', '-')}"


# Each target with the errors that are its way of refusing; anything else is a fault.
TARGETS: dict[str, tuple[Callable[[bytes], Any], Refusal]] = {
    "xarf": (_reports, (NotXarf, Unusable)),
    "xarf02": (lambda content: xarf02.read_xarf02(content.decode("utf-8", "replace")), (NotXarf,)),
    "idea": (_events, (NotXarf, idea.NotIdea)),
    "arf": (lambda content: arf.read_arf(arf.parse_mail(content)), (arf.NotArf, RecursionError)),
    "letters": (letters.open_letter, (RecursionError,)),
    "mails": (read_told, (RecursionError,)),
    "words": (_words, ()),
    "dnstap": (_tapped, (dnstap.BrokenTap,)),
    **{form: (partial(_passed_on, form), (BadInput,)) for form in UPSTREAMS},
} | {target_of(name): (partial(_sifted, name), ()) for name in READERS}


def seeds(name: str) -> list[bytes]:
    """Good input to begin with."""
    if reader := reader_of(name):
        return test_bad_input.seeds(READERS[reader], samples_folder())
    if name == "words":
        return [b"2026-01-07T03:04:05Z", b"Wed, 7 Jan 2026 03:04:05 +0100", b"port scan of 192.0.2.1"]
    if name == "dnstap":
        tap = dnstap_samples.message(dnstap_samples.answer("bad.top", 0x8583), at=1, action=1, rule=b"\1a\0")
        return [tap, dnstap_samples.framed(tap, tap)]
    if name in UPSTREAMS:
        return UPSTREAMS[name]
    mails = list(READERS["mails"].seeds.values())
    if name in ("arf", "letters", "mails", "xarf02"):
        return mails
    return [*READERS["xarf"].seeds.values(), *READERS["idea"].seeds.values()]
