"""Floods in a table of flows: who was flooded, how, how hard, and by what it can be known again.

Four vectors are told apart. `udp-reflection`: answers from the ports of known amplifiers that the victim
never asked, which is what tells them from a busy resolver's own answers. `tcp-syn`: connection attempts from
many addresses that never go on. `udp` and `icmp`: many sources at once towards one target. All the origins
are forged or abused, so that none is told as an attacker. The totals are those of everything that reached the
victim while the flood lasted: what its line had to carry.
"""

from csv import DictReader
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from tocsin.wire.report import Severity

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DAY = 86_400
# From how many flows of how many sources a vector is a flood; below that it may be anything.
LEAST_FLOWS, LEAST_SOURCES = 100, 20
OF_ALL = 0.2  # a vector with less of the victim's packets, and of its bytes, is beside the point
COMPONENT = 0.1  # an amplifier with less of the flood's packets is not named
AROUND = 60  # seconds before and after its own flows that count as "meanwhile"
SAMPLE = 100
# Peak rates, in packets and bits a second, from which a flood is of a severity.
SEVERITY: tuple[tuple[Severity, int, int], ...] = (
    ("critical", 5_000_000, 40_000_000_000),
    ("high", 100_000, 1_000_000_000),
    ("medium", 1_000, 10_000_000),
)
KIND = "availability/ddos"


@dataclass(frozen=True, slots=True)
class Flood:
    """A flood of one vector on one victim on one UTC day; `numbers` are the first 10,000 of its lines.

    Packets, bytes and flows are all that reached the victim meanwhile; peaks are of the busiest second.
    """

    target: str
    vector: str
    told: str
    day: int
    first: int
    last: int
    flows: int
    packets: int
    bytes: int
    peak_packets: int
    peak_bytes: int
    sources: int
    sample: tuple[tuple[str, int], ...]
    fingerprint: str
    severity: Severity
    numbers: list[int]


@cache
def amplifiers() -> dict[int, str]:
    """UDP ports of services that answer more than they are asked, and the services' names."""
    text = resources.files("tocsin.sift.flows").joinpath("vectors.csv").read_text()
    return {int(row["port"]): row["name"] for row in DictReader(text.splitlines())}


def find(db: "DuckDBPyConnection") -> list[Flood]:
    """Every flood in the table, the victims in order."""
    _classify(db)
    rows = db.execute(_FLOODS).fetchall()
    return [_flood(db, *row) for row in rows]


def count(db: "DuckDBPyConnection") -> int:
    """How many flows there are."""
    return _row(db, "SELECT count(*) FROM flow", [])[0]


def rows(db: "DuckDBPyConnection", flood: Flood) -> bytes:
    """The flows whose lines a flood names, as CSV: what its digest speaks for."""
    found = db.execute(
        "SELECT concat_ws(',', first, last, source, target, source_port, target_port, protocol, flags,"
        " packets, bytes) FROM vector WHERE target = ? AND day = ? AND first <= ? AND last >= ?"
        " ORDER BY line LIMIT ?",
        [flood.target, flood.day, flood.last + AROUND, flood.first - AROUND, len(flood.numbers)],
    ).fetchall()
    return "".join(f"{text}\n" for (text,) in found).encode()


def _classify(db: "DuckDBPyConnection") -> None:
    """Give each flow a vector, or none."""
    ports = ", ".join(map(str, amplifiers()))
    db.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE asked AS
          SELECT DISTINCT source AS victim, target AS server, target_port AS port FROM flow
          WHERE protocol = 'UDP' AND target_port IN ({ports});
        CREATE OR REPLACE TEMP TABLE vector AS
          SELECT f.*, f.first // {DAY} AS day, CASE
            WHEN f.protocol = 'UDP' AND f.source_port IN ({ports}) AND a.port IS NULL THEN 'udp-reflection'
            WHEN f.protocol = 'UDP' AND a.port IS NOT NULL THEN NULL
            WHEN f.protocol = 'TCP' AND contains(f.flags, 'S') AND NOT regexp_matches(f.flags, '[AFRP]')
              THEN 'tcp-syn'
            WHEN f.protocol = 'UDP' THEN 'udp'
            WHEN f.protocol IN ('ICMP', 'ICMP6') THEN 'icmp'
          END AS vector
          FROM flow f LEFT JOIN asked a
            ON a.victim = f.target AND a.server = f.source AND a.port = f.source_port
        """
    )


# The strongest vector of a victim's day is the flood; the others that came with it are in its totals.
_FLOODS = f"""
WITH whole AS (SELECT target, day, sum(packets) AS packets, sum(bytes) AS bytes
  FROM vector GROUP BY ALL),
