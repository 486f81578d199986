"""Where evidence comes from, and what is done with what is none."""

import gzip
import io
import lzma
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from tests.sift.logs import FAILED, by_origin, sift_text, syslog

from tocsin.kernel.problems import BadInput
from tocsin.sift.engine import Options, sift
from tocsin.sift.regions import region_of
from tocsin.sift.sources import recognise

FAIL = FAILED.format(origin="192.0.2.1")
TEXT = syslog([FAIL] * 4).encode()


def test_a_folder_is_read_whole_compressed_or_not(tmp_path: Path) -> None:
    """In sorted order, at any depth, gzip by its first bytes and not by its name."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "a").write_bytes(TEXT)
    (tmp_path / "deep" / "er" / "b").write_bytes(gzip.compress(TEXT.replace(b"192.0.2.1", b"192.0.2.2")))
    assert by_origin(sift([str(tmp_path)]).attacks) == {"192.0.2.1": 4, "192.0.2.2": 4}


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` stands for it; gzipped or not."""
    for content in (TEXT, gzip.compress(TEXT)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert by_origin(sift(["-"]).attacks) == {"192.0.2.1": 4}


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    """As `cat a.gz b.gz` makes them (RFC 1952, section 2.2)."""
    lines = TEXT.splitlines(keepends=True)
    both = gzip.compress(b"".join(lines[:2])) + gzip.compress(b"".join(lines[2:])) + b"\0" * 10
    sifted = sift_text(tmp_path, both)
    assert sifted.balance.observed == 4
    assert sifted.balance.rejected == 0


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstandard.compress], ids=["gz", "xz", "zst"])
def test_any_compression_is_known_by_its_bytes(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """Whatever the file is called; a cut copy keeps what could be read and says so; damage is told."""
    assert by_origin(sift_text(tmp_path, pack(TEXT), "plain.log").attacks) == {"192.0.2.1": 4}
    long = pack(syslog([FAILED.format(origin=f"192.0.{n % 200}.{n % 250}") for n in range(60_000)]).encode())
    cut = sift_text(tmp_path, long[: len(long) * 9 // 10])
    assert cut.balance.observed > 20_000
    assert cut.balance.reasons["compressed file is cut short"] == 1
    spoiled = sift_text(tmp_path, long[:6] + bytes(byte ^ 0x55 for byte in long[6:300]) + long[300:])
    assert any("compressed" in reason for reason in spoiled.balance.reasons)


def test_the_files_in_an_archive_are_read(tmp_path: Path) -> None:
    """Each is a source of its own, compressed or not; what cannot be opened is told and stops nothing."""
    archive = tmp_path / "logs.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("var/log/auth.log", TEXT)
        packed.writestr("var/log/auth.log.1.gz", gzip.compress(TEXT.replace(b"192.0.2.1", b"192.0.2.2")))
        packed.writestr("empty.txt", b"")
    sifted = sift([str(archive)])
    assert by_origin(sifted.attacks) == {"192.0.2.1": 4, "192.0.2.2": 4}
    assert sifted.attacks[0].evidence[0].path.startswith(f"{archive}/var/log/auth.log")
    assert sifted.balance.reasons == {"empty": 1}
    archive.write_bytes(archive.read_bytes()[:200])
    assert sift([str(archive)]).balance.reasons == {"a damaged archive": 1}


def test_an_archive_whose_table_was_lost_is_no_empty_one(tmp_path: Path) -> None:
    """A table of contents that says “nothing” over bytes that are there hides nothing without a word."""
    archive = tmp_path / "logs.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("auth.log", "x\n" * 20)
    content = bytearray(archive.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    content[end + 8 : end + 16] = bytes(8)  # no entries, in a table of no length
    archive.write_bytes(content)
    assert sift([str(archive)]).balance.reasons == {"a damaged archive": 1}


def test_a_decompression_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no log could unpack to is given up with a reason, long before it fills anything."""
    monkeypatch.setattr("tocsin.sift.sources.BOMB_BYTES", 4 << 20)
    line = syslog([FAIL]).encode()
    sifted = sift_text(tmp_path, zstandard.compress(line * 400_000))
    assert "a decompression bomb: it unpacks to more than 500 times its size" in sifted.balance.reasons
    assert sifted.balance.observed < 400_000


def test_a_cut_gzip_keeps_what_could_be_read(tmp_path: Path) -> None:
    """What came before the cut is evidence, the cut is a counted rejection."""
    packed = gzip.compress(syslog([FAILED.format(origin=f"192.0.2.{n % 250}") for n in range(5000)]).encode())
    sifted = sift_text(tmp_path, packed[: len(packed) // 2])
    assert 1000 < sifted.balance.observed < 5000
    assert sifted.balance.reasons["compressed file is cut short"] == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\x7fELF\0\0\1\2", "binary: no log, mail or report"),
        (b"hello\nworld\n", "no log, mail or report of a kind that is known"),
        (b'{"a": 1', "broken JSON"),
        (b"[]", "JSON that is no report"),
    ],
)
def test_what_is_no_evidence_is_a_counted_rejection(tmp_path: Path, content: bytes, reason: str) -> None:
    """One for the file, with its reason, and the run goes on."""
    (tmp_path / "a").write_bytes(content)
    (tmp_path / "b").write_bytes(TEXT)
    sifted = sift([str(tmp_path)])
    assert sifted.balance.reasons == {reason: 1}
    assert (sifted.balance.rejected, sifted.balance.observed) == (1, 4)


def test_what_cannot_be_opened_is_a_counted_rejection(tmp_path: Path) -> None:
    """A missing path, a dangling link, a pipe in a folder: named, never waited for."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("nowhere")
    sifted = sift([str(tmp_path), str(tmp_path / "missing")])
    assert sifted.balance.reasons == {"no such file": 2, "not a regular file": 1}


def test_a_copy_is_a_duplicate_even_compressed(tmp_path: Path) -> None:
    """The same bytes under another name count once, and never as other lines that read the same."""
    (tmp_path / "a").write_bytes(TEXT)
    (tmp_path / "b").write_bytes(gzip.compress(TEXT))
    sifted = sift([str(tmp_path)])
    assert (sifted.balance.observed, sifted.balance.duplicate) == (4, 4)
    again = sift([str(tmp_path / "a")], Options(known=sifted.regions))
    assert (again.attacks, again.balance.duplicate, again.balance.read) == ([], 4, 4)


@pytest.mark.parametrize("ending", [b"\n", b""], ids=["whole last line", "last line cut"])
def test_a_grown_file_is_read_from_behind_what_is_known(tmp_path: Path, ending: bytes) -> None:
    """Run after run, each line once, with its number in the file."""
    path, known, observed = tmp_path / "auth.log", [], []
    content = b""
    for round_ in range(3):
        content += syslog([FAIL] * 3, host=f"gate{round_}").encode()
        path.write_bytes(content.removesuffix(b"\n") + ending)
        sifted = sift([str(path)], Options(known=known))
        known += sifted.regions
        observed.append(sorted(line for attack in sifted.attacks for line in attack.evidence[0].lines))
    seen_cut = [] if ending else [[3], [6]]  # a line that was cut is read again when it is whole
    assert observed == [
        [1, 2, 3],
        *(a + b for a, b in zip(seen_cut or [[], []], [[4, 5, 6], [7, 8, 9]], strict=True)),
    ]
    assert sift([str(path)], Options(known=known)).balance.observed == 0


def test_a_grown_journal_keeps_its_line_numbers(tmp_path: Path) -> None:
    """The numbers are those of the file, also of journald's formats."""
    record = (
        '{"__REALTIME_TIMESTAMP":"%d","_HOSTNAME":"g","SYSLOG_IDENTIFIER":"sshd","MESSAGE":"' + FAIL + '"}\n'
    )
    path = tmp_path / "journal.json"
    path.write_text(record % 1765349746000000 + record % 1765349747000000)
    known = sift([str(path)]).regions
    path.write_text(path.read_text() + record % 1765349748000000)
    (attack,) = sift([str(path)], Options(known=known)).attacks
    assert attack.evidence[0].lines == (3,)


def test_rejects_that_cannot_be_kept_are_a_problem(tmp_path: Path) -> None:
    """Nothing is dropped silently."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="cannot be kept"):
        sift([str(tmp_path / "file")], Options(rejects=tmp_path / "file" / "rejects.tsv"))


def test_the_same_words_twice_are_not_a_duplicate(tmp_path: Path) -> None:
    """Only the same region of evidence is: two lines that read the same are two acts."""
    line = TEXT.splitlines(keepends=True)[0]
    assert sift_text(tmp_path, line * 2).balance.observed == 2


def test_a_region_is_known_by_its_head_and_its_digest() -> None:
    """Two regions of the same head differ by what follows."""
    long, longer = b"x" * 5000, b"x" * 5001
    assert region_of(long).head == region_of(longer).head
    assert region_of(long) != region_of(longer)


def test_a_line_longer_than_a_block_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded by the block; the lines around it are read with their numbers."""
    monkeypatch.setattr("tocsin.sift.blocks.BLOCK", 4096)
    first, *rest = TEXT.splitlines(keepends=True)
    sifted = sift_text(tmp_path, first + b"y" * 10_000 + b"\n" + b"".join(rest))
    assert sifted.balance.reasons == {"a line of more than 16 MB": 1}
    assert sifted.attacks[0].evidence[0].lines == (1, 3, 4, 5)


@pytest.mark.parametrize("size", [150, 300, 1000])
def test_where_blocks_are_cut_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Attacks, line numbers and digests are those of one block."""
    text = syslog([FAILED.format(origin=f"192.0.2.{n % 7}") for n in range(60)])
    whole = sift_text(tmp_path, text)
    monkeypatch.setattr("tocsin.sift.blocks.BLOCK", size)
    cut = sift_text(tmp_path, text)
    assert cut.attacks == whole.attacks
    assert cut.regions == whole.regions


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"Dec 10 06:55:46 gate sshd[1]: x\n", "log"),
        (b"Return-Path: <a@b>\r\nFrom: a@b\r\n\r\nx", "mail"),
        (b"Subject: x\rFrom: a@b\r\rx", "mail"),
        (b"From a@b Thu Apr 29 2009\nSubject: x\n\n", "mbox"),
        (b'{"xarf_version": "4.0.0"}', "json"),
        (b'\xef\xbb\xbf [{"xarf_version": "4.0.0"}]', "json"),
        (b'{"__REALTIME_TIMESTAMP":"1"}', "journal-json"),
        (b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1\n", "journal-export"),
        (b"Warning: not a mail\nat all\n", "unknown"),
        (b"\0\0", "binary"),
    ],
)
def test_what_a_source_is_shows_in_its_content(start: bytes, kind: str) -> None:
    """Nobody is ever asked for a format."""
    assert recognise(start) == kind
