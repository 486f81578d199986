"""Flow records as one table, whatever exported them: times, both ends, packets and bytes.

The table lives in DuckDB, on disk as soon as it is large. Rows keep the order and the number of their line.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "1GB"
COLUMNS = (
    "line BIGINT, first BIGINT, last BIGINT, source VARCHAR, target VARCHAR, source_port INTEGER,"
    " target_port INTEGER, protocol VARCHAR, flags VARCHAR, packets BIGINT, bytes BIGINT"
)
# What the tools call their columns: nfdump's csv of 1.6 and 1.7, its JSON, and plain words.
NAMES = {
    "first": ("ts", "first", "firstseen", "first_seen", "start", "starttime", "stime"),
    "last": ("te", "last", "lastseen", "last_seen", "end", "endtime", "etime"),
    "source": ("sa", "srcaddr", "src4_addr", "src6_addr", "src_ip", "source", "src"),
    "target": ("da", "dstaddr", "dst4_addr", "dst6_addr", "dst_ip", "destination", "dst"),
    "source_port": ("sp", "srcport", "src_port", "sport"),
    "target_port": ("dp", "dstport", "dst_port", "dport"),
    "protocol": ("pr", "proto", "protocol"),
    "flags": ("flg", "flags", "tcp_flags"),
    "packets": ("ipkt", "packets", "in_packets", "pkts"),
    "bytes": ("ibyt", "bytes", "in_bytes", "octets"),
}
NEEDED = ("first", "source", "target", "protocol", "packets")
PROTOCOLS = {1: "ICMP", 6: "TCP", 17: "UDP", 47: "GRE", 50: "ESP", 58: "ICMP6"}


@contextmanager
def flow_table() -> Iterator["DuckDBPyConnection"]:
    """A connection with an empty table `flow`, gone when the block ends."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
        db = duckdb.connect()  # in memory as long as it is small: a file costs more than reading most flows
        try:
            db.execute(f"SET memory_limit='{MEMORY}'; SET threads=2; SET TimeZone='UTC'")
            db.execute(f"SET temp_directory='{Path(folder).as_posix()}'")
            db.execute(f"CREATE TABLE flow ({COLUMNS})")
            yield db
        finally:
            db.close()


def named(header: list[str]) -> dict[str, int]:
    """Which of our columns stands where in a header; not all need to be there."""
    spelled = [name.strip().strip('"').lower() for name in header]
    return {
        ours: next(spelled.index(name) for name in theirs if name in spelled)
        for ours, theirs in NAMES.items()
        if any(name in spelled for name in theirs)
    }


def is_flow_header(header: list[str]) -> bool:
    """Whether a header names what a flow must have."""
    found = named(header)
    return all(name in found for name in NEEDED) and "source_port" in found
