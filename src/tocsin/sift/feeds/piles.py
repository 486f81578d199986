"""Events of a feed, gathered before they are told: one finding for each attack, not for each row."""

from collections.abc import Iterator

from tocsin.sift.feeds.shadowserver import FeedEvent
from tocsin.sift.findings import Finding

UNKNOWN = "unknown"
NOT_KNOWN = {"kind": "a report type that is not known: read by its columns"}
_ACCESSIBLE = ("vulnerable/", "other/undetermined")
_ABOUT_NAMES = ("fraud/phishing", "malicious-code/malware-distribution", "abusive-content/spam")
_DAY = 86_400


class Piled:
    """The rows of one attack: their numbers and bytes, and what they say together."""

    __slots__ = ("count", "event", "first", "last", "names", "numbers", "texts")

    def __init__(self, event: FeedEvent) -> None:
        self.event = event
        self.first = self.last = event.at
        self.count = 0
        self.numbers: list[int] = []
        self.texts: list[bytes] = []
        self.names: set[str] = set()

    def add(self, event: FeedEvent, number: int, text: bytes) -> None:
        """One more row."""
        self.count += event.times
        if event.at < self.first:
            self.first = event.at
        elif event.at > self.last:
            self.last = event.at
        if event.name:
            self.names.add(event.name)
        self.numbers.append(number)
        self.texts.append(text if text.endswith(b"\n") else text + b"\n")

    def finding(self) -> Finding:
        """What the rows say together."""
        event = self.event
        scan = event.kind.startswith(_ACCESSIBLE)
        return Finding(
            kind=event.kind,
            origin="" if event.is_victim else event.address,
            target=event.address if event.is_victim else UNKNOWN if scan else event.target or UNKNOWN,
            service=_service(event),
            first=self.first,
            last=self.last,
            count=self.count,
            severity=event.severity,
            why=f"reported by shadowserver: {event.report or 'unknown report'}",
            reader="shadowserver",
            assumed={} if event.report else NOT_KNOWN,
            names=tuple(sorted(self.names)) if event.kind.startswith(_ABOUT_NAMES) else (),
            spoofable=event.is_victim or (event.transport == "udp" and not scan),
            vector=f"{event.transport or 'udp'}/{event.port} amplification" if event.is_victim else "",
        )


class Piles:
    """Piles of rows by attack; `flush` gives their findings, with the rows' numbers and bytes."""

    def __init__(self) -> None:
        self._piles: dict[tuple[object, ...], Piled] = {}

    def __len__(self) -> int:
        return len(self._piles)

    def add(self, event: FeedEvent, number: int, text: bytes) -> None:
        """Put a row where it belongs."""
        port = event.port if event.is_victim or event.kind.startswith(_ACCESSIBLE) else event.target_port
        key = (event.kind, event.address, event.target, event.service, port, event.at // _DAY)
        piled = self._piles.get(key)
        if piled is None:
            piled = self._piles[key] = Piled(event)
        piled.add(event, number, text)

    def flush(self) -> Iterator[tuple[Finding, list[int], bytes]]:
        """All findings so far; what they were made from is let go."""
        piles, self._piles = self._piles, {}
        for piled in piles.values():
            yield piled.finding(), piled.numbers, b"".join(piled.texts)


def _service(event: FeedEvent) -> str:
    if event.service:
        return event.service
    port = event.port if event.kind.startswith(_ACCESSIBLE) else event.target_port
    return f"{event.transport or 'port'}/{port}" if port else UNKNOWN
