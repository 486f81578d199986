"""What a list stops, as a resolver's log and a firewall's counters tell it."""

import datetime as dt
import json
import re

from hypothesis import given
from hypothesis import strategies as st
from tests.nation.conftest import Nation

from tocsin.nation import hits
from tocsin.nation.blocklogs import ALWAYS, counted
from tocsin.nation.traffic import Flow, read

HOUR = dt.datetime(2026, 10, 5, 14, tzinfo=dt.UTC)
TRAFFIC = [
    Flow(HOUR, "name", "secure.refund12.example", 2),
    Flow(HOUR + dt.timedelta(hours=1), "name", "secure.refund12.example", 1),
    Flow(HOUR, "name", "dl.kabo12.example", 5),
    Flow(HOUR, "address", "198.18.0.7", 9),
    Flow(HOUR, "address", "2001:db8:bad::7", 4),
]


def test_bind_says_what_it_rewrote() -> None:
    """One line a connection, in order of time, in the words of BIND 9."""
    lines = list(hits(TRAFFIC, {"secure.refund12.example": ALWAYS}, "bind"))
    assert len(lines) == 3
    assert lines == sorted(lines)
    assert re.fullmatch(
        r"2026-10-05T14:15:00\.000Z rpz: info: client @0x[0-9a-f]+ 192\.0\.2\.\d+#\d+ "
        r"\(secure\.refund12\.example\): rpz QNAME NXDOMAIN rewrite secure\.refund12\.example/A/IN via "
        r"secure\.refund12\.example\.rpz\.tocsin",
        lines[0],
    )


def test_unbound_says_what_it_applied() -> None:
    """One line a connection, with the seconds since 1970."""
    lines = list(hits(TRAFFIC, {"dl.kabo12.example": ALWAYS}, "unbound"))
    assert len(lines) == 5
    assert re.fullmatch(
        rf"\[{int(HOUR.timestamp()) + 360}\] unbound\[1000:0\] info: rpz: applied \[tocsin\] "
        r"dl\.kabo12\.example\. rpz-nxdomain 192\.0\.2\.\d+@\d+ dl\.kabo12\.example\. A IN",
        lines[0],
    )


def test_nftables_counts_every_listed_address() -> None:
    """Also the one that never came; names and addresses off the list do not appear."""
    listed = dict.fromkeys(("198.18.0.7", "198.18.0.8", "2001:db8:bad::7", "dl.kabo12.example"), ALWAYS)
    (text,) = hits(TRAFFIC, listed, "nft")
    counters = {
        one["elem"]["val"]: one["elem"]["counter"]["packets"]
        for item in json.loads(text)["nftables"]
        for one in item.get("set", {}).get("elem", ())
    }
    assert counters == {"198.18.0.7": 9, "198.18.0.8": 0, "2001:db8:bad::7": 4}


def test_a_list_stops_nothing_before_it_names_it() -> None:
    """What was listed at three o'clock let the hour before it through."""
    since = {"secure.refund12.example": HOUR + dt.timedelta(hours=1)}
    assert len(list(hits(TRAFFIC, since, "bind"))) == 1
    assert counted(TRAFFIC, since) == {"secure.refund12.example": 1}


@given(st.lists(st.tuples(st.integers(0, 48), st.sampled_from("abc"), st.integers(1, 30)), max_size=20))
def test_every_stopped_connection_is_a_line_within_its_hour(rows: list[tuple[int, str, int]]) -> None:
    """Lines come to what was counted, hour by hour, whatever the traffic."""
    traffic = [
        Flow(HOUR + dt.timedelta(hours=hour), "name", f"{name}.example", count) for hour, name, count in rows
    ]
    listed = dict.fromkeys(("a.example", "b.example"), ALWAYS)
    lines = list(hits(traffic, listed, "bind"))
    assert len(lines) == counted(traffic, listed).total()
    by_hour = {line[:13] for line in lines}
    assert by_hour == {f"{flow.hour:%Y-%m-%dT%H}" for flow in traffic if flow.value in listed}


def test_a_nations_traffic_calls_its_bad_places(nation: Nation) -> None:
    """Names and addresses of its campaigns, within its days, and far more at larger providers."""
    bad = {name for one in nation.truth.campaigns for name in (*one.names, *one.origins)}
    totals = []
    for member in nation.members:
        flows = list(read(nation.folder / "traffic" / f"{member['key']}.csv"))
        assert {flow.value for flow in flows} <= bad
        assert all(flow.connections > 0 and 5 <= flow.hour.day <= 11 for flow in flows)
        totals.append(sum(flow.connections for flow in flows))
    assert sum(totals) == nation.summary.connections
    assert totals[0] > 3 * totals[-1]
