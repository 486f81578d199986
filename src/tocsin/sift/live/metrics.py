"""The meters of a watch for Prometheus, on an address of the settings' choice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from tocsin.kernel.problems import BadInput
from tocsin.sift.live.meters import Meters
from tocsin.sift.live.settings import endpoint


def _takes(meters: Meters) -> float:
    return not meters.outlet_fault


def _committed_at(meters: Meters) -> float:
    return meters.committed_at


_COUNTERS: tuple[tuple[str, str, Callable[[Meters], float]], ...] = (
    ("tocsin_watch_bytes", "Bytes read from all sources.", lambda m: m.bytes_read),
    ("tocsin_watch_lines", "Lines read, over all runs.", lambda m: m.lines),
    (
        "tocsin_watch_lines_observed",
        "Lines that are evidence of an attack, over all runs.",
        lambda m: m.observed,
    ),
    ("tocsin_watch_lines_rejected", "Lines that could not be read, over all runs.", lambda m: m.rejected),
    ("tocsin_watch_reports_sent", "Reports that the exchange took, new or newer.", lambda m: m.sent),
    ("tocsin_watch_reports_refused", "Reports that the exchange refused.", lambda m: m.refused),
    ("tocsin_watch_gaps", "Times that lines of a log were gone before they were read.", lambda m: m.gaps),
    ("tocsin_watch_blocks", "Blocks that resolvers told by dnstap.", lambda m: m.blocks),
    ("tocsin_watch_datagrams_dropped", "UDP messages there was no room for.", lambda m: m.dropped),
)
_GAUGES: tuple[tuple[str, str, Callable[[Meters], float]], ...] = (
    ("tocsin_watch_backlog_bytes", "Bytes that are there and not yet read.", lambda m: m.backlog),
    ("tocsin_watch_reports_pending", "Reports that wait for the exchange.", lambda m: m.pending),
    ("tocsin_watch_untold", "Attacks that wait for a SIEM or a ticket system.", lambda m: m.untold),
    ("tocsin_watch_sums_open", "Sums in memory that may still grow.", lambda m: m.open_attacks),
    ("tocsin_watch_exchange_up", "Whether the exchange answered the last time.", lambda m: not m.fault),
    ("tocsin_watch_outlets_up", "Whether SIEM and tickets take what they are told.", _takes),
    ("tocsin_watch_disk_up", "Whether what is found can be written down.", lambda m: not m.disk_fault),
    ("tocsin_watch_sources", "Sources that are watched.", lambda m: m.source_count),
    ("tocsin_watch_sources_failing", "Those of them that cannot be read.", lambda m: len(m.source_faults)),
    ("tocsin_watch_committed_seconds", "When something was last written down (POSIX).", _committed_at),
)


class _Meters(Collector):
    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._failed: set[str] = set()

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Every meter as it is now."""
        for name, said, value in _COUNTERS:
            yield CounterMetricFamily(name, said, value=value(self._meters))
        for name, said, value in _GAUGES:
            yield GaugeMetricFamily(name, said, value=value(self._meters))
        said = "Senders and mails that a door refused or put off."
        away = CounterMetricFamily("tocsin_watch_turned_away", said, labels=["source", "reason"])
        for (source, reason), count in sorted(self._meters.turned_away.items()):
            away.add_metric([source, reason], count)
        yield away
        said = "Whether a source that failed before can be read; one that never failed is not named."
        up = GaugeMetricFamily("tocsin_watch_source_up", said, labels=["source"])
        self._failed |= self._meters.source_faults.keys()
        for source in sorted(self._failed):
            up.add_metric([source], source not in self._meters.source_faults)
        yield up


@contextmanager
def serve(address: str, meters: Meters) -> Iterator[int]:
    """Answer `GET /metrics` on an address until the block ends; gives the port."""
    registry = CollectorRegistry()
    registry.register(_Meters(meters))
    host, port = endpoint(address)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise BadInput(f"metrics: cannot listen on {address}: {error.strerror}") from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
