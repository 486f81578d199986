"""Filling the table of flows: from CSV as nfdump and others print it, and from nfdump's JSON."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.sift.flows.table import PROTOCOLS, named
from tocsin.sift.sources import Stream, Unreadable
from tocsin.sift.stamps import LATEST

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NOT_A_FLOW = "a flow record that does not fit its header"
NOT_TEXT = "a line that is no CSV text"
LONGEST = 1 << 20
MOST = 1 << 50  # packets or bytes in one flow: more is no measurement
Reject = Callable[[int, str, bytes], None]
See = Callable[[bytes], None]

_JSON = (
    "first VARCHAR, last VARCHAR, src4_addr VARCHAR, src6_addr VARCHAR, dst4_addr VARCHAR, dst6_addr VARCHAR"
    ", src_port VARCHAR, dst_port VARCHAR, proto VARCHAR, tcp_flags VARCHAR, in_packets VARCHAR"
    ", in_bytes VARCHAR"
)


def copy(stream: Stream, path: Path, see: See) -> int:
    """Write the stream to a file that DuckDB can read, invalid UTF-8 replaced; gives its lines.

    What follows nfdump's `Summary` are sums of its own and left out.
    """

    def pieces() -> Iterator[bytes]:
        while data := stream.read(1 << 24):
            see(data)
            yield data

    return clean(pieces(), path)


def clean(pieces: Iterable[bytes], path: Path) -> int:
    """The same for pieces of text."""
    lines, ends = 0, b""
    with path.open("wb") as out:
        for data in pieces:
            data = data.replace(b"\0", b"?").replace(b"\r\n", b"\n")
            if not data.isascii():
                data = data.decode("utf-8", "replace").encode()
            cut = (ends + data).find(b"\nSummary\n")
            if cut >= 0:
                data = data[: max(cut + 1 - len(ends), 0)]
            out.write(data)
            lines += data.count(b"\n")
            ends = data[-8:]
            if cut >= 0:
                break
    return lines + (bool(ends) and not ends.endswith(b"\n"))


def load_csv(
    db: "DuckDBPyConnection", path: Path, header: list[str], lines: int, zone: str, reject: Reject
) -> None:
    """Put the flows of a file of so many lines into the table; the header is its first."""
    columns = "{" + ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(header))) + "}"
    with path.open("rb") as file:  # nfdump never quotes: a stray quote must not swallow the lines behind it
        quote = '"' if b'"' in file.readline(LONGEST) else ""
    db.execute(
        "CREATE OR REPLACE TEMP TABLE raw AS SELECT row_number() OVER () AS n, * FROM read_csv(?,"
        f" auto_detect=false, header=false, skip=1, delim=',', quote='{quote}', columns={columns},"
        f" null_padding=true, strict_mode=false, ignore_errors=true, max_line_size={LONGEST}, parallel=true)",
        [str(path)],
    )
    place = named(header)
    text = {ours: f"c{at}" for ours, at in place.items()}
    _insert(db, "n + 1", text, zone)
    raw = "concat_ws(',', " + ", ".join(f"c{number}" for number in range(len(header))) + ")"
    missing = lines - 1 - _settle(db, raw, 1, reject)
    for _ in range(missing):
        reject(0, NOT_TEXT, b"")


def load_json(db: "DuckDBPyConnection", path: Path, is_list: bool, zone: str, reject: Reject) -> None:
    """The same for nfdump's JSON: a list of records, or one a line."""
    form = "array" if is_list else "newline_delimited"
    columns = "{" + ", ".join(f"'{name.split()[0]}': 'VARCHAR'" for name in _JSON.split(", ")) + "}"
    import duckdb

    try:
        db.execute(
            "CREATE OR REPLACE TEMP TABLE raw AS SELECT row_number() OVER () AS n, * FROM read_json(?,"
            f" format='{form}', columns={columns}, ignore_errors={'false' if is_list else 'true'})",
            [str(path)],
        )
    except duckdb.Error:
        raise Unreadable("broken JSON") from None
    text = {
        "first": "first",
        "last": "last",
        "source": "coalesce(src4_addr, src6_addr)",
        "target": "coalesce(dst4_addr, dst6_addr)",
        "source_port": "src_port",
        "target_port": "dst_port",
        "protocol": "proto",
        "flags": "tcp_flags",
        "packets": "in_packets",
        "bytes": "in_bytes",
    }
    _insert(db, "n", text, zone)
    _settle(db, "concat_ws(',', r.first, r.src4_addr, r.dst4_addr, r.proto)", 0, reject)


def _insert(db: "DuckDBPyConnection", line: str, text: dict[str, str], zone: str) -> None:
    def number(name: str) -> str:
        return f"try_cast(try_cast(trim({text[name]}) AS DOUBLE) AS BIGINT)" if name in text else "0"

    def port(name: str) -> str:
        return f"coalesce(try_cast({number(name)} AS INTEGER), 0)"

    first = _instant(text["first"], zone)
    last = _instant(text["last"], zone) if "last" in text else first
    names = " ".join(f"WHEN '{code}' THEN '{name}'" for code, name in PROTOCOLS.items())
    flags = f"coalesce({text['flags']}, '')" if "flags" in text else "''"
    db.execute(
        f"INSERT INTO flow SELECT {line}, {first}, coalesce({last}, {first}), trim({text['source']}),"
        f" trim({text['target']}), {port('source_port')}, {port('target_port')},"
        f" CASE trim({text['protocol']}) {names} ELSE upper(trim({text['protocol']})) END, {flags},"
        f" {number('packets')}, greatest(coalesce({number('bytes')}, 0), 0) FROM raw"
    )


def _instant(column: str, zone: str) -> str:
    """Seconds since 1970 of a time that is written out (in the clock's zone) or counted."""
    return (
        f"coalesce(try_cast(try_cast({column} AS DOUBLE) AS BIGINT),"
        f" epoch(timezone('{zone}', try_cast(replace({column}, 'T', ' ') AS TIMESTAMP)))::BIGINT)"
    )


def _settle(db: "DuckDBPyConnection", raw: str, before: int, reject: Reject) -> int:
    """Take out what is no flow, each with its reason; gives how many rows there were.

    `before` is the number of the line before the first row.
    """
    bad = (
        f"f.first IS NULL OR f.first < 631152000 OR greatest(f.first, f.last) > {LATEST}"
        f" OR f.packets IS NULL OR NOT f.packets BETWEEN 0 AND {MOST} OR f.bytes > {MOST}"
        " OR f.protocol IS NULL"
        " OR NOT regexp_matches(coalesce(f.source, ''), '^[0-9a-fA-F.:]{2,45}$')"
        " OR NOT regexp_matches(coalesce(f.target, ''), '^[0-9a-fA-F.:]{2,45}$')"
    )
    broken = db.execute(
        f"SELECT f.line, {raw} FROM flow f JOIN raw r ON r.n = f.line - {before} WHERE {bad} ORDER BY 1"
    )
    while row := broken.fetchone():
        reject(row[0], NOT_A_FLOW, str(row[1]).encode())
    db.execute(f"DELETE FROM flow f WHERE {bad}")
    read = int(db.execute("SELECT count(*) FROM raw").fetchone()[0])  # type: ignore[index]
    db.execute("DROP TABLE raw")
    return read
