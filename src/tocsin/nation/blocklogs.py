"""What a resolver and a firewall write when a list stops a nation's traffic.

`hits(traffic, listed, form)` plays a provider's would-be connections against a list: names give the lines of
BIND's or Unbound's RPZ log, addresses the counters of an nftables set. What is not listed leaves no trace.
Clients are documentation addresses (RFC 5737), made up here.
"""

import datetime as dt
import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from tocsin.nation.traffic import Flow

Form = Literal["bind", "unbound", "nft"]

ALWAYS = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
ZONE = "rpz.tocsin"
_PACKET = 60  # bytes of a TCP opening
_WEEK = 604_800


def hits(traffic: Iterable[Flow], listed: Mapping[str, dt.datetime], form: Form) -> Iterator[str]:
    """The lines, without line ends; `listed` says since when each value is on the list.

    `nft` gives one line: the JSON of `nft -j list table inet tocsin`, with every listed address counted.
    """
    stopped = (flow for flow in traffic if flow.value in listed and flow.hour >= listed[flow.value])
    if form == "nft":
        yield msgspec.json.encode(_counters(stopped, listed)).decode()
        return
    names = sorted(
        (flow for flow in stopped if flow.kind == "name"), key=lambda flow: (flow.hour, flow.value)
    )
    write = _bind if form == "bind" else _unbound
    for flow in names:
        for number in range(flow.connections):
            yield write(flow, number)


def counted(traffic: Iterable[Flow], listed: Mapping[str, dt.datetime]) -> Counter[str]:
    """How many connections the list stops, by value: what tallies of those logs must come to."""
    total: Counter[str] = Counter()
    for flow in traffic:
        if flow.value in listed and flow.hour >= listed[flow.value]:
            total[flow.value] += flow.connections
    return total


def _bind(flow: Flow, number: int) -> str:
    """BIND 9, category rpz, with `print-time iso8601-utc`, print-category and print-severity."""
    at = flow.hour + _into_the_hour(flow, number)
    client = f"client @0x7f{number % 9999:04}c0de00 {_client(number)} ({flow.value})"
    stamp = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
    return (
        f"{stamp} rpz: info: {client}: rpz QNAME NXDOMAIN rewrite {flow.value}/A/IN via {flow.value}.{ZONE}"
    )


def _unbound(flow: Flow, number: int) -> str:
    """Unbound with `rpz-log: yes` and `rpz-log-name: tocsin`; times count from 1970."""
    at = int((flow.hour + _into_the_hour(flow, number)).timestamp())
    client = _client(number).replace("#", "@")
    return (
        f"[{at}] unbound[1000:0] info: rpz: applied [tocsin] {flow.value}. rpz-nxdomain "
        f"{client} {flow.value}. A IN"
    )


def _counters(stopped: Iterable[Flow], listed: Mapping[str, dt.datetime]) -> dict[str, Any]:
    total = Counter({value: 0 for value in listed if _is_address(value)})
    for flow in stopped:
        if flow.kind == "address":
            total[flow.value] += flow.connections
    head = {"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}
    table = {"table": {"family": "inet", "name": "tocsin", "handle": 1}}
    sets = [_set(f"shared{version}", f"ipv{version}_addr", total, version) for version in (4, 6)]
    return {"nftables": [head, table, *sets]}


def _set(name: str, of: str, total: Counter[str], version: int) -> dict[str, Any]:
    elements = [
        {"elem": {"val": value, "timeout": _WEEK, "expires": _WEEK, "counter": _counter(count)}}
        for value, count in sorted(total.items())
        if ipaddress.ip_address(value).version == version
    ]
    return {
        "set": {
            "family": "inet", "name": name, "table": "tocsin", "type": of, "handle": version,
            "flags": ["interval", "timeout"],
            "elem": elements, "stmt": [{"counter": None}],
        }
    }  # fmt: skip


def _counter(packets: int) -> dict[str, int]:
    return {"packets": packets, "bytes": packets * _PACKET}


def _into_the_hour(flow: Flow, number: int) -> dt.timedelta:
    """Connections spread evenly over their hour."""
    return dt.timedelta(seconds=3600 * (number + 0.5) / flow.connections)


def _client(number: int) -> str:
    return f"192.0.2.{1 + number % 254}#{1024 + number % 60_000}"


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True
