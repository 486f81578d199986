"""The live stream as a process, on either database: nothing missed, nothing twice, withdrawals first."""

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import httpx
import pytest
from tests.own_exchange import own_exchange
from tests.ports import free_port

from tocsin.doors.stream import hub as hubs

pytestmark = pytest.mark.database

KILLS = 1_000 if os.environ.get("TOCSIN_SOAK") == "1" else 30
COMMAND = "from tocsin.doors.stream.command import stream; stream()"


@dataclass
class Streaming:
    """A served stream, and the process that writes into its exchange."""

    url: str
    key: str
    without: str
    channel: str
    writer: "subprocess.Popen[bytes]"
    lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, line: str) -> int:
        """Let the writer do something; gives the channel's number afterwards."""
        assert self.writer.stdin is not None
        assert self.writer.stdout is not None
        with self.lock:
            self.writer.stdin.write(line.encode() + b"\n")
            self.writer.stdin.flush()
            return int(self.writer.stdout.readline())

    def opened(self, stack: ExitStack, query: str = "", channel: str = "everybody-green") -> httpx.Response:
        """A stream that is open as long as the stack is."""
        client = stack.enter_context(httpx.Client(timeout=30))
        headers = {"Authorization": f"Bearer {self.key}"}
        address = f"{self.url}/stream/v1/channels/{channel}{query}"
        return stack.enter_context(client.stream("GET", address, headers=headers))


