"""The live stream: Server-Sent Events of one channel, by ASGI, in a process of its own.

    GET /stream/v1/channels/{id or alias}            Authorization: Bearer KEY, or Basic with it as password
    Last-Event-ID: 41   (or ?after=41)               where to go on; without it, only what comes from now on
    ?lane=revoked                                    withdrawals and expiries alone

Each entry is `id: NUMBER`, `event: indicator|revoked|sighting|marking`, `data: the STIX object in one line`.
Whoever has fallen behind hears first what was withdrawn meanwhile (`event: withdrawn-ahead`, no id), then
everything in order.
"""

import asyncio
import contextlib
import logging
import os
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import parse_qs

import django
import msgspec

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tocsin.site.settings")
django.setup()

from django.db import close_old_connections  # noqa: E402 (apps first)

from tocsin.access.keys import actor_of_header  # noqa: E402
from tocsin.access.limits import TooManyRequests  # noqa: E402
from tocsin.access.policy import Actor, require  # noqa: E402
from tocsin.doors.stream import hub as hubs  # noqa: E402
from tocsin.doors.stream.receipts import Receipts, Told  # noqa: E402
from tocsin.kernel.problems import BadInput, NotFound, NotSignedIn, Problem  # noqa: E402
from tocsin.sharing import channels  # noqa: E402
from tocsin.sharing.models import Channel  # noqa: E402

log = logging.getLogger("tocsin.stream")

PREFIX = "/stream/v1/channels/"
HEARTBEAT = 15.0  # seconds
CHECKED_EVERY = 60.0  # seconds after which a key is looked at again
AT_ONCE = 20  # streams of one key
BEHIND = 100  # entries; who is further behind hears of withdrawals first
AHEAD = 10_000  # withdrawals told ahead at most

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
T = TypeVar("T")

hub = hubs.Hub()
receipts = Receipts()
pool = ThreadPoolExecutor(4, thread_name_prefix="tocsin-stream-read")
open_by_key: Counter[str] = Counter()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Any request: a stream, or a problem as JSON (RFC 9457)."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    if scope["type"] != "http":
        return
    try:
        actor, channel, after, only_revoked = await read(admitted, scope)
    except Problem as problem:
        await refuse(send, problem)
        return
    except Exception as error:
        log.error("a stream could not begin", exc_info=error)
        await refuse(send, Problem())
        return
    name = actor.key.prefix if actor.key is not None else ""
    if open_by_key[name] >= AT_ONCE:
        await refuse(send, TooManyRequests(seconds=60, hint=f"one key may have {AT_ONCE} streams"))
        return
    open_by_key[name] += 1
    listener = hubs.Listener(channel.pk, asyncio.get_running_loop(), only_revoked)
    try:
        await read(hub.join, listener)
        await tell(scope, receive, send, listener, after, receipts.of(actor.key, channel))
    finally:
        hub.leave(listener)
        open_by_key[name] -= 1


async def tell(
    scope: Scope, receive: Receive, send: Send, listener: hubs.Listener, after: int | None, told: Told
) -> None:
    """Everything behind `after`, then what comes, until the other side leaves or the key ends.

    `told` hears up to which number everything was sent.
    """
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    gone = asyncio.ensure_future(left(receive))
    try:
        position = await read(hubs.last_number, listener.channel) if after is None else after
        await put(send, f": from number {position} on\nretry: 1000\n\n".encode())
        position = await catch_up(send, listener, position, gone, told)
        await follow(scope, send, listener, position, gone, told)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gone.cancel()


async def catch_up(
    send: Send, listener: hubs.Listener, position: int, gone: "asyncio.Future[None]", told: Told
) -> int:
    """What was there before somebody came; gives the number from which the queue goes on."""
    last = await read(hubs.last_number, listener.channel)
    if last - position > BEHIND and not listener.only_revoked:
        for text in await read(hubs.revoked_ahead, listener.channel, position, AHEAD):
            await put(send, text)
    while not gone.done():
        events = await read(hubs.events_after, listener.channel, position, hubs.PAGE, listener.only_revoked)
        if not events:
            told(last)  # and never what the asker claims
            break
        await put(send, b"".join(event.text for event in events))
        position = events[-1].number
        told(position)
    return position


