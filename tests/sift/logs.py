"""Small logs of our own making, for tests."""

from collections.abc import Iterable
from pathlib import Path

from tocsin.sift.engine import Options, sift
from tocsin.sift.values import Attack, Sifted

FAILED = "Failed password for root from {origin} port 22 ssh2"


def syslog(messages: Iterable[str], *, host: str = "gate", at: str = "Dec 10 06:55:{second:02}") -> str:
    """Lines as rsyslog writes them, one a second."""
    return "".join(
        f"{at.format(second=second % 60)} {host} sshd[{100 + second}]: {message}\n"
        for second, message in enumerate(messages)
    )


def sift_text(folder: Path, text: str | bytes, name: str = "auth.log", **options: object) -> Sifted:
    """Sift one file with this content."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return sift([str(path)], Options(**options))  # type: ignore[arg-type]


def by_origin(attacks: Iterable[Attack]) -> dict[str, int]:
    """Evidence lines per origin, summed over its attacks."""
    lines: dict[str, int] = {}
    for attack in attacks:
        for origin in attack.origins:
            lines[origin] = lines.get(origin, 0) + sum(part.line_count for part in attack.evidence)
    return lines
