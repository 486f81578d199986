"""Block logs of resolvers: which lines are a block by the exchange's list, of which name, in which hour."""

import datetime as dt
from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.sift.hits.names import Listed
from tocsin.sift.lines import Block
from tocsin.sift.rpzlogs import Hits
from tocsin.sift.stamps import Clock
from tocsin.sift.values import Balance

LISTED = Listed(["login.bad.top", "bad.top"], wild=["bad.top"])
AT = "2026-11-20T01:02:03.515"
NOT_AFTER = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
HOUR = int(dt.datetime(2026, 11, 20, 1, tzinfo=dt.UTC).timestamp())


def bind(name: str = "login.bad.top", policy: str = "QNAME NXDOMAIN", via: str | None = None) -> str:
    """As BIND 9.18 writes the message."""
    via = via or f"{name}.tocsin.rpz"
    return f"client @0x7f73150fe098 127.0.0.1#54586 ({name}): rpz {policy} rewrite {name}/A/IN via {via}"


def unbound(name: str = "login.bad.top", action: str = "rpz-nxdomain", trigger: str | None = None) -> str:
    """As Unbound 1.17 writes the message."""
    return f"info: rpz: applied [tocsin] {trigger or name}. {action} 127.0.0.1@53801 {name}. A IN"


def counted(*lines: str, listed: Listed = LISTED, tz: str = "UTC") -> tuple[Counter[tuple[str, int]], Hits]:
    balance = Balance()

    def reject(number: int, reason: str, raw: bytes) -> None:
        balance.rejected += 1
        balance.reasons[reason] += 1

    hits = Hits(balance, reject)
    hits.read(Block(pl.Series("line", list(lines), dtype=pl.String), 1), Clock(NOT_AFTER, tz=tz), listed)
    return hits.counts, hits


@pytest.mark.parametrize(
    "line",
    [
        f"{AT} rpz: info: {bind()}",  # print-time iso8601, category and severity
        f"{AT}Z {bind()}",  # iso8601-utc, nothing else
        f"{AT}Z rpz: {bind()}",
        f"20-Nov-2026 01:02:03.515 rpz: info: {bind()}",  # print-time yes
        f"Nov 20 01:02:03 ns1 named[812]: {bind()}",  # by syslog
        f"<30>Nov 20 01:02:03 ns1 named[812]: rpz: info: {bind()}",
        f"2026-11-20T02:02:03.5+01:00 ns1 named[812]: {bind()}",
        f"{AT}Z {bind('LOGIN.bad.Top')}",
        f"{AT}Z {bind(policy='QNAME NODATA')}",
        f"{AT}Z {bind(policy='QNAME DROP')}",
        f"{AT}Z {bind(policy='QNAME Local-Data')}",
        f"{AT}Z {bind(policy='QNAME CNAME')}",
        f"{AT}Z client @0x1 ::1#5 (login.bad.top): view inside: "
        "rpz QNAME NXDOMAIN rewrite login.bad.top/AAAA/IN via login.bad.top.tocsin.rpz",
        f"{AT}Z client 127.0.0.1#5 (login.bad.top): "
        "rpz QNAME NXDOMAIN rewrite login.bad.top via login.bad.top.tocsin.rpz",  # before 9.11
        f"{AT}Z {bind('alias.example', via='login.bad.top.tocsin.rpz')}",  # an alias led to it
        f"[{HOUR + 123}] unbound[24509:0] {unbound()}",
        f"[{HOUR + 123}.250] unbound[24509:0] {unbound()}",
        f"Nov 20 01:02:03 unbound[24509:0] {unbound()}",  # log-time-ascii
        f"2026-11-20T01:02:03.123+00:00 unbound[24509:0] {unbound()}",  # log-time-iso
        f"Nov 20 01:02:03 ns1 unbound: [24509:0] {unbound()}",
        f"[{HOUR}] unbound[1:0] {unbound('Login.Bad.TOP')}",
        f"[{HOUR}] unbound[1:0] {unbound(action='rpz-nodata')}",
        f"[{HOUR}] unbound[1:0] {unbound(action='rpz-drop')}",
        f"[{HOUR}] unbound[1:0] {unbound(action='rpz-local-data')}",
        f"[{HOUR}] unbound[1:0] {unbound().replace('[tocsin] ', '')}",  # without rpz-log-name
    ],
)
def test_a_block_is_counted_in_its_hour(line: str) -> None:
    """Every form in which the two daemons write it, whatever stamp stands before."""
    counts, hits = counted(line)
    assert counts == {("login.bad.top", HOUR): 1}
    assert hits.balance.rejected == hits.balance.noise == 0


