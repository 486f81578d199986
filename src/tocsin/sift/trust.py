"""Which key each exchange signs with: pinned at the first report, then never changed silently."""

import hashlib
from pathlib import Path

from tocsin.kernel.problems import NotGenuine
from tocsin.sift.home import edge_home


class NotPinned(NotGenuine):
    """This machine does not know the exchange's key."""

    slug = "not-pinned"
    hint = "give the key with --trust, or report once so that it is pinned"


class KeyChanged(NotGenuine):
    """The exchange shows another key than the one pinned at the first report."""

    slug = "key-changed"
    hint = "ask the exchange's operator by telephone; if the change is genuine, remove the pin's file"


def pinned(origin: str) -> bytes:
    """The public key, 32 raw bytes, that `origin` was first met with. Raises NotPinned."""
    file = _file(origin)
    try:
        return bytes.fromhex(file.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        raise NotPinned(f"this machine has pinned no key for {origin}") from None


def pin(origin: str, public: bytes) -> bool:
    """Remember the key of `origin`; True when it is new. Raises KeyChanged where another is pinned."""
    try:
        known = pinned(origin)
    except NotPinned:
        file = _file(origin)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(f"{public.hex()} {origin}\n")
        return True
    if known != public:
        raise KeyChanged(f"{origin} was pinned with another key (in {_file(origin)})")
    return False


def _file(origin: str) -> Path:
    # The name comes from outside: hash it, so that it cannot walk the file system.
    return edge_home() / "trust" / (hashlib.sha256(origin.encode()).hexdigest()[:24] + ".pub")
