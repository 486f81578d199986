"""XARF: the official samples of version 4 and 3 are read, Abusix' verdicts on versions 1 to 3 are ours.

A report that must be read is right when it becomes exactly one attack; one that must not is right when it is
rejected with a reason.
"""

from pathlib import Path

from tocsin.sift.engine import sift
from tools.coverage.rows import Failure, Row

SOURCE = "XARF reports"


def judge(samples: Path) -> list[Row]:
    """One row per collection and verdict."""
    folder = samples / "xarf"
    rows = [_judge("version 4, official", folder / "spec-v4", True)]
    rows.append(_judge("version 3, official", folder / "spec-v3", True))
    for version in (1, 2, 3):
        for verdict in ("positive", "negative"):
            name = f"version {version}, Abusix {verdict}"
            rows.append(_judge(name, folder / f"abusix-v{version}" / verdict, verdict == "positive"))
    return rows


def _judge(name: str, folder: Path, is_good: bool) -> Row:
    row = Row(SOURCE, name)
    for file in sorted(folder.glob("*.json")):
        sifted = sift([str(file)])
        reasons = ", ".join(sifted.balance.reasons) or "no reason"
        expected = "one attack" if is_good else "rejected with a reason"
        if is_good:
            passed = len(sifted.attacks) == sifted.balance.observed == 1
        else:
            passed = not sifted.attacks and sifted.balance.rejected == 1 and bool(sifted.balance.reasons)
            row.false_positives += bool(sifted.attacks)
        row.judge(passed, Failure(file.name, expected, f"{len(sifted.attacks)} attacks; {reasons}"))
    return row
