"""Three captured floods as nfcapd files and as what nfdump printed of them: vector, victim, totals.

Right is one attack on the victim whose vector names what the capture is called, with packets and bytes within
1 % of the capture's totals. The printed CSV holds at most 12,000 flows, so that a longer capture is judged by
its nfcapd file alone.
"""

import json
import shutil
from pathlib import Path

from tocsin.sift.engine import sift
from tools.coverage.rows import Failure, Row

SOURCE = "Netflow"
MARKS = {
    "amp.UDP.bacnet.IOT.37810": ("37810", "bacnet"),
    "amp.dns.RRSIG.fragmented": ("udp/53",),
    "pkt.TCP.synflood.spoofed": ("TCP SYN",),
}
MOST_PRINTED = 12_000


def judge(samples: Path) -> list[Row]:
    """A row for each form."""
    rows = {form: Row(SOURCE, form) for form in ("nfcapd", "csv")}
    for capture, marks in MARKS.items():
        truth = json.loads((samples / "netflow" / f"{capture}.truth.json").read_text())
        totals, victim = truth["totals"], truth["top_dst_ip"][0]["val"]
        files = {"nfcapd": f"{capture}.nfcapd.*", "csv": f"{capture}.nfdump.csv"}
        for form, pattern in files.items():
            if form == "csv" and totals["Flows"] > MOST_PRINTED:
                continue
            if form == "nfcapd" and not shutil.which("nfdump"):
                rows[form].note = "nfdump is not installed"
                continue
            (path,) = (samples / "netflow").glob(pattern)
            attacks = sift([str(path)]).attacks
            found = [(a.targets, a.vector, a.measures["packets"], a.measures["bytes"]) for a in attacks]
            passed = len(attacks) == 1 and all(
                (
                    attacks[0].targets == (victim,),
                    all(mark in attacks[0].vector for mark in marks),
                    _near(attacks[0].measures["packets"], totals["Packets"]),
                    _near(attacks[0].measures["bytes"], totals["Bytes"]),
                )
            )
            rows[form].judge(passed, Failure(capture, f"{marks} on {victim}, {totals}", str(found)))
    return list(rows.values())


def _near(found: int, expected: int) -> bool:
    return abs(found - expected) <= 0.01 * expected