async def follow(
    scope: Scope,
    send: Send,
    listener: hubs.Listener,
    position: int,
    gone: "asyncio.Future[None]",
    told: Told,
) -> None:
    """What comes from now on, a heartbeat where nothing does, and a look at the key each minute."""
    loop = asyncio.get_running_loop()
    check_at = loop.time() + CHECKED_EVERY
    while not gone.done():
        read_so_far = hub.read_so_far(listener.channel)
        event = await next_of(listener.queue, gone)
        if loop.time() >= check_at:
            check_at = loop.time() + CHECKED_EVERY
            try:
                await read(admitted, scope)
            except Problem as problem:
                await put(send, f": closed, {problem.title}\n\n".encode())
                return
        if event is None:
            await put(send, b": too slow, come back with Last-Event-ID\n\n")
            return
        if event is HEARTBEATS:
            await put(send, b"event: heartbeat\ndata: {}\n\n")
            if not gone.done() and listener.queue.empty():
                told(read_so_far)  # what was read so long ago has been through the queue
            continue
        batch = [event]
        while not listener.queue.empty() and len(batch) < hubs.PAGE:
            following = listener.queue.get_nowait()
            if following is None:
                await put(send, b": too slow, come back with Last-Event-ID\n\n")
                return
            batch.append(following)
        fresh = [one for one in batch if one.number > position]
        if fresh:
            await put(send, b"".join(one.text for one in fresh))
            position = fresh[-1].number
            told(position)


HEARTBEATS = hubs.Event(0, False, b"")


async def next_of(
    queue: "asyncio.Queue[hubs.Event | None]", gone: "asyncio.Future[None]"
) -> hubs.Event | None:
    """The next entry, or a heartbeat where none comes in time or the other side has left."""
    waiting = asyncio.ensure_future(queue.get())
    both: set[asyncio.Future[Any]] = {waiting, gone}
    await asyncio.wait(both, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            return await waiting
        return HEARTBEATS
    return waiting.result()


async def put(send: Send, body: bytes) -> None:
    """Some of the answer; waits where the other side does not read."""
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def left(receive: Receive) -> None:
    """Returns when the other side has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def read(ask: Callable[..., T], *given: Any) -> T:
    """Ask the database in a thread."""

    def asked() -> T:
        close_old_connections()
        return ask(*given)

    return await asyncio.get_running_loop().run_in_executor(pool, asked)


def admitted(scope: Scope) -> tuple[Actor, Channel, int | None, bool]:
    """Who asks for which channel, behind which number, and for withdrawals alone? Raises Problem."""
    if not scope["path"].startswith(PREFIX):
        raise NotFound()
    if scope["method"] not in ("GET", "HEAD"):
        raise BadInput("a stream is read by GET")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    client = scope.get("client") or ("", 0)
    actor = actor_of_header(headers.get("authorization", ""), client[0])
    require(actor, "channel.read")
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    lane = query.get("lane", ["all"])[-1]
    if lane not in ("all", "revoked"):
        raise BadInput("lane is all or revoked")
    given = headers.get("last-event-id") or query.get("after", [""])[-1]
    if given and not (given.isascii() and given.isdigit() and len(given) <= 18):
        raise BadInput("Last-Event-ID and after are numbers")
    channel = channels.channel_of(actor, scope["path"][len(PREFIX) :].strip("/"))
    return actor, channel, int(given) if given else None, lane == "revoked"


async def refuse(send: Send, problem: Problem) -> None:
    """A problem as the REST interface tells it."""
    body = msgspec.json.encode(
        {"type": f"urn:tocsin:problem:{problem.slug}", "title": problem.title, "status": problem.status,
         "detail": problem.detail}
    )  # fmt: skip
    headers = [(b"content-type", b"application/problem+json")]
    if problem.status == NotSignedIn.status:
        headers.append((b"www-authenticate", b'Basic realm="tocsin", Bearer realm="tocsin"'))
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def lifespan(receive: Receive, send: Send) -> None:
    """Begin and end with the server."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            hub.stop()
            receipts.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