KNOT, KNOT5 = "[rules ][64019.00]   => local data", "[policy][06280.00]  "
PDNS = "took 0 packets, 0 netw ms, 0 tot ms, 0 throttled, 0 timeouts, 0/0 tcp/dot connections"
PDNS_KEYS = 'subsystem="syncres" level="0" prio="Info" tid="1" ts="1795136523.972"'


@pytest.mark.parametrize(
    ("message", "client"),
    [
        (f"kresd[812]: {KNOT} applied, user: 192.0.2.1, name: login.bad.top.", "192.0.2.1"),
        (f"kresd[812]: {KNOT} applied, user: 2001:db8::1, name: Login.bad.top", "2001:db8::1"),
        (f"kresd[812]: {KNOT} applied, name: login.bad.top.", None),
        (f"kresd1[812]: {KNOT5} DENY applied for login.bad.top. A", None),
        (f"kresd1[812]: {KNOT5} ANSWER (nodata) applied for login.bad.top. AAAA", None),
        (f"kresd1[812]: {KNOT5} DROP applied for login.bad.top. A", None),
        (
            "pdns_recursor[9]: Dropping query because of a filtering policy "
            "(login.bad.top/A from 192.0.2.1:55204)",
            "192.0.2.1",
        ),
        (
            f'pdns_recursor[9]: msg="Dropping query because of a filtering policy" {PDNS_KEYS} mtid="5"'
            ' proto="udp" qname="login.bad.top" qtype="A" remote="[2001:db8::1]:41364"',
            "2001:db8::1",
        ),
        (
            "pdns_recursor[9]: 1 [1/1] answer to question 'login.bad.top|A': 0 answers, 1 additional, "
            f"{PDNS}, rcode=3, dnssec=Indeterminate",
            None,
        ),
        (
            f'pdns_recursor[9]: msg="Answer" {PDNS_KEYS} additional="1" answers="0" dotout="0" mtid="1"'
            ' netms="0.000000" outqueries="0" proto="udp" qname="login.bad.top" qtype="A" rcode="3" rd="1"'
            ' remote="192.0.2.1:42846" tcpout="0" throttled="0" validationState="Indeterminate"',
            "192.0.2.1",
        ),
    ],
)
def test_knot_and_powerdns_say_it_in_their_words(message: str, client: str | None) -> None:
    """Knot Resolver 5 and 6, PowerDNS Recursor with words and with keys; the client where it is told."""
    counts, hits = counted(f"Nov 20 01:02:03 ns1 {message}")
    assert counts == {("login.bad.top", HOUR): 1}
    assert [frame["client"].to_list() for frame in hits.frames] == [[client]]


@pytest.mark.parametrize(
    "message",
    [
        f"{KNOT} dry-run, user: 192.0.2.1, name: login.bad.top.",
        f"{KNOT5} PASS applied for login.bad.top. A",
        "1 [1/1] question for 'login.bad.top|A' from 192.0.2.1:42153",
        # asked somebody, has an answer, or is a name that no list has: not the list's doing
        "1 [1/1] answer to question 'login.bad.top|A': 0 answers, 1 additional, took 2 packets, rcode=3",
        "1 [1/1] answer to question 'login.bad.top|A': 1 answers, 1 additional, took 0 packets, rcode=0",
        "1 [1/1] answer to question 'other.example|A': 0 answers, 1 additional, took 0 packets, rcode=3",
        "somebody may rewrite this and it is applied for nothing",
    ],
)
def test_what_stopped_nobody_is_noise(message: str) -> None:
    """Trials, passes, questions and answers of other causes."""
    counts, hits = counted(f"Nov 20 01:02:03 ns1 x[1]: {message}")
    assert (counts, hits.balance.noise, hits.balance.rejected) == ({}, 1, 0)


def test_without_a_list_powerdns_answers_say_nothing() -> None:
    """Only a list can tell an answer that it caused from one that was remembered."""
    counts, _ = counted(
        "Nov 20 01:02:03 ns1 x[1]: 1 [1/1] answer to question 'a.top|A': 0 answers, 1 additional, "
        f"{PDNS}, rcode=3",
        listed=Listed(None),
    )
    assert counts == {}


