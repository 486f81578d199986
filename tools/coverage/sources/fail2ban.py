"""fail2ban's labelled lines: whether each must fire, for which host and at what time.

A file is sifted whole, as one that last changed on 14 August 2005: lines without a year mean the year
before that day, in Europe/Zurich. What only says again what another line of the file said (a `sign`) is
no observation there, so a line that gave none is sifted once more by itself before it counts as wrong.
"""

import datetime as dt
import json
import os
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

from tocsin.sift.engine import Options, sift
from tocsin.sift.origins import normalise
from tocsin.sift.rulebook import ruleset
from tocsin.sift.values import Observation
from tools.coverage.rows import Failure, Row

SOURCE = "fail2ban lines"
ZONE = "Europe/Zurich"
CHANGED_AT = dt.datetime(2005, 8, 14, 12, tzinfo=ZoneInfo(ZONE)).timestamp()


def judge(samples: Path) -> list[Row]:
    """One row per jail."""
    weak = {rule.id for rule in ruleset().rules if rule.evidence != "verdict"}
    return [_judge_jail(log, weak) for log in sorted((samples / "fail2ban").glob("*.log"))]


def _judge_jail(log: Path, weak: set[str]) -> Row:
    row = Row(SOURCE, log.stem)
    lines = log.read_bytes().split(b"\n")
    told = [json.loads(line) for line in log.with_suffix(".expected.jsonl").read_text().splitlines()]
    found = _observe(log.read_bytes())
    timed = times = 0
    for label in told:
        number = label["line"]
        text = lines[number - 1].decode(errors="replace")
        seen = found.get(number) or _observe(lines[number - 1] + b"\n").get(1, [])
        if not label["match"]:
            verdicts = [o for o in found.get(number, ()) if o.rule not in weak]
            row.false_positives += bool(verdicts)
            failure = Failure(f"{log.stem}:{number}", "nothing", _told(verdicts), (text,))
            row.judge(not verdicts, failure)
            continue
        host = normalise(label["host"] or "")
        hits = [o for o in seen if o.origin == host]
        row.judge(bool(hits), Failure(f"{log.stem}:{number}", str(host), _told(seen), (text,)))
        if hits and label["time"]:
            times += 1
            timed += any(_local(o) == label["time"].partition(".")[0] for o in hits)
    row.note = f"time {timed}/{times}"
    return row


def _observe(content: bytes) -> dict[int, list[Observation]]:
    found: dict[int, list[Observation]] = {}

    def keep(observations: object) -> None:
        for one in observations:  # type: ignore[attr-defined]
            found.setdefault(one.line, []).append(one)

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "a.log"
        log.write_bytes(content)
        os.utime(log, (CHANGED_AT, CHANGED_AT))
        sift([str(log)], Options(tz=ZONE, observations=keep))
    return found


def _local(observation: Observation) -> str:
    at = dt.datetime.fromisoformat(observation.seen_at).astimezone(ZoneInfo(ZONE))
    return at.strftime("%Y-%m-%dT%H:%M:%S")


def _told(observations: list[Observation]) -> str:
    return ", ".join(f"{o.origin} ({o.rule})" for o in observations) or "nothing"
