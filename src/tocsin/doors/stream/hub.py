"""One reader for all subscribers of this process: every entry is read once and written once, whoever waits.

A thread looks twenty times a second at the numbers of the channels that somebody listens to, one keyed read
for all of them, reads what is new, and hands it to each listener's bounded queue.
"""

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import close_old_connections, connection

from tocsin.sharing.models import Channel, Outgoing

INTERVAL = 0.05  # seconds between two looks
PAGE = 500  # entries read at once
WAITING = 2_000  # entries that may wait for one listener; who is slower is closed, and comes back by number


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a channel, written as it is sent."""

    number: int
    revoked: bool
    text: bytes


@dataclass(eq=False)
class Listener:
    """Somebody who hears of a channel from now on; `None` in the queue means: too slow, come back."""

    channel: int
    loop: asyncio.AbstractEventLoop
    only_revoked: bool = False
    queue: asyncio.Queue[Event | None] = field(default_factory=lambda: asyncio.Queue(WAITING))

    def offer(self, events: Sequence[Event]) -> None:
        """Put these into the queue; runs in the listener's loop."""
        for event in events:
            if self.only_revoked and not event.revoked:
                continue
            if self.queue.full():
                while not self.queue.empty():
                    self.queue.get_nowait()
                self.queue.put_nowait(None)
                return
            self.queue.put_nowait(event)


class Hub:
    """Who listens to what, and how far each channel has been read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[int, set[Listener]] = {}
        self._read: dict[int, int] = {}
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    def join(self, listener: Listener) -> None:
        """From here on the listener hears of everything new; what came before it reads by itself."""
        with self._lock:
            if listener.channel not in self._read:
                self._read[listener.channel] = last_number(listener.channel)
            self._listeners.setdefault(listener.channel, set()).add(listener)
            if self._thread is None:
                self._thread = threading.Thread(target=self._follow, name="tocsin-stream", daemon=True)
                self._thread.start()

    def leave(self, listener: Listener) -> None:
        """The listener hears no more."""
        with self._lock:
            around = self._listeners.get(listener.channel, set())
            around.discard(listener)
            if not around:
                self._listeners.pop(listener.channel, None)
                self._read.pop(listener.channel, None)

    def read_so_far(self, channel: int) -> int:
        """The number up to which a channel has been read and handed on; 0 where nobody listens."""
        with self._lock:
            return self._read.get(channel, 0)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()

    def _follow(self) -> None:
        while not self._stopped.wait(INTERVAL):
            try:
                self.look()
            except Exception:  # the database is away: the next look finds what is missing
                connection.close()
                time.sleep(1)

    def look(self) -> None:
        """Hand on what is new."""
        with self._lock:
            read = dict(self._read)
        if not read:
            return
        close_old_connections()
        newest = dict(Channel.objects.filter(pk__in=read).values_list("pk", "number"))
        for channel, number in newest.items():
            at = read[channel]
            while at < number:
                events = events_after(channel, at, PAGE)
                if not events:
                    break
                at = events[-1].number
                self._hand_on(channel, events)

    def _hand_on(self, channel: int, events: Sequence[Event]) -> None:
        with self._lock:
            if channel not in self._read:
                return
            self._read[channel] = events[-1].number
            for listener in self._listeners.get(channel, ()):
                listener.loop.call_soon_threadsafe(listener.offer, events)


def last_number(channel: int) -> int:
    """The number of a channel's last entry."""
    return Channel.objects.values_list("number", flat=True).get(pk=channel)


def events_after(channel: int, number: int, limit: int, only_revoked: bool = False) -> list[Event]:
    """The next entries of a channel behind that number, written as they are sent."""
    rows = Outgoing.objects.filter(channel=channel, number__gt=number).order_by("number")
    if only_revoked:
        rows = rows.filter(revoked=True)
    found = rows.values_list("number", "revoked", "stix_type", "body")[:limit]
    return [Event(n, revoked, written(n, revoked, kind, bytes(body))) for n, revoked, kind, body in found]


def revoked_ahead(channel: int, number: int, limit: int) -> list[bytes]:
    """What was withdrawn behind that number and still is, to be told before everything else; no position."""
    rows = Outgoing.objects.filter(channel=channel, number__gt=number, revoked=True, is_latest=True)
    bodies = rows.order_by("number").values_list("body", flat=True)[:limit]
    return [b"event: withdrawn-ahead\ndata: " + one_line(bytes(body)) + b"\n\n" for body in bodies]


def written(number: int, revoked: bool, kind: str, body: bytes) -> bytes:
    """An entry in the text/event-stream format (HTML standard, section 9.2)."""
    name = "revoked" if revoked else "marking" if kind == "marking-definition" else kind
    return f"id: {number}\nevent: {name}\ndata: ".encode() + one_line(body) + b"\n\n"


def one_line(body: bytes) -> bytes:
    """JSON without line breaks: inside strings it never has any."""
    return body.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in body or b"\r" in body else body