def test_clients_are_read_from_bind_and_unbound() -> None:
    """With the address family they have."""
    _, hits = counted(f"{AT}Z {bind()}", f"[{HOUR}] x {unbound().replace('127.0.0.1@', '2001:db8::1@')}")
    assert sorted(frame["client"][0] for frame in hits.frames) == ["127.0.0.1", "2001:db8::1"]


@pytest.mark.parametrize(
    "line",
    [
        f"{AT}Z {bind('www.vendor.example')}",  # another policy zone's business
        f"{AT}Z {bind('evil.login.bad.top', via='evil.login.bad.top.vendor.rpz').replace('bad', 'worse')}",
        f"{AT}Z {bind('sub.login.bad.example')}",
        f"{AT}Z {bind(policy='QNAME PASSTHRU')}",
        f"{AT}Z {bind(policy='QNAME TCP-ONLY')}",
        f"{AT}Z {bind()}".replace(": rpz QNAME", ": disabled rpz QNAME"),
        f"[{HOUR}] unbound[1:0] {unbound('www.vendor.example')}",
        f"[{HOUR}] unbound[1:0] {unbound(action='rpz-passthru')}",
        f"[{HOUR}] unbound[1:0] {unbound(action='rpz-disabled')}",
    ],
)
def test_what_another_policy_did_stays_here(line: str) -> None:
    """Counted as elsewhere, without a name."""
    counts, hits = counted(line)
    assert (counts, hits.elsewhere) == ({}, 1)


def test_a_wildcard_leads_to_the_listed_name() -> None:
    """BIND names what was asked, Unbound the wildcard; neither subdomain leaves."""
    counts, _ = counted(
        f"{AT}Z {bind('a.b.bad.top')}", f"[{HOUR}] x {unbound('c.bad.top', trigger='*.bad.top')}"
    )
    assert counts == {("bad.top", HOUR): 2}


def test_other_lines_are_noise_and_the_unreadable_is_kept() -> None:
    """The balance holds: each line is a block, noise, or rejected with its reason."""
    _, hits = counted(
        f"{AT} rpz: tocsin.rpz: reload done: success",
        f"{AT} client @0x1 127.0.0.1#5 (x): query: x IN A + (127.0.0.1)",
        "",
        "no stamp at all",
        f"{AT}Z client @0x1 127.0.0.1#5 (x): rpz QNAME NXDOMAIN rewrite x/A/IN",  # cut short
        f"2026-13-40T01:02:03Z {bind()}",
        f"2199-01-01T01:02:03Z {bind()}",
        f"{AT}Z {bind()}",
    )
    assert (hits.balance.observed, hits.balance.noise) == (1, 2)
    assert hits.balance.reasons == {
        "no log header": 1,
        "an RPZ line of a form that is not known": 1,
        "impossible time": 2,
    }


def test_times_without_a_zone_are_in_the_zone_that_is_told() -> None:
    """BIND's local time in Amsterdam is an hour ahead of UTC in winter."""
    counts, _ = counted(f"20-Nov-2026 02:02:03.515 {bind()}", tz="Europe/Amsterdam")
    assert list(counts) == [("login.bad.top", HOUR)]


def test_without_a_list_every_policy_is_shown() -> None:
    """For a look before the first list: the names that were refused."""
    counts, _ = counted(f"{AT}Z {bind('a.example')}", listed=Listed(None))
    assert list(counts) == [("a.example", HOUR)]


A_BLOCK = st.tuples(st.sampled_from(["login.bad.top", "x.bad.top", "other.example"]), st.integers(0, 50))


@settings(max_examples=30, deadline=None)
@given(st.lists(A_BLOCK, max_size=12))
def test_any_order_and_any_split_counts_the_same(blocks: list[tuple[str, int]]) -> None:
    """The sum does not depend on the order of lines, nor on where a block ends."""
    lines = []
    for name, hours in blocks:
        trigger = "*.bad.top" if name == "x.bad.top" else name
        lines.append(f"[{HOUR - 3600 * hours}] x {unbound(name, trigger=trigger)}")
    whole, _ = counted(*lines)
    assert whole == sum((counted(line)[0] for line in reversed(lines)), Counter())
    assert sum(whole.values()) == sum(name != "other.example" for name, _ in blocks)
