"""Faults that fuzzing found: what each input means now, and that one source never stops the others."""

import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.sift.logs import FAILED, by_origin, sift_text, syslog
from tests.sift.record_samples import alert, bans, crowdsec, lines
from tests.sift.test_flows import FASTNETMON, HEADER, TEXT, flow, reflection
from tests.wire.test_arf import mail
from tests.wire.test_idea import event

from tocsin.sift import formats
from tocsin.sift.claims import _sections
from tocsin.sift.engine import FAULT, OUT_OF_TIME, Options, sift
from tocsin.sift.findings import Finding
from tocsin.sift.rejects import Kept
from tocsin.sift.replaying import Line, replay
from tocsin.sift.stamps import LATEST
from tocsin.wire.xarf_values import name_of

HUGE = 10**30
FINDING = Finding(
    "intrusion-attempts/brute-force", "192.0.2.9", "x", "ssh", 1767755045, 1767755045, why="refused"
)
GOOD = syslog([FAILED.format(origin="192.0.2.1")] * 4).encode()


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives a reader of `faulty…` files that finds one line and then fails as told."""

    def fail_with(fault: BaseException | None, finding: Finding = FINDING) -> None:
        def read(run, source, stream):  # type: ignore[no-untyped-def]
            run.add(source.path, finding, [1, 2], b"a\nb\n")
            if fault:
                raise fault
            run.count(2)

        reader = SimpleNamespace(looks_like=lambda start: start.startswith(b"faulty"), read=read)
        monkeypatch.setattr(
            formats, "reader_of", lambda start, mapping=None: reader if reader.looks_like(start) else None
        )

    return fail_with


class PanicException(BaseException):
    """What a panic in Polars is raised as."""


@pytest.mark.parametrize("fault", [ZeroDivisionError(), MemoryError(), PanicException()], ids=repr)
def test_a_fault_in_a_reader_loses_no_other_file(
    fault: BaseException, faulty: Callable[..., None], tmp_path: Path
) -> None:
    """It is one rejection by its name; what was found before it stays, and the balance adds up."""
    faulty(fault)
    (tmp_path / "a.log").write_bytes(GOOD)
    (tmp_path / "b").write_bytes(b"faulty\n")
    (tmp_path / "c.log").write_bytes(GOOD.replace(b"192.0.2.1", b"192.0.2.2"))
    sifted = sift([str(tmp_path)], Options())
    assert by_origin(sifted.attacks) == {"192.0.2.1": 4, "192.0.2.2": 4, "192.0.2.9": 2}
    assert sifted.balance.reasons == {FAULT + type(fault).__name__: 1}
    assert (sifted.balance.observed, sifted.balance.noise, sifted.balance.rejected) == (10, 0, 1)
    assert [part.read for part in sifted.inputs] == [4, 3, 4]


def test_a_fault_is_raised_for_whoever_mends_it(
    faulty: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`TOCSIN_TRACEBACK=1` shows where it is; an interrupt is never taken for one."""
    faulty(ZeroDivisionError())
    monkeypatch.setenv("TOCSIN_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        sift_text(tmp_path, "faulty")
    monkeypatch.delenv("TOCSIN_TRACEBACK")
    faulty(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        sift_text(tmp_path, "faulty")


def test_what_was_broken_off_may_be_read_again(faulty: Callable[..., None], tmp_path: Path) -> None:
    """A file whose reader failed is not taken for known when the reader was mended."""
    faulty(ZeroDivisionError())
    assert not sift_text(tmp_path, "faulty").regions


@pytest.mark.parametrize(("first", "last"), [(-1, 5), (5, LATEST + 1), (9, 5)])
def test_a_finding_out_of_all_time_is_noise(
    first: int, last: int, faulty: Callable[..., None], tmp_path: Path
) -> None:
    """Before 1970, after 9999 or backwards: told in the balance, and no attack."""
    faulty(None, replace(FINDING, first=first, last=last))
    sifted = sift_text(tmp_path, "faulty")
    assert not sifted.attacks and sifted.balance.reasons == {OUT_OF_TIME: 2}
    assert (sifted.balance.read, sifted.balance.noise) == (2, 2)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(
            FASTNETMON | {"attack_details": {**FASTNETMON["attack_details"], "total_incoming_pps": HUGE}}
        ),  # type: ignore[dict-item]
        json.dumps([crowdsec(events_count=2**63 - 1), crowdsec(events_count=2**63 - 1)]),
        json.dumps([event(ConnCount=HUGE), event(ConnCount=HUGE)]),
    ],
    ids=["fastnetmon", "crowdsec", "idea"],
)
def test_a_count_beyond_all_measure_stops_nothing(content: str, tmp_path: Path) -> None:
    """Whoever claims it: the attack is told, with a count that every database holds."""
    sifted = sift_text(tmp_path, content, "x.json")
    assert all(0 < attack.count < 1 << 63 for attack in sifted.attacks)
    assert sifted.balance.observed + sifted.balance.rejected + sifted.balance.noise > 0


