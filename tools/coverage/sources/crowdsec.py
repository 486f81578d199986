"""CrowdSec's cases: a log, and the addresses that must raise an incident or the events that were parsed.

A scenario is answered right when every address that it lists is an attack's origin, no origin stands outside
the log's own text, no key has two attacks, and nothing is above `info` where nothing is expected. Their
thresholds are theirs: what else of the log we find is judged by the log's text alone. Of the cases with
parsed events alone, an event counts whose fields say that it was refused, blocked or hostile: its address
must be among our origins.
"""

import ipaddress
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tocsin.sift.engine import Options, sift
from tocsin.sift.values import Attack
from tools.coverage.rows import Failure, Row, Table

SCENARIOS = "CrowdSec scenarios"
EVENTS = "CrowdSec events"
_TELLING = (
    "log_type", "sub_type", "subtype", "log_type_enh", "dovecot_login_result", "action", "pregreet",
    "metric_name", "amavis_category",
)  # fmt: skip
_HOSTILE = re.compile(
    "fail|bad_|drop|denied|reject|spam|infected|blacklist|invalid|alert|timeout|refused|dispatch|pregreet"
    "|non-smtp|attempt|tcp_syn",
    re.IGNORECASE,
)


def judge(samples: Path) -> list[Row]:
    """Two tables' rows: scenarios, and events of the cases that have no scenario."""
    table = Table()
    for case in sorted((samples / "crowdsec").iterdir()):
        config = (case / "config.yaml").read_text()
        log = case / _setting(config, "log_file")
        attacks = sift([str(log)], Options(tz="UTC")).attacks
        service = _service(config)
        scenario = case / "scenario.assert.json"
        if scenario.exists() and (told := json.loads(scenario.read_text())) and _is_judged(told):
            _judge_scenario(table.row(SCENARIOS, service), case.name, log, told, attacks)
        elif (parsed := case / "parser.assert.json").exists():
            _judge_events(table, service, case.name, log, json.loads(parsed.read_text()), attacks)
    return sorted(table.values(), key=lambda row: (row.source != SCENARIOS, row.service))


def scenarios(samples: Path) -> Iterator[tuple[str, Path, set[str]]]:
    """Service, log and expected addresses of every case that is judged as a scenario."""
    for case in sorted((samples / "crowdsec").iterdir()):
        scenario = case / "scenario.assert.json"
        if scenario.exists() and _is_judged(told := json.loads(scenario.read_text())):
            config = (case / "config.yaml").read_text()
            yield _service(config), case / _setting(config, "log_file"), expected_addresses(told)


def expected_addresses(told: dict[str, Any]) -> set[str]:
    """The addresses that a scenario's answer lists; what else it may list (a process) is no origin."""
    sources = {source for result in told.get("results") or () for source in result.get("sources") or ()}
    return {spelled for source in sources if (spelled := _spelled(source))}


def _is_judged(told: dict[str, Any]) -> bool:
    return told.get("overflows") is not None or bool(told.get("results"))


def _judge_scenario(row: Row, case: str, log: Path, told: dict[str, Any], attacks: list[Attack]) -> None:
    text = log.read_text(errors="replace")
    expected = expected_addresses(told)
    origins = {origin for attack in attacks for origin in attack.origins}
    keys = Counter((a.kind, a.origins, a.targets, a.service, a.first_seen_at[:10]) for a in attacks)
    troubles = []
    if missing := expected - origins:
        troubles.append(f"missing {', '.join(sorted(missing))}")
    if outside := {origin for origin in origins if not _stands_in(origin, text)}:
        troubles.append(f"not in the log: {', '.join(sorted(outside))}")
    if doubled := [key for key, count in keys.items() if count > 1]:
        troubles.append(f"twice: {doubled}")
    if told.get("overflows") == 0 and (above := [a for a in attacks if a.severity != "info"]):
        troubles.append(f"above info: {[(a.kind, a.origins, a.severity) for a in above]}")
        row.false_positives += 1
    row.judge(
        not troubles,
        Failure(case, ", ".join(sorted(expected)) or "nothing above info", "; ".join(troubles), _start(text)),
    )


def _judge_events(
    table: Table, service: str, case: str, log: Path, told: dict[str, Any], attacks: list[Attack]
) -> None:
    origins = {origin for attack in attacks for origin in attack.origins}
    lines = log.read_text(errors="replace").splitlines()
    for parser, events in told.items():
        for event in events if parser.startswith("s01") else ():
            meta = event.get("meta") or {}
            address = _spelled(str(meta.get("source_ip", "")))
            says = " ".join(str(meta.get(name, "")) for name in _TELLING)
            if address and _HOSTILE.search(says):
                near = tuple(line for line in lines if str(meta["source_ip"]) in line)[:2]
                failure = Failure(f"{case} {event['i']}", address, says.strip(), near)
                table.row(EVENTS, service).judge(address in origins, failure)


def _setting(config: str, name: str) -> str:
    found = re.search(rf"^{name}: *(.*)$", config, re.MULTILINE)
    return found[1].strip().strip("\"'") if found else ""


def _service(config: str) -> str:
    """The case's log type, or the first parser's service where that is only `syslog`."""
    log_type = _setting(config, "log_type").lower()
    parsers = re.findall(r"^ *- .*?([\w.-]+?)(?:-logs?)?(?:\.yaml)?$", config, re.MULTILINE)
    named = [name for name in parsers if name not in ("syslog", "dateparse-enrich", "geoip-enrich")]
    return named[0].lower() if log_type == "syslog" and named else log_type


def _spelled(address: str) -> str | None:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None


def _stands_in(origin: str, text: str) -> bool:
    """Whether a log names an origin, in whatever spelling of IPv6."""
    if origin in text.lower():
        return True
    words = set(re.findall(r"[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+", text))
    return any(_spelled(word.strip(":.")) == origin or _spelled(word) == origin for word in words)


def _start(text: str) -> tuple[str, ...]:
    return tuple(text.splitlines()[:4])
