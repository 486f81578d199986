"""A desk that works in Request Tracker: a ticket for each attacker, and the police's answer on it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.admin.test_kill import serving
from tests.own_exchange import OwnExchange, own_exchange
from tests.ports import free_port
from tests.sift.logs import FAILED
from tests.stories.request_tracker import request_tracker
from tests.stories.test_report_killed import tocsin

pytestmark = pytest.mark.database

SETTINGS = """
to = "http://127.0.0.1:{port}"
every = 0.2
networks = ["198.51.100.0/24"]
[[files]]
paths = ["{folder}/auth.log"]
[[rt]]
url = "{rt}"
token_file = "{folder}/token"
queue = "Abuse"
least = "medium"
every = 0.0
[[siem]]
ecs = "{folder}/attacks.ndjson"
"""
ANSWER = """
import django; django.setup()
from tocsin.access.models import Unit
from tocsin.cases.decisions import accept_case, answer_case
from tocsin.cases.models import Case
from tocsin.cases.responders import Responder
for case in Case.objects.filter(closed_at__isnull=True):
    by = Responder("DC Test", case.investigating_unit)
    accept_case(case, by)
    case.refresh_from_db()
    answer_case(case, by, "1", "A suspect was charged.")
"""


def append(log: Path, origin: str, day: int, times: int) -> None:
    """Guessing by one origin on one day."""
    with log.open("a") as out:
        for n in range(times):
            at = f"2026-03-{day:02}T10:{n // 60:02}:{n % 60:02}Z"
            out.write(f"{at} 198.51.100.5 sshd[{n}]: {FAILED.format(origin=origin)}\n")


def linked(exchange: OwnExchange) -> None:
    """Wait until the exchange's worker made cases of what it was told."""
    count = "import django; django.setup()\nfrom tocsin.cases.models import Case; print(Case.objects.count())"
    ends = time.monotonic() + 30
    while time.monotonic() < ends and python(exchange, count).strip() == "0":
        time.sleep(0.3)


def python(exchange: OwnExchange, code: str) -> str:
    """Run code within the exchange."""
    done = subprocess.run(
        [sys.executable, "-c", code], env=exchange.environment, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_an_attacker_has_one_ticket_that_ends_with_the_outcome(tmp_path: Path) -> None:
    """Two days of one attacker are one ticket, a slip is none; the outcome is read on it, and it closes."""
    log, port = tmp_path / "auth.log", free_port()
    with request_tracker(tmp_path / "rt") as rt, own_exchange() as exchange:
        exchange.run("admin", "member", "add", "Northern Broadband", "--force", "kent")
        key = exchange.run("admin", "key", "make", "Northern Broadband", "edge").strip()
        (tmp_path / "token").write_text(rt.desk)
        settings = tmp_path / "watch.toml"
        settings.write_text(SETTINGS.format(port=port, folder=tmp_path, rt=rt.url))
        edge = {**os.environ, "TOCSIN_EDGE_HOME": str(tmp_path / "edge"), "TOCSIN_KEY": key}
        watch = tocsin("watch", "--settings", str(settings), "--once", "--json")

        append(log, "203.0.113.9", 3, 150)
        append(log, "203.0.113.10", 3, 1)
        with serving(exchange, port):
            assert json.loads(subprocess.check_output(watch, env=edge))["fault"] == ""
            append(log, "203.0.113.9", 4, 120)
            subprocess.run(watch, env=edge, check=True, capture_output=True)
            (ticket,) = rt.tickets()
            assert ticket["Subject"].endswith("brute force from 203.0.113.9")
            assert ticket["Status"] == "new"
            linked(exchange)
            python(exchange, ANSWER)
            subprocess.run(watch, env=edge, check=True, capture_output=True)
        (ticket,) = rt.tickets()
        told = "\n".join(rt.comments(ticket["id"]))
        assert ticket["Status"] == "resolved"
        assert "120 times" in told
        assert "answered with an outcome" in told
    documents = [json.loads(line) for line in (tmp_path / "attacks.ndjson").read_text().splitlines()]
    assert {document["source"]["ip"] for document in documents} == {"203.0.113.9", "203.0.113.10"}
    assert documents[0]["event"]["kind"] == "alert"


def test_what_rt_cannot_take_waits_for_it(tmp_path: Path) -> None:
    """While it is away everything waits on disk; when it is back it is told, once."""
    log, port, settings = tmp_path / "auth.log", free_port(), tmp_path / "watch.toml"
    append(log, "203.0.113.9", 3, 150)
    text = SETTINGS.format(port=1, folder=tmp_path, rt=f"http://127.0.0.1:{port}")
    settings.write_text(text.replace('to = "http://127.0.0.1:1"\n', ""))
    (tmp_path / "token").write_text("nothing yet")
    edge = {**os.environ, "TOCSIN_EDGE_HOME": str(tmp_path / "edge")}
    watch = tocsin("watch", "--settings", str(settings), "--once")
    away = subprocess.run(watch, env=edge, check=True, capture_output=True, text=True)
    assert "RT is out of reach" in away.stderr
    with request_tracker(tmp_path / "rt", port) as rt:
        (tmp_path / "token").write_text(rt.desk)
        for _ in range(2):
            done = subprocess.run(watch, env=edge, check=True, capture_output=True, text=True)
            assert "not told" not in done.stderr
        (ticket,) = rt.tickets()
        assert ticket["Subject"].endswith("brute force from 203.0.113.9")
        rt.close(ticket["id"])
        append(log, "203.0.113.9", 4, 150)
        subprocess.run(watch, env=edge, check=True, capture_output=True)
        (ticket,) = rt.tickets()
        assert ticket["Status"] == "open"  # the attacker is back