def test_a_rejected_record_of_several_lines_is_kept_in_one(tmp_path: Path) -> None:
    """The file of rejects has a line for each rejection, whatever was rejected."""
    kept = tmp_path / "kept"
    sifted = sift_text(tmp_path, TEXT.replace("Attack type: ", "Attack type:"), "a.txt", rejects=kept)
    assert not sifted.balance.rejected
    sifted = sift_text(
        tmp_path, TEXT.replace(f"IP: {'203.0.113.9'}", "IP: nobody at all"), "b.txt", rejects=kept
    )
    assert (sifted.balance.rejected, kept.read_bytes().count(b"\n")) == (1, 1)


def test_fastnetmon_records_that_are_no_utf8_are_rejected(tmp_path: Path) -> None:
    """Line by line, and the others are read."""
    good = json.dumps(FASTNETMON).encode()
    sifted = sift_text(tmp_path, good + b"\n" + good.replace(b'"ban"', b'"b\xd3n"') + b"\n", "x.json")
    assert (sifted.balance.observed, sifted.balance.rejected) == (1, 1)


@pytest.mark.parametrize("field", ["sp", "ipkt", "ibyt", "ts"])
@pytest.mark.parametrize("value", ["99999999999999999999999", "nan", "1e300", "-5", "1e18"])
def test_numbers_that_no_flow_has_are_no_flow(field: str, value: str, tmp_path: Path) -> None:
    """They are rejected, or count for nothing where a flow may lack them; the others are read."""
    place = HEADER.strip().split(",").index(field)
    cells = flow("198.51.100.200").strip().split(",")
    cells[place] = value
    sifted = sift_text(tmp_path, HEADER + reflection() + ",".join(cells) + "\n", "flows.csv")
    (attack,) = sifted.attacks
    assert 240 <= attack.measures["packets"] <= 241
    assert sifted.balance.read == 241


def test_flows_in_text_that_looks_like_no_table_are_rejected_alone(tmp_path: Path) -> None:
    """Quotes and NUL bytes in some lines keep nobody from reading the rest."""
    odd = 'x"y\0,z"\n"\n'
    sifted = sift_text(tmp_path, HEADER + odd + reflection(), "flows.csv")
    assert sifted.balance.observed >= 230 and not any(FAULT in reason for reason in sifted.balance.reasons)


