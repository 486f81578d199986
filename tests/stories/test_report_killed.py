"""`tocsin report` under `kill -9`, on a log that grows: nothing lost, nothing twice, receipts genuine."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.admin.test_kill import serving
from tests.own_exchange import own_exchange
from tests.ports import free_port

pytestmark = [pytest.mark.database, pytest.mark.soak]

KILLS = 20 if os.environ.get("TOCSIN_SOAK") == "1" else 5
ORIGINS_A_ROUND = 400


def grow(log: Path, number: int, dice: random.Random) -> None:
    """Some more guessing: new origins, and old ones that go on."""
    with log.open("a") as out:
        for origin in range(number * ORIGINS_A_ROUND // 2, (number + 2) * ORIGINS_A_ROUND // 2):
            address = f"198.18.{origin // 250}.{1 + origin % 250}"
            for guess in range(dice.randint(3, 9)):
                stamp = f"2026-11-20T01:{number:02}:{guess:02}+00:00"
                out.write(
                    f"{stamp} web1 sshd[{origin}]: Failed password for root from {address} port 4022 ssh2\n"
                )


def tocsin(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from tocsin.cli.main import main; main()", *arguments]


def test_killed_at_any_point_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """However often it is killed, in the end the exchange holds what one whole sift shows, with receipts."""
    dice, port, log = random.Random(3), free_port(), tmp_path / "auth.log"
    with own_exchange() as exchange:
        exchange.run("admin", "member", "add", "Northern Broadband", "--force", "kent")
        key = exchange.run("admin", "key", "make", "Northern Broadband", "edge").strip()
        edge = {**os.environ, "TOCSIN_EDGE_HOME": str(tmp_path / "edge"), "TOCSIN_KEY": key}
        report = tocsin("report", str(log), "--to", f"http://127.0.0.1:{port}", "--json")
        with serving(exchange, port):
            grow(log, KILLS, dice)
            began = time.monotonic()
            subprocess.run(report, env=edge, check=True, capture_output=True)
            usual = time.monotonic() - began  # the kills fall within what a run takes on this machine
            killed = 0
            for number in range(KILLS):
                grow(log, number, dice)
                process = subprocess.Popen(
                    report, env=edge, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                )
                time.sleep(usual * dice.uniform(0.2, 0.9))
                killed += process.poll() is None
                process.send_signal(signal.SIGKILL)
                process.communicate()
            result = json.loads(subprocess.check_output(report, env=edge, stderr=subprocess.DEVNULL))
            assert killed > KILLS // 2
            assert result["waiting"] == result["refused"] == 0

            sifted = subprocess.check_output(tocsin("sift", "--json", str(log)), stderr=subprocess.DEVNULL)
            expected = {a["attack_id"]: a["count"] for a in map(json.loads, sifted.splitlines())}
            with httpx.Client(headers={"Authorization": f"Bearer {key}"}) as client:
                told = listed(client, port)
            assert told == expected
            receipts = sorted((tmp_path / "edge").glob("spool/*/receipts/*.json"))
            assert len(receipts) == len(expected)
            verified = subprocess.run(
                tocsin("verify", *map(str, receipts)), env=edge, check=False, stdout=subprocess.DEVNULL
            )
            assert verified.returncode == 0
        assert "everything fits" in exchange.run("check")


def listed(client: httpx.Client, port: int) -> dict[str, int]:
    """Every report of the key's member, as attack id to count; two reports of one attack fail.

    A report that is linked while the pages are read turns up again, because it was updated.
    """
    found: dict[str, dict[str, Any]] = {}
    cursor: dict[str, str] = {}
    while True:
        answer = client.get(f"http://127.0.0.1:{port}/api/v1/reports", params={"limit": "1000", **cursor})
        page = answer.json()
        found |= {item["report_id"]: item for item in page["reports"]}
        if not page["more"]:
            counts = {item["attack_id"]: item["content"]["count"] for item in found.values()}
            assert len(counts) == len(found)
            return counts
        cursor = {"cursor": page["cursor"]}
