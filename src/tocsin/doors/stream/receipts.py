"""How far each key's streams have come, written down together every two seconds: no event waits for it."""

import logging
import threading
from collections.abc import Callable

from django.db import close_old_connections, connection

from tocsin.access.models import ApiKey
from tocsin.sharing import readings
from tocsin.sharing.models import Channel

log = logging.getLogger("tocsin.stream")

INTERVAL = 2.0  # seconds
Told = Callable[[int], None]


class Receipts:
    """What was sent since it was last written down; a thread writes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, int], readings.Read] = {}
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    def of(self, key: ApiKey | None, channel: Channel) -> Told:
        """What a stream calls with the number up to which it has sent everything."""
        if key is None or channel.kind != Channel.Kind.SHARED:
            return lambda number: None
        holder = key
        self._begin()

        def told(number: int) -> None:
            with self._lock:
                self._waiting[holder.prefix, channel.pk] = readings.read_of(holder, "stream", channel, number)

        return told

    def write(self) -> int:
        """Write down what waits; gives how many rows that were."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        return readings.note(waiting.values()) if waiting else 0

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._go_on, name="tocsin-receipts", daemon=True)
                self._thread.start()

    def _go_on(self) -> None:
        while not self._stopped.wait(INTERVAL):
            try:
                close_old_connections()
                self.write()
            except Exception as error:  # the next entry, or heartbeat, tells it again
                log.warning("how far streams have come could not be written down", exc_info=error)
                connection.close()
