"""The journal's page checks receipts."""

from collections.abc import Callable

import msgspec
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.exchange import a_key, a_member, a_report, spelled

from tocsin.intake import services as intake
from tocsin.wire.report import Receipt


@pytest.fixture
def receipt(db: None) -> Receipt:
    """A real one, with the journal grown since."""
    actor = a_key(a_member())
    first = intake.submit(actor, [spelled(a_report())]).receipts[0]
    intake.submit(actor, [spelled(a_report()) for _ in range(3)])
    return first


def check(text: bytes) -> str:
    """The page after pasting it."""
    return Client().post("/journal", {"receipt": text.decode()}).content.decode()


def test_a_genuine_receipt_is_said_to_be_genuine(receipt: Receipt) -> None:
    """Pasted or sent as a file; and today's journal must continue the one it names."""
    text = msgspec.json.encode(receipt)
    for page in (
        check(text),
        Client().post("/journal", {"file": SimpleUploadedFile("r.json", text)}).content.decode(),
    ):
        assert "This receipt is genuine" in page
        assert "continues that tree" in page
        assert receipt.report_id in page


def changed(receipt: Receipt, **parts: object) -> bytes:
    """The receipt with parts replaced."""
    return msgspec.json.encode(msgspec.structs.replace(receipt, **parts))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda r: changed(r, salt="00" * 32), "commitment"),
        (
            lambda r: changed(r, content=msgspec.Raw(bytes(r.content).replace(b'"count":7', b'"count":8'))),
            "commitment",
        ),
        (lambda r: changed(r, path=("00" * 32, *r.path[1:])), "path|root"),
        (lambda r: changed(r, head=msgspec.structs.replace(r.head, signature="00" * 64)), "signature|signed"),
    ],
)
def test_a_changed_receipt_does_not_hold_and_the_part_is_named(
    receipt: Receipt, change: Callable[[Receipt], bytes], named: str
) -> None:
    """Which part was changed is said, and what to do."""
    page = check(change(receipt))
    assert "This receipt does not hold" in page
    assert any(word in page for word in named.split("|"))
    assert "This receipt is genuine" not in page


@pytest.mark.parametrize("text", [b"", b"   ", b"{", b"[]", b'{"schema":"tocsin-receipt/2"}', b"\xc3\xa9"])
def test_what_is_no_receipt_is_refused_and_stays_typed(db: None, text: bytes) -> None:
    """An error summary, never a trace."""
    answer = Client().post("/journal", {"receipt": text.decode()})
    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()


def test_a_file_that_is_no_text_is_refused(db: None) -> None:
    """Any bytes may be uploaded."""
    answer = Client().post("/journal", {"file": SimpleUploadedFile("r.json", b"\xff\xfe\x00")})
    assert answer.status_code == 422


def test_an_empty_journal_says_so(db: None) -> None:
    """Nothing to trust yet."""
    assert "The journal is empty" in Client().get("/journal").content.decode()
