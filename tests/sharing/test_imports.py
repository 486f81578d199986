"""`tocsin import` against the exchange over HTTP: one feed is one voice, a kill loses nothing."""

import functools
import http.server
import json
import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.exchange import a_member, key_text
from tests.over_http import over_http
from tests.sharing.street import Street

from tocsin.kernel.time import now
from tocsin.sharing import channels, contributions, queries
from tocsin.sharing.models import Assertion, Outgoing, Status

pytestmark = [pytest.mark.django_db, pytest.mark.database]

MAKER = "55f6ea5e-2c60-40e5-964f-47a8950d210f"
BOTH = ("lists:read", "indicators:write")
TOCSIN = [sys.executable, "-c", "from tocsin.cli.main import main; main()"]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing on standard error."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder over HTTP."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def a_feed(folder: Path, events: list[list[str]]) -> Path:
    """A MISP feed of these addresses."""
    folder.mkdir()
    manifest, at = {}, str(int(now().timestamp()))
    for values in events:
        number = str(uuid.uuid4())
        attributes = [
            {"uuid": str(uuid.uuid4()), "type": "ip-dst", "value": value, "timestamp": at, "to_ids": True}
            for value in values
        ]
        event = {"uuid": number, "info": "x", "timestamp": at, "Orgc": {"uuid": MAKER, "name": "x"}}
        (folder / f"{number}.json").write_text(json.dumps({"Event": {**event, "Attribute": attributes}}))
        manifest[number] = {"timestamp": at}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def environment(home: Path, key: str, url: str = "") -> dict[str, str]:
    """Of a provider's own machine."""
    return {**os.environ, "TOCSIN_EDGE_HOME": str(home), "TOCSIN_KEY": key, "TOCSIN_TO": url}


