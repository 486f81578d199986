"""Zeek's logs, as tab-separated values and as JSON: both forms of one log must give the same attacks.

The samples hold other traffic in each form, so each table is written out as JSON and sifted again. Right is a
log whose two forms agree attack for attack, with no line lost from the balance.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from tocsin.sift.engine import sift
from tocsin.sift.values import Sifted
from tools.coverage.rows import Failure, Row, Table

SOURCE = "Zeek"
_NUMBERS = {"time": float, "interval": float, "double": float, "count": int, "int": int, "port": int}


def judge(samples: Path) -> list[Row]:
    """A row per kind of log."""
    table = Table()
    for file in sorted((samples / "zeek").glob("*/*.log")):
        row = table.row(SOURCE, file.stem.partition("_")[0])
        lines = file.read_bytes().count(b"\n")
        found = sift([str(file)])
        balanced = found.balance.read in (lines, lines + 1) and not found.balance.rejected
        agree = True
        if file.read_bytes().startswith(b"#separator"):
            with tempfile.TemporaryDirectory() as folder:
                other = Path(folder, file.name)
                other.write_text("".join(json.dumps(record) + "\n" for record in _records(file)))
                agree = _facts(found) == _facts(sift([str(other)])) if other.stat().st_size else True
        row.judge(
            balanced and agree,
            Failure(
                f"{file.parent.name}/{file.name}", f"{lines} lines, both forms alike", str(found.balance)
            ),
        )
    return list(table.values())


def _facts(sifted: Sifted) -> list[tuple[str, int, str, str]]:
    return sorted((a.attack_id, a.count, a.first_seen_at, a.severity) for a in sifted.attacks)


def _records(file: Path) -> list[dict[str, Any]]:
    """A table's rows as Zeek's JSON writer writes them: what is unset is left out."""
    names: list[str] = []
    kinds: list[str] = []
    records = []
    for line in file.read_text(errors="replace").splitlines():
        cells = line.split("\t")
        if line.startswith("#fields"):
            names = cells[1:]
        elif line.startswith("#types"):
            kinds = cells[1:]
        elif not line.startswith("#") and len(cells) == len(names):
            told = zip(names, kinds, cells, strict=True)
            records.append(
                {name: _value(kind, cell) for name, kind, cell in told if cell not in ("-", "(empty)")}
            )
    return records


def _value(kind: str, cell: str) -> Any:
    if kind == "bool":
        return cell == "T"
    return _NUMBERS[kind](cell) if kind in _NUMBERS else cell