def test_a_database_with_damaged_names_is_no_fault(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 in a name of a table make it another table."""
    path = bans(tmp_path / "f2b", [("sshd", "192.0.2.1", 1767755045, None)])
    path.write_bytes(path.read_bytes().replace(b"bans", b"b\xffns"))
    sifted = sift([str(path)], Options())
    assert sifted.balance.rejected == 1 and not any(FAULT in reason for reason in sifted.balance.reasons)


def test_a_mail_form_without_its_sections_is_read_on() -> None:
    """A known sender whose letter has lost what its form is cut by is a letter, not a fault."""
    form = SimpleNamespace(sections=re.compile("never"))
    assert list(_sections(form, "text")) == []  # type: ignore[arg-type]


def test_numbers_too_large_for_any_float_are_read_as_none(tmp_path: Path) -> None:
    """JSON may hold whole numbers of any length where rules compare."""
    odd = alert(alert={"severity": HUGE**20, "signature": "x"})
    sifted = sift_text(tmp_path, lines([alert(), odd]), "eve.json")
    assert sifted.balance.read == 2 and not any(FAULT in reason for reason in sifted.balance.reasons)


@pytest.mark.parametrize("before", [b"\n", b" \n\n", b"\xef\xbb\xbf", b"\r\n"])
def test_a_mailbox_may_begin_with_blank_lines(before: bytes, tmp_path: Path) -> None:
    """Its mails are read all the same."""
    one = b"From a Thu Jan  1 12:00:00 2026\n" + mail()
    sifted = sift_text(tmp_path, before + one + b"\n" + one.replace(b"192.0.2.1", b"192.0.2.2"), "box")
    assert sifted.balance.read == 2 and not any(FAULT in reason for reason in sifted.balance.reasons)


def test_a_file_without_a_name_in_an_archive_is_read(tmp_path: Path) -> None:
    """What an archive calls it matters to nobody."""
    packed = zipfile.ZipFile(tmp_path / "x.zip", "w")
    packed.writestr("a", GOOD)
    packed.filelist[0].filename = packed.filelist[0].orig_filename = ""
    packed.close()
    sifted = sift([str(tmp_path)], Options())
    assert sifted.balance.read in (1, 4) and not any(FAULT in reason for reason in sifted.balance.reasons)


def test_a_damaged_archive_is_an_input_of_its_own(tmp_path: Path) -> None:
    """What the inputs say adds up to the balance."""
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 and nothing more")
    sifted = sift([str(tmp_path)], Options())
    assert [(part.read, part.rejected) for part in sifted.inputs] == [(1, 1)]


def test_a_character_set_may_be_any_text(tmp_path: Path) -> None:
    """Also one that no library looks up: the mail is read as far as it can be."""
    odd = mail().replace(b"Content-Type: text/plain", b'Content-Type: text/plain; charset="a\0b"')
    odd = odd.replace(b"charset=us-ascii", b'charset="a\0b"')
    sifted = sift_text(tmp_path, b"Subject: x\nFrom: a@example.net\n" + odd, "x.eml")
    assert sifted.balance.read >= 1 and not any(FAULT in reason for reason in sifted.balance.reasons)
    one = b'Subject: x\nFrom: a@example.net\nContent-Type: text/plain; charset="a\0b"\n\n\xff 192.0.2.1\n'
    assert sift_text(tmp_path, one, "y.eml").balance.read == 1


@pytest.mark.parametrize(
    "text", ["a\nb.example", "a b.example", 'a";.example', "a\0.example", "x..example", "."]
)
def test_what_could_break_out_of_a_zone_is_no_name(text: str) -> None:
    """Names that reports claim end in zones and rule sets of others."""
    assert name_of(text) == ""
    assert name_of("Www.Example.NET.") == "www.example.net"
    assert name_of("_dmarc.a-b.example") == "_dmarc.a-b.example"
    assert name_of("https://münchen.example/x") == "xn--mnchen-3ya.example"


def test_a_fault_in_a_part_of_a_source_keeps_the_part(faulty: Callable[..., None]) -> None:
    """It may stand nowhere else: what is replayed stays rejected, until the reader is mended."""
    faulty(ZeroDivisionError())
    rejects = Kept()
    result, _ = replay([Line("x", 3, b"faulty one"), Line("x", 4, b"faulty two")], Options(), rejects)
    assert result.still == 2
    reason = FAULT + "ZeroDivisionError"
    assert rejects.take() == [("x", 3, reason, b"faulty one"), ("x", 4, reason, b"faulty two")]