def run(home: Path, key: str, url: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run `tocsin import` to its end."""
    return subprocess.run(
        [*TOCSIN, "import", *words],
        env=environment(home, key, url),
        capture_output=True,
        text=True,
        timeout=60,
    )


def believed() -> None:
    """What the worker does with requests that wrote something."""
    for status in Status.objects.order_by("pk"):
        contributions.believe(str(status.status_id))


def test_two_who_import_one_feed_are_one_voice(
    street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a MISP feed over HTTP; somebody who saw it shares it. The same again sends nothing."""
    feed = a_feed(tmp_path / "feed", [["80.94.92.31", "80.94.92.32"], ["80.94.92.33", "x"]])
    said = []
    for name in ("harbour", "kent"):
        key = key_text(a_member(name), BOTH)
        with served(feed) as place:
            ask = lambda url: [run(tmp_path / name, key, url, "misp", place) for _ in range(2)]  # noqa: E731, B023
            said += over_http(ask, monkeypatch)
    believed()
    first, again = said[0].stdout, said[1].stdout
    assert first.startswith(
        "2 read; words: 3 new, 0 said again, 0 taken back, 0 known; entries: 0 left out, 1"
    )
    assert first.rstrip().endswith("3 sent, 0 refused")
    assert again.startswith("0 read; words: 0 new") and again.rstrip().endswith("0 sent, 0 refused")
    assert Assertion.objects.count() == 6
    assert set(Assertion.objects.values_list("upstream", flat=True)) == {f"identity--{MAKER}"}
    assert list(queries.shared("address")) == []
    street.report("ferry", "80.94.92.32", at=now())
    assert list(queries.shared("address")) == ["80.94.92.32"]


def test_a_kill_loses_and_doubles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed again and again at any point, then run once to its end: each word is there, once."""
    rng, member = random.Random(7), a_member("harbour")
    key = key_text(member, BOTH)
    values = [f"80.94.{third}.{last}" for third in range(10) for last in range(1, 101)]
    feed = a_feed(tmp_path / "feed", [values[start : start + 20] for start in range(0, 1_000, 20)])

    def ask(url: str) -> list[int]:
        codes = []
        with served(feed) as place:
            for longest in (0.15, 0.25, 0.35, 0.5, 0.65, 0.8):  # a quick machine needs less than a second
                process = subprocess.Popen(
                    [*TOCSIN, "import", "misp", place],
                    env=environment(tmp_path / "edge", key, url),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                time.sleep(rng.uniform(0.1, longest))
                process.kill()
                codes.append(process.wait())
            codes.append(run(tmp_path / "edge", key, url, "misp", place).returncode)
        return codes

    codes = over_http(ask, monkeypatch)
    assert (codes[-1], -9 in codes) == (0, True)
    believed()
    own = Outgoing.objects.filter(channel=channels.contributions_of(member))
    assert own.count() == 1_000
    assert own.values("stix_id").distinct().count() == 1_000
    words = Assertion.objects.filter(member=member)
    assert sorted(words.values_list("indicator__value", flat=True)) == sorted(values)


def test_a_dry_run_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither here nor there, and needs no exchange; without a name for a table's words it does nothing."""
    (tmp_path / "list.csv").write_text("ip\n80.94.92.31\n")
    dry = ("csv", str(tmp_path / "list.csv"), "--upstream", "x", "--dry-run")
    for _ in range(2):
        done = run(tmp_path / "edge", "", "http://127.0.0.1:9", *dry)
        assert done.stdout.startswith("1 read; words: 1 new")
        assert "1 would be sent; nothing was kept and nothing was sent" in done.stdout
    unnamed = run(tmp_path / "edge", "", "http://127.0.0.1:9", "csv", str(tmp_path / "list.csv"))
    assert (unnamed.returncode, "a table names nobody" in unnamed.stderr) == (2, True)


def test_what_was_read_while_the_exchange_was_away_is_sent_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept by the first run, sent by the second, which reads nothing anew."""
    member = a_member("harbour")
    key = key_text(member, BOTH)
    monkeypatch.setattr("tocsin.sift.calling.PAUSES", ())
    from tocsin.sift.upstreams import running, table
    from tocsin.sift.upstreams.values import Context

    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path))

    def source() -> table.File:
        return table.File("x", Context("csv", upstream="x"), b"ip\n80.94.92.31\n")

    def ask(url: str) -> Any:
        from tocsin.sift.upstreams import store

        with store.opened(url) as kept:
            running.read(source(), kept, print)
        return running.run(source(), url, key, print)

    result = over_http(ask, monkeypatch)
    assert (result.documents, result.sent.sent, result.waiting) == (0, 1, 0)
    away = running.run(source(), "http://127.0.0.1:9", key, print)
    assert (away.waiting, "out of reach" in away.sent.fault) == (1, True)


def test_a_key_that_may_not_write_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read waits."""
    (tmp_path / "list.csv").write_text("ip\n80.94.92.31\n")
    key = key_text(a_member("harbour"), ("lists:read",))
    words = ("csv", str(tmp_path / "list.csv"), "--own")
    done = over_http(lambda url: run(tmp_path / "edge", key, url, *words), monkeypatch)
    assert done.returncode == 2
    assert "this key may not say anything" in done.stderr


def test_a_tocsin_is_followed_by_taxii_from_where_it_stopped(
    street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own words come back as nobody's; new ones alone are read the next time."""
    member = a_member("harbour")
    key = key_text(member, BOTH)
    for name in ("ferry", "medway"):
        street.reports(name, [{"origins": (f"80.94.92.{last}",)} for last in range(31, 36)], at=now())
    words = ("taxii", "{}/taxii2/api/", "--collection", "everybody-green", "--auth", f"x:{key}", "--json")

    def ask(url: str) -> list[Any]:
        told = []
        for _ in range(2):
            done = run(tmp_path / "edge", key, url, *(word.format(url) for word in words))
            assert done.returncode == 0, done.stderr
            told.append(json.loads(done.stdout))
        return told

    first, again = over_http(ask, monkeypatch)
    assert (first["new"], first["sent"], again["new"], again["sent"]) == (5, 5, 0, 0)
    before = Assertion.objects.count()
    believed()
    assert Assertion.objects.count() == before
    assert not Assertion.objects.filter(member=member).exists()
