"""Mutated and truncated input of every format: counted, kept, never a traceback."""

import gzip
import json
import os
import random
from pathlib import Path

import pytest
from tests.sift.logs import FAILED, syslog
from tests.sift.test_mails import CSV, FORMS, letter
from tests.sift.test_shapes import MESSAGE, SHAPES
from tests.wire.test_arf import mail
from tests.wire.test_idea import event
from tests.wire.test_xarf02 import PART
from tests.wire.test_xarf_older import older
from tests.wire.xarf_samples import report

from tocsin.sift.engine import Options, sift

ROUNDS = 20_000 if os.environ.get("TOCSIN_SOAK") == "1" else 1_000
BATCH = 50
TOGETHER = 10  # so many mutations of a log stand in one file: what is broken is lines, not files
LOG = syslog([FAILED.format(origin=f"192.0.2.{n}") for n in range(8)] + ["hello"]).encode()
EXPORT = b"".join(
    f"__CURSOR=s={n}\n__REALTIME_TIMESTAMP=17653497{n}6123456\n_HOSTNAME=g\nSYSLOG_IDENTIFIER=sshd\n".encode()
    + b"X\n" + (3).to_bytes(8, "little") + b"a\nb\n" + f"MESSAGE={MESSAGE}\n\n".encode()
    for n in range(4)
)  # fmt: skip
JOURNAL = "\n".join(line for line, _, _ in SHAPES if line.startswith("{")).encode()
FORMATS = {
    "log": LOG,
    "shapes": "\n".join(line for line, _, _ in SHAPES if not line.startswith(("{", "_", "\ufeff"))).encode(),
    "gzip": gzip.compress(LOG, mtime=0),
    "journal-export": EXPORT,
    "journal-json": JOURNAL,
    "arf": mail(),
    "mbox": b"From a Thu Jan  1 12:00:00 2026\n" + mail() + b"\nFrom b Thu Jan  1 12:00:00 2026\n" + mail(),
    "x-arf": letter(
        "reporter.example", "x", "hi", f"Content-Type: text/plain; name=r.txt\n\n{PART}"
    ).encode(),
    "prose": letter(*FORMS["a log of a web server"][0]).encode(),
    "unknown-mail": letter("somebody.example", "about 192.0.2.1", "it is bad").encode(),
    "shadowserver": CSV.encode() * 3,
    "shadowserver-mail": letter(
        "shadowserver.org", "x", "hi", f"Content-Type: text/csv; name=scan_dns.csv\n\n{CSV}"
    ).encode(),
    "xarf-older": json.dumps(older()).encode(),
    "idea": json.dumps([event(), event(Category=["Availability.DoS"])]).encode(),
    "idea-lines": b"\n".join(json.dumps(event(ConnCount=n)).encode() for n in (1, 2)),
    "xarf": json.dumps(report("connection", "login_attack")).encode(),
    "xarf-lines": b"\n".join(json.dumps(report("content", name)).encode() for name in ("phishing", "csam")),
}


def mutate(content: bytes, chance: random.Random) -> bytes:
    """The content cut, doubled, overwritten or shuffled somewhere."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(data) + 1)
        length = chance.choice((1, 1, 2, 8, 64))
        match chance.randrange(6):
            case 0:
                del data[place:]
            case 1:
                del data[place : place + length]
            case 2:
                data[place : place + length] = chance.randbytes(length)
            case 3:
                data[place:place] = data[place : place + length]
            case 4:
                data[place:place] = chance.choice(
                    (b"\n", b"\r", b"\0", b"\xff", b'"', b"{", b": ", b" from ", b"]")
                )
            case 5:
                data[place : place + 1] = (
                    bytes([data[place] ^ 1 << chance.randrange(8)]) if place < len(data) else b""
                )
    return bytes(data)


@pytest.mark.soak
@pytest.mark.parametrize("name", FORMATS)
def test_broken_input_is_counted_and_kept(tmp_path: Path, name: str) -> None:
    """A thousand mutations of each format: a result or a rejection each, and the balance adds up."""
    chance = random.Random(name)
    for batch in range(ROUNDS // BATCH):
        folder = tmp_path / str(batch)
        folder.mkdir()
        together = TOGETHER if name in ("log", "shapes", "journal-export", "journal-json") else 1
        for number in range(BATCH // together):
            mutants = [mutate(FORMATS[name], chance) for _ in range(together)]
            (folder / f"{number:03}").write_bytes(b"\n".join(mutants))
        sifted = sift([str(folder)], Options(rejects=tmp_path / f"{batch}.tsv", year=2025))
        balance = sifted.balance
        kept = (tmp_path / f"{batch}.tsv").read_bytes().count(b"\n") if sifted.rejected_file else 0
        assert kept == balance.rejected
        assert min(balance.observed, balance.noise, balance.duplicate, balance.rejected) >= 0
        assert balance.observed == sum(
            part.line_count for attack in sifted.attacks for part in attack.evidence
        )
        assert balance.read >= BATCH // together
        assert all(attack.vector or attack.origins[0] for attack in sifted.attacks)


def test_the_unbroken_formats_give_attacks(tmp_path: Path) -> None:
    """The seeds of the mutations are good: otherwise the test above would test little."""
    for name, content in FORMATS.items():
        (tmp_path / name).write_bytes(content)
        sifted = sift([str(tmp_path / name)], Options(year=2025))
        assert sifted.attacks, name
        assert sifted.balance.rejected == 0, (name, sifted.balance)
