"""The folder where the edge tool keeps what it must not lose: spools, receipts, pinned keys."""

import os
from pathlib import Path


def edge_home() -> Path:
    """`TOCSIN_EDGE_HOME`, else `tocsin` in the XDG data folder (`~/.local/share`)."""
    named = os.environ.get("TOCSIN_EDGE_HOME")
    if named:
        return Path(named).expanduser()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "tocsin"
