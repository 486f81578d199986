"""`tocsin watch` under `kill -9`, with rotation and an exchange that goes away: each line counts once."""

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from tests.admin.test_kill import serving
from tests.own_exchange import own_exchange
from tests.ports import free_port
from tests.stories.test_report_killed import grow, listed, tocsin

pytestmark = [pytest.mark.database, pytest.mark.soak]

KILLS = 40 if os.environ.get("TOCSIN_SOAK") == "1" else 5
SETTINGS = """
to = "http://127.0.0.1:{port}"
every = 0.2
[[files]]
paths = ["{log}"]
"""


def rotate(log: Path) -> None:
    """As logrotate does it: older ones move on, a new file is made."""
    older = sorted(log.parent.glob(log.name + ".*"), key=lambda path: -int(path.suffix[1:]))
    for path in older:
        path.rename(path.with_suffix(f".{int(path.suffix[1:]) + 1}"))
    log.rename(log.with_name(log.name + ".1"))
    log.touch()


def test_killed_at_any_point_every_line_counts_once(tmp_path: Path) -> None:
    """Whatever is killed and whenever, in the end the exchange holds what one sift of all the lines shows."""
    dice, port, log = random.Random(11), free_port(), tmp_path / "auth.log"
    settings = tmp_path / "watch.toml"
    settings.write_text(SETTINGS.format(port=port, log=log))
    with own_exchange() as exchange:
        exchange.run("admin", "member", "add", "Northern Broadband", "--force", "kent")
        key = exchange.run("admin", "key", "make", "Northern Broadband", "edge").strip()
        edge = {**os.environ, "TOCSIN_EDGE_HOME": str(tmp_path / "edge"), "TOCSIN_KEY": key}
        watch = tocsin("watch", "--settings", str(settings), "--plain")
        log.touch()  # a log that was rotated before anybody looked at it would be nobody's to read
        subprocess.run([*watch, "--once"], env=edge, check=True, capture_output=True)
        for number in range(KILLS):  # the exchange is away in every other round
            if number % 2:
                with serving(exchange, port):
                    kill_one(watch, edge, log, number, dice)
            else:
                kill_one(watch, edge, log, number, dice)
        with serving(exchange, port):
            done = subprocess.run([*watch, "--once", "--json"], env=edge, check=True, capture_output=True)
            result = json.loads(done.stdout)
            assert result["pending"] == result["refused"] == 0, done.stderr

            whole = [str(path) for path in tmp_path.glob("auth.log*")]
            sifted = subprocess.check_output(
                tocsin("sift", "--json", *whole), stderr=subprocess.DEVNULL,
                env={**edge, "TOCSIN_EDGE_HOME": str(tmp_path / "other")},
            )  # fmt: skip
            attacks = [json.loads(line) for line in sifted.splitlines()]
            expected = {a["attack_id"]: a["count"] for a in attacks if a["severity"] != "info"}
            with httpx.Client(headers={"Authorization": f"Bearer {key}"}) as client:
                assert listed(client, port) == expected
            assert result["lines"] == sum(len(Path(path).read_text().splitlines()) for path in whole)
        assert "everything fits" in exchange.run("check")


def kill_one(watch: list[str], edge: dict[str, str], log: Path, number: int, dice: random.Random) -> None:
    """Let it run while the log grows and is rotated, then kill it in the middle of something."""
    grow(log, number, dice)
    with subprocess.Popen(watch, env=edge, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(dice.uniform(0.3, 1.5))
        grow(log, number, dice)
        if dice.random() < 0.5:
            rotate(log)
        time.sleep(dice.uniform(0.0, 1.0))
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)


def test_it_stops_when_it_is_asked_to(tmp_path: Path) -> None:
    """SIGTERM writes down what was read, says so, and exits with 0; a second watch meanwhile is refused."""
    log, settings = tmp_path / "auth.log", tmp_path / "watch.toml"
    settings.write_text(f'[[files]]\npaths = ["{log}"]\n')
    edge = {**os.environ, "TOCSIN_EDGE_HOME": str(tmp_path / "edge")}
    watch = tocsin("watch", "--settings", str(settings), "--plain")
    with subprocess.Popen(watch, env=edge, stderr=subprocess.PIPE, text=True) as process:
        grow(log, 1, random.Random(1))
        time.sleep(1.5)
        second = subprocess.run(watch, env=edge, capture_output=True, text=True, timeout=30)
        assert second.returncode == 6
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert f"{len(log.read_text().splitlines()):,} lines" in said
