"""Suricata's EVE with broken lines: whole lines are read, broken ones rejected, none lost.

The samples hold no alerts, so an alert with a severity is added to each file, which must be found there.
"""

import json
import tempfile
from pathlib import Path

from tocsin.sift.engine import sift
from tools.coverage.rows import Failure, Row

SOURCE = "Suricata EVE"
_ALERT = {
    "timestamp": "2026-01-07T03:04:05.123456+0000", "event_type": "alert", "src_ip": "192.0.2.1",
    "dest_ip": "198.51.100.1", "proto": "TCP", "alert": {"severity": 1},
}  # fmt: skip


def judge(samples: Path) -> list[Row]:
    """One row: the files."""
    row = Row(SOURCE, "eve", note="files")
    for file in sorted((samples / "suricata").glob("*/*.json")):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, file.name)
            copy.write_bytes(file.read_bytes().rstrip(b"\n") + b"\n" + json.dumps(_ALERT).encode() + b"\n")
            content = copy.read_bytes()
            found = sift([str(copy)])
        broken = sum(not _is_json(line) for line in content.split(b"\n") if line.strip())
        answer = (found.balance.read, found.balance.rejected, [a.origins for a in found.attacks])
        expected = (content.count(b"\n"), broken, [("192.0.2.1",)])
        row.judge(answer == expected, Failure(file.name, str(expected), str(answer)))
    return [row]


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
