"""fail2ban's labelled lines: whether each must fire, for which host and at what time.

A file is sifted whole. What only says again what another line of the file said (a `sign`) is no observation
there, so a line that gave none is sifted once more by itself before it counts as wrong. Lines without a year
mean 2005, Europe/Zurich.
"""

import datetime as dt
import json
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

from tocsin.sift.engine import Options, sift
from tocsin.sift.origins import normalise
from tocsin.sift.rulebook import ruleset
from tocsin.sift.values import Observation
from tools.coverage.rows import Failure, Row

SOURCE = "fail2ban lines"
YEAR, ZONE = 2005, "Europe/Zurich"


def judge(samples: Path) -> list[Row]:
    """One row per jail."""
    weak = {rule.id for rule in ruleset().rules if rule.evidence != "verdict"}
    return [_judge_jail(log, weak) for log in sorted((samples / "fail2ban").glob("*.log"))]


def _judge_jail(log: Path, weak: set[str]) -> Row:
    row = Row(SOURCE, log.stem)
    lines = log.read_bytes().split(b"\n")
    told = [json.loads(line) for line in log.with_suffix(".expected.jsonl").read_text().splitlines()]
    found = _observe(log)
    timed = times = 0
    for label in told:
        number = label["line"]
        text = lines[number - 1].decode(errors="replace")
        seen = found.get(number) or _observe_alone(lines[number - 1])
        if not label["match"]:
            verdicts = [o for o in found.get(number, ()) if o.rule not in weak]
            row.false_positives += bool(verdicts)
            failure = Failure(f"{log.stem}:{number}", "nothing", _told(verdicts), (text,))
            row.judge(not verdicts, failure)
            continue
        host = normalise(label["host"] or "")
        hits = [o for o in seen if o.origin == host]
        row.judge(bool(hits), Failure(f"{log.stem}:{number}", str(host), _told(seen), (text,)))
        times += bool(hits)
        timed += any(_local(o) == label["time"] for o in hits)
    row.note = f"time {timed}/{times}"
    return row


def _observe(log: Path) -> dict[int, list[Observation]]:
    found: dict[int, list[Observation]] = {}

    def keep(observations: object) -> None:
        for one in observations:  # type: ignore[attr-defined]
            found.setdefault(one.line, []).append(one)

    sift([str(log)], Options(year=YEAR, tz=ZONE, observations=keep))
    return found


def _observe_alone(line: bytes) -> list[Observation]:
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder) / "line.log"
        alone.write_bytes(line + b"\n")
        return _observe(alone).get(1, [])


def _local(observation: Observation) -> str:
    at = dt.datetime.fromisoformat(observation.seen_at).astimezone(ZoneInfo(ZONE))
    return at.strftime("%Y-%m-%dT%H:%M:%S")


def _told(observations: list[Observation]) -> str:
    return ", ".join(f"{o.origin} ({o.rule})" for o in observations) or "nothing"
