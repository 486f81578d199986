"""Intake, linking and answers under `kill -9`: no report lost, none twice, none met with silence."""

import itertools
import os
import random
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import msgspec
import psutil
import pytest
from tests.exchange import a_report
from tests.own_exchange import OwnExchange, own_exchange
from tests.ports import free_port

from tocsin.kernel.canonical import canonical_bytes
from tocsin.kernel.hashing import commitment
from tocsin.proof import merkle, signing
from tocsin.wire import report as wire

pytestmark = [pytest.mark.database, pytest.mark.soak]

KILLS = 20 if os.environ.get("TOCSIN_SOAK") == "1" else 5
LOADED_KILLS = 40 if os.environ.get("TOCSIN_SOAK") == "1" else 3
BATCH = 100


class Provider:
    """A provider that sends batch after batch, and sends a batch again until it holds its receipts."""

    def __init__(self, key: str, port: int) -> None:
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.url = f"http://127.0.0.1:{port}/api/v1"
        self.batches: list[list[wire.Report]] = []
        self.receipts: dict[str, wire.Receipt] = {}
        self.unsure: list[wire.Report] | None = None

    def send_until_cut_off(self) -> None:
        """Returns when the exchange is gone."""
        with httpx.Client(timeout=10) as client:
            while True:
                batch = self.unsure or [a_report() for _ in range(BATCH)]
                if self.unsure is None:
                    self.batches.append(batch)
                self.unsure = batch
                try:
                    self.send(client, batch)
                except httpx.TransportError:
                    return
                self.unsure = None

    def send(self, client: httpx.Client, batch: list[wire.Report]) -> list[str]:
        """Send one batch; what is held already must come back the same."""
        body = msgspec.json.encode({"reports": batch})
        response = client.post(f"{self.url}/reports/batch", content=body, headers=self.headers)
        assert response.status_code == 200, response.text
        accepted = msgspec.json.decode(response.content, type=wire.Accepted)
        assert [receipt.attack_id for receipt in accepted.receipts] == [report.attack_id for report in batch]
        for receipt in accepted.receipts:
            held = self.receipts.setdefault(receipt.attack_id, receipt)
            assert held == receipt
        return list(accepted.states)

    def listed(self, client: httpx.Client) -> list[str]:
        """The attack ids of all reports that the exchange knows of this provider, one a report.

        A report that is linked while the pages are read turns up again, because it was updated.
        """
        found: dict[str, str] = {}
        cursor: dict[str, str] = {}
        for _ in itertools.count():
            answer = client.get(
                f"{self.url}/reports", params={"limit": "1000", **cursor}, headers=self.headers
            )
            page = answer.json()
            found |= {item["report_id"]: item["attack_id"] for item in page["reports"]}
            if not page["more"]:
                return list(found.values())
            cursor = {"cursor": page["cursor"]}
        raise AssertionError


@contextmanager
def serving(exchange: OwnExchange, port: int) -> "Iterator[subprocess.Popen[bytes]]":
    """A served exchange that answers; whatever is left of it is ended afterwards."""
    for _ in range(10):
        process = exchange.start(*exchange.command("serve", "--port", str(port)), stderr=subprocess.PIPE)
        if answers(process, port):
            break
        process.communicate()  # what was killed before has not let go of its lock yet
        time.sleep(0.2)
    else:
        pytest.fail("the exchange does not start again")
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