@pytest.fixture(scope="module")
def streaming() -> Iterator[Streaming]:
    """One for all tests of this file."""
    port = free_port()
    with own_exchange() as exchange:
        writer = exchange.start(
            sys.executable, "-m", "tests.doors.stream.writing", stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        made = json.loads(writer.stdout.readline())
        server = exchange.start(sys.executable, "-c", COMMAND, "--port", str(port), stderr=subprocess.PIPE)
        try:
            assert server.stderr is not None
            while b"streaming at" not in (line := server.stderr.readline()):
                assert line, "the stream did not start"
            await_open(port)
            yield Streaming(f"http://127.0.0.1:{port}", **made, writer=writer)
        finally:
            for process in (server, writer):
                process.terminate()
                process.communicate(timeout=20)


def await_open(port: int) -> None:
    """The line is printed by the process that starts the one which listens."""
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the stream does not listen")


def events(response: httpx.Response) -> Iterator[tuple[int | None, str, str]]:
    """Number, name and data of each event; comments are left out."""
    number, name, data = None, "", ""
    for line in response.iter_lines():
        word, _, rest = line.partition(": ")
        if word == "id":
            number = int(rest)
        elif word == "event":
            name = rest
        elif word == "data":
            data = rest
        elif not line and name:
            yield number, name, data
            number, name, data = None, "", ""


def test_killed_and_resumed_nothing_is_missed_or_twice(streaming: Streaming) -> None:
    """A subscriber that ends anywhere, again and again, while the exchange goes on sharing."""
    dice, seen, last = random.Random(7), [0], [0]

    def write() -> None:
        for _ in range(KILLS):
            last[0] = streaming.write(f"say {dice.randint(1, 3)}")

    writing = threading.Thread(target=write)
    writing.start()
    lives = 0
    while lives < KILLS or writing.is_alive() or seen[-1] < last[0]:
        lives += 1
        with ExitStack() as stack:
            response = streaming.opened(stack, f"?after={seen[-1]}")
            assert response.headers["content-type"].startswith("text/event-stream")
            found = events(response)
            for _ in range(dice.randint(0, 5)):
                if not writing.is_alive() and seen[-1] >= last[0]:
                    break
                number, name, data = next(found)
                if number is None:
                    continue
                seen.append(number)
                assert name in ("indicator", "marking")
                assert json.loads(data)["id"]
    assert lives >= KILLS
    assert seen == list(range(last[0] + 1))


def test_what_is_new_comes_at_once_and_withdrawals_have_a_lane(streaming: Streaming) -> None:
    """Without a number only what comes; the lane of withdrawals tells nothing else."""
    with ExitStack() as stack:
        ordinary = events(streaming.opened(stack))
        withdrawn = events(streaming.opened(stack, "?lane=revoked"))
        time.sleep(1)
        number = streaming.write("say 2")
        streaming.write("withdraw 1")
        names = [next(ordinary)[:2] for _ in range(3)]
        assert names == [(number - 1, "indicator"), (number, "indicator"), (number + 1, "revoked")]
        assert next(withdrawn)[:2] == (number + 1, "revoked")


def test_who_has_fallen_behind_hears_of_withdrawals_first(streaming: Streaming) -> None:
    """Ahead of a hundred older entries, without a number; then everything in its order."""
    streaming.write("say 120")
    number = streaming.write("withdraw 2")
    with ExitStack() as stack:
        found = events(streaming.opened(stack, "?after=1"))
        ahead = [next(found), next(found)]
        assert {one[:2] for one in ahead} == {(None, "withdrawn-ahead")}
        assert all(json.loads(data)["revoked"] for _, _, data in ahead)
        while (one := next(found))[1] == "withdrawn-ahead":
            assert one[0] is None
        assert one[0] == 2
        assert [next(found)[0] for _ in range(number - 2)] == list(range(3, number + 1))


def noted(streaming: Streaming, number: int) -> bool:
    """Is the reader known to have read so far, within some seconds?"""
    for _ in range(100):
        if streaming.write("noted") == number:
            return True
        time.sleep(0.1)
    return False


def test_how_far_a_stream_has_come_is_noted(streaming: Streaming) -> None:
    """What was sent as it came; at the beginning also what a lane had nothing to tell of."""
    with ExitStack() as stack:
        found = events(streaming.opened(stack))
        time.sleep(1)
        number = streaming.write("say 1")
        assert next(found)[0] == number
        assert noted(streaming, number)
    number = streaming.write("say 3")
    assert streaming.write("noted") < number
    with ExitStack() as stack:
        streaming.opened(stack, f"?after={number + 500}&lane=revoked")
        assert noted(streaming, number), "and never what is claimed"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("everybody-green", {"Authorization": "Bearer nonsense"}, 401),
        ("everybody-green", {"Authorization": "{without}"}, 403),
        ("nowhere", {}, 404),
        ("everybody-green?after=-1", {}, 400),
        ("everybody-green?lane=fast", {}, 400),
        ("everybody-green", {"Last-Event-ID": "x"}, 400),
    ],
)
def test_what_is_wrong_is_a_problem(
    streaming: Streaming, path: str, headers: dict[str, str], status: int
) -> None:
    """As JSON, at once."""
    given = {"Authorization": f"Bearer {streaming.key}", **headers}
    given["Authorization"] = given["Authorization"].replace("{without}", f"Bearer {streaming.without}")
    answer = httpx.get(f"{streaming.url}/stream/v1/channels/{path}", headers=given, timeout=30)
    assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_the_channels_id_leads_there_too(streaming: Streaming) -> None:
    """As the TAXII collection's does."""
    streaming.write("say 1")
    with ExitStack() as stack:
        response = streaming.opened(stack, "?after=0", channel=streaming.channel)
        assert next(events(response))[1] in ("marking", "withdrawn-ahead")


def test_one_key_has_so_many_streams(streaming: Streaming) -> None:
    """The twenty-first is refused."""
    with ExitStack() as stack:
        statuses = [streaming.opened(stack).status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]


def test_who_is_too_slow_is_told_to_come_back() -> None:
    """A full queue is emptied: what it held is read again by number."""

    async def slow() -> list[hubs.Event | None]:
        listener = hubs.Listener(1, asyncio.get_running_loop())
        listener.offer([hubs.Event(n, False, b"") for n in range(hubs.WAITING + 1)])
        return [listener.queue.get_nowait() for _ in range(listener.queue.qsize())]

    assert asyncio.run(slow()) == [None]


def test_an_object_is_one_line() -> None:
    """Whatever spaces its author put between its parts."""
    sent = hubs.written(7, False, "indicator", b'{"a":\r\n1}')
    assert sent == b'id: 7\nevent: indicator\ndata: {"a":  1}\n\n'
    assert hubs.written(8, True, "indicator", b"{}").startswith(b"id: 8\nevent: revoked\n")