each AS (
  SELECT target, day, vector, count(*) AS flows, sum(packets) AS packets, sum(bytes) AS bytes,
    count(DISTINCT source) AS sources, min(first) AS first, max(last) AS last
  FROM vector WHERE vector IS NOT NULL GROUP BY ALL),
strong AS (
  SELECT each.*, row_number() OVER (PARTITION BY target, day ORDER BY each.bytes DESC, vector) AS place
  FROM each JOIN whole USING (target, day)
  WHERE flows >= {LEAST_FLOWS} AND sources >= {LEAST_SOURCES}
    AND (each.packets >= {OF_ALL} * whole.packets OR each.bytes >= {OF_ALL} * whole.bytes))
SELECT target, day, vector, first, last FROM strong WHERE place = 1 ORDER BY target, day
"""


def _flood(db: "DuckDBPyConnection", target: str, day: int, vector: str, first: int, last: int) -> Flood:
    victim, mine = [target, day], [target, day, vector]
    where = "target = ? AND day = ?"
    flows, packets, volume, sources = _row(
        db,
        f"SELECT count(*), sum(packets), sum(bytes), count(DISTINCT source) FROM vector WHERE {where}"
        f" AND first <= {last + AROUND} AND last >= {first - AROUND}",
        victim,
    )
    peak_packets, peak_bytes = _row(
        db,
        "SELECT max(p), max(b) FROM (SELECT first, sum(packets / greatest(last - first, 1)) AS p,"
        f" sum(bytes / greatest(last - first, 1)) AS b FROM vector WHERE {where} GROUP BY first)",
        victim,
    )
    sample = db.execute(
        f"SELECT source, sum(packets)::BIGINT FROM vector WHERE {where} AND vector = ? GROUP BY source"
        f" ORDER BY 2 DESC, 1 LIMIT {SAMPLE}",
        mine,
    ).fetchall()
    numbers = db.execute(
        f"SELECT line FROM vector WHERE {where} AND first <= {last + AROUND} AND last >= {first - AROUND}"
        " ORDER BY line LIMIT 10000",
        victim,
    ).fetchall()
    told, fingerprint = _described(db, mine, where)
    peak_packets, peak_bytes = int(peak_packets), int(peak_bytes)
    return Flood(
        target=target,
        vector=vector,
        told=told,
        day=day,
        first=first,
        last=last,
        flows=flows,
        packets=int(packets),
        bytes=int(volume),
        peak_packets=peak_packets,
        peak_bytes=peak_bytes,
        sources=sources,
        sample=tuple(sample),
        fingerprint=fingerprint,
        severity=severity_of(peak_packets, peak_bytes * 8),
        numbers=[number for (number,) in numbers],
    )


def severity_of(packets: int, bits: int) -> Severity:
    """What peak rates a second make of a flood."""
    for severity, of_packets, of_bits in SEVERITY:
        if packets >= of_packets or bits >= of_bits:
            return severity
    return "low"


def _described(db: "DuckDBPyConnection", mine: list[object], where: str) -> tuple[str, str]:
    """The vector in words, and what another network would see of the same flood, whoever its victim is."""
    rows = db.execute(
        f"""
        SELECT source_port, sum(packets) / sum(sum(packets)) OVER () AS share FROM vector
        WHERE {where} AND vector = ? GROUP BY source_port QUALIFY share >= {COMPONENT} ORDER BY source_port
        """,
        mine,
    ).fetchall()
    size, flags = _row(
        db,
        f"SELECT sum(bytes) / greatest(sum(packets), 1), mode(replace(flags, '.', '')) FROM vector"
        f" WHERE {where} AND vector = ?",
        mine,
    )
    vector = str(mine[2])
    bucket = 1 << max(int(size).bit_length() - 1, 0)  # packets of 64-127 bytes, of 128-255 …
    ports = [port for port, _ in rows] if vector == "udp-reflection" else []
    mark = f"{vector} src={'+'.join(map(str, ports)) or '*'} len={bucket}-{2 * bucket - 1}"
    if vector == "udp-reflection":
        names = ", ".join(f"{amplifiers()[port]} (udp/{port})" for port in ports)
        return f"reflection from {names}", mark
    if vector == "tcp-syn":
        return "TCP SYN flood", f"{mark} flags={flags}"
    return f"{vector.upper()} flood", mark


def _row(db: "DuckDBPyConnection", query: str, values: list[object]) -> tuple[int, ...]:
    found = db.execute(query, values).fetchone()
    assert found is not None  # noqa: S101 (an aggregate always gives a row)
    return tuple(found)