def answers(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """Wait until it does, or has ended."""
    ends = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < ends:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/api/v1/exchange", timeout=5).status_code == 200
        except httpx.TransportError:
            time.sleep(0.05)
    return False


def holds(receipt: wire.Receipt, public: bytes) -> bool:
    """The offline check of a receipt."""
    signing.check_head(receipt.head, public)
    leaf = merkle.leaf_hash(canonical_bytes(receipt.entry))
    path = [bytes.fromhex(node) for node in receipt.path]
    root = merkle.root_from_path(leaf, receipt.entry.seq, receipt.head.tree_size, path)
    opened = commitment(bytes.fromhex(receipt.salt), bytes(receipt.content)).hex()
    return root.hex() == receipt.head.root and opened == receipt.entry.commitment


def test_killed_at_any_point_the_exchange_keeps_every_promise() -> None:
    """Killed in the middle of batches and started again, with a provider that repeats what is unsure."""
    dice, port = random.Random(2), free_port()
    with own_exchange() as exchange:
        exchange.run("admin", "member", "add", "Northern Broadband", "--force", "metropolitan")
        provider = Provider(exchange.run("admin", "key", "make", "Northern Broadband", "edge").strip(), port)
        for _ in range(KILLS):
            with serving(exchange, port) as process:
                sending = threading.Thread(target=provider.send_until_cut_off)
                sending.start()
                time.sleep(0.05 + 0.5 * dice.random())
                os.killpg(process.pid, signal.SIGKILL)
                sending.join()
        with serving(exchange, port), httpx.Client(timeout=30) as client:
            public = bytes.fromhex(client.get(f"{provider.url}/exchange").json()["public_key"])
            for batch in provider.batches:
                states = provider.send(client, batch)
                assert batch is provider.unsure or set(states) == {"known"}
            sent = [report.attack_id for batch in provider.batches for report in batch]
            assert sorted(provider.listed(client)) == sorted(sent)
        assert len(provider.receipts) == len(sent) >= KILLS * BATCH
        assert all(holds(receipt, public) for receipt in provider.receipts.values())
        assert "everything fits" in exchange.run("check")


class Officer:
    """Somebody who reads the queue and cases and answers some, until the exchange is gone."""

    def __init__(self, email: str, password: str, port: int, dice: random.Random) -> None:
        self.form = {"email": email, "password": password}
        self.url, self.dice = f"http://127.0.0.1:{port}", dice
        self.looked = self.acted = 0

    def work_until_cut_off(self) -> None:
        """Returns when the exchange is gone."""
        try:
            with httpx.Client(base_url=self.url, timeout=30) as client:
                client.get("/sign-in")
                self.post(client, "/sign-in", **self.form)
                while True:
                    self.work(client)
        except httpx.TransportError:
            return

    def work(self, client: httpx.Client) -> None:
        """A look at the queue and at a case of it, and one act upon that."""
        queue = client.get("/queue")
        assert queue.status_code == 200, queue.text
        self.looked += 1
        cases = sorted(set(re.findall(r"/cases/(case_[0-9A-Z]{12})", queue.text)))
        if not cases:
            return
        address = f"/cases/{self.dice.choice(cases)}"
        assert client.get(address).status_code in (200, 404)  # answered by the other meanwhile
        act = self.dice.choice((("accept", {}), ("answer", {"outcome": "18", "words": "Nobody was found."})))
        done = self.post(client, f"{address}/{act[0]}", **act[1])
        assert done.status_code < 500, done.text
        self.acted += done.status_code == 302

    def post(self, client: httpx.Client, address: str, **fields: str) -> httpx.Response:
        """A form, as a browser sends it."""
        form = {**fields, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        return client.post(address, data=form, headers={"Referer": self.url})


def kill_someone(process: "subprocess.Popen[bytes]", dice: random.Random) -> None:
    """Now and then the worker alone, which is started again; then all."""
    time.sleep(0.2 + dice.random())
    if dice.random() < 0.5:
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if "tocsin.doors.admin.background" in child.cmdline():
                    child.kill()
        time.sleep(0.5 + dice.random())
    os.killpg(process.pid, signal.SIGKILL)


def test_under_load_no_kill_leaves_a_report_without_owner_status_or_clock() -> None:
    """Intake at full speed, linking behind it, officers who answer; killed at random, then judged."""
    dice, port = random.Random(5), free_port()
    with own_exchange() as exchange:
        exchange.environment["TOCSIN_SECOND_FACTOR"] = "none"
        exchange.run("admin", "member", "add", "Northern Broadband", "--force", "kent")
        exchange.run("admin", "unit", "join", "kent")
        provider = Provider(exchange.run("admin", "key", "make", "Northern Broadband", "edge").strip(), port)
        officers = []
        for name in ("olive", "oscar"):
            email = f"{name}@kent.example"
            said = exchange.run("admin", "person", "add", email, name.title(), "--generate")
            exchange.run("admin", "role", "give", email, "officer", "--unit", "kent")
            officers.append(Officer(email, said.split()[-1], port, random.Random(name)))
        for _ in range(LOADED_KILLS):
            with serving(exchange, port) as process:
                at_work = [provider.send_until_cut_off, *(one.work_until_cut_off for one in officers)]
                threads = [threading.Thread(target=one) for one in at_work]
                seen = [one.looked for one in officers]
                for thread in threads:
                    thread.start()
                ends = time.monotonic() + 30
                while [one.looked for one in officers] == seen and time.monotonic() < ends:
                    time.sleep(0.05)  # somebody has signed in and is at work
                kill_someone(process, dice)
                for thread in threads:
                    thread.join()
        with serving(exchange, port), httpx.Client(timeout=30) as client:
            if provider.unsure is not None:
                provider.send(client, provider.unsure)
            sent = [report.attack_id for batch in provider.batches for report in batch]
            assert sorted(provider.listed(client)) == sorted(sent)
            wait_until_linked(provider, client)
        assert "everything fits" in exchange.run("check")
        assert any(one.looked for one in officers)


def wait_until_linked(provider: Provider, client: httpx.Client) -> None:
    """Until no report is merely acknowledged: each is in a case, which has its owner or owes it one."""
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        if "X-ACK" not in states_of(provider, client):
            return
        time.sleep(0.5)
    pytest.fail("the worker leaves reports alone")


def states_of(provider: Provider, client: httpx.Client) -> set[str]:
    """The states of all the provider's reports."""
    found: dict[str, str] = {}
    cursor: dict[str, str] = {}
    while True:
        answer = client.get(
            f"{provider.url}/reports", params={"limit": "1000", **cursor}, headers=provider.headers
        )
        page = answer.json()
        found |= {item["report_id"]: item["state"]["code"] for item in page["reports"]}
        if not page["more"]:
            return set(found.values())
        cursor = {"cursor": page["cursor"]}


def test_a_second_instance_is_told_and_a_stop_is_clean() -> None:
    """One home, one exchange; SIGTERM ends all its processes with status 0."""
    port = free_port()
    with own_exchange() as exchange, serving(exchange, port) as process:
        second = subprocess.run(
            exchange.command("serve", "--port", str(free_port())),
            env=exchange.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode != 0
        assert "is being served" in second.stderr
        process.terminate()
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0
        assert b"stopped" in said
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
