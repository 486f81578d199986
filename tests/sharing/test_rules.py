"""What a report says of an address or a name, and the rules of sharing, by themselves and over any stream."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.exchange import a_report
from tests.sharing.street import ATTACKER, DAY, NOON, Street

from tocsin.sharing import queries, services
from tocsin.sharing.models import Assertion, Indicator, Outgoing
from tocsin.sharing.rules import EXPIRY, Claim, Ruling, Standing, Word, claims_of, judge, name_of

PHISHING = {"kind": "fraud/phishing", "names": ("a.example", "B.example.")}


@pytest.mark.parametrize(
    ("changes", "claims"),
    [
        ({}, [Claim("address", ATTACKER)]),
        ({"kind": "intrusions/system-compromise"}, [Claim("address", ATTACKER)]),
        ({"kind": "information-gathering/scanner", "service": "tcp/22"}, [Claim("address", ATTACKER)]),
        # one datagram needs no answer
        ({"kind": "information-gathering/scanner", "service": "udp/53"}, [Claim("address", ATTACKER, False)]),
        ({"kind": "information-gathering/sniffing"}, []),
        ({"kind": "availability/ddos"}, []),
        ({"kind": "information-gathering/scanner", "spoofable": True}, []),  # anybody could have sent it
        ({"severity": "info"}, []),
        ({"lane": "restricted"}, []),
        ({"origins": ("80.94.92.17", "80.94.92.18")}, []),  # several origins: a sample of what is not trusted
        ({"origins": ("token:" + "a" * 32,)}, []),  # an own customer
        ({"origins": ("host.example.com",)}, []),  # a name that the log's reverse look-up gave
        ({"origins": ("::ffff:80.94.92.17",)}, [Claim("address", ATTACKER)]),
        ({"origins": ("2A0B:6B80:0::1",)}, [Claim("address", "2a0b:6b80::1")]),
        ({"origins": ("fe80::1%eth0",)}, []),
        (PHISHING, [Claim("name", "a.example"), Claim("name", "b.example")]),  # never the host's address
        (
            {**PHISHING, "kind": "malicious-code/c2-server"},
            [Claim("name", "a.example"), Claim("name", "b.example")],
        ),
        ({**PHISHING, "severity": "info"}, []),
        ({**PHISHING, "lane": "restricted"}, []),
        ({**PHISHING, "kind": "fraud/copyright"}, []),
        ({"names": ("a.example",)}, [Claim("address", ATTACKER)]),  # names of another kind say nothing
    ],
)
def test_what_a_report_says(changes: dict[str, object], claims: list[Claim]) -> None:
    """Only what is worth a warning, and only what the report is about."""
    assert list(claims_of(a_report(**{"origins": (ATTACKER,), **changes}))) == claims


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Login.Example.COM.", "login.example.com"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("xn--bnk-qla.example", "xn--bnk-qla.example"),
        ("example", None),  # a single label is nobody's site, or everybody's
        ("192.0.2.1", None),
        ("a..b.example", None),
        ("-a.example", None),
        ("a b.example", None),
        ('a"b.example', None),
        ("*.example.com", None),
        ("a.example\n; evil", None),
        ("a;b.example", None),
        ("a.b/c.example", None),
        ("x" * 64 + ".example", None),
        (".".join(["abcdefgh"] * 40), None),
        ("", None),
    ],
)
def test_what_a_resolver_can_be_asked_for(text: str, name: str | None) -> None:
    """Nothing that could mean anything else in a zone file or a pattern."""
    assert name_of(text) == name


instants = st.integers(0, 40 * 24).map(lambda hours: NOON + dt.timedelta(hours=hours))
words = st.lists(st.builds(Word, st.integers(1, 4), instants, st.booleans()), max_size=6).map(tuple)
standings = st.builds(
    Standing,
    kind=st.sampled_from(["address", "name"]),
    state=st.sampled_from(["held", "shared", "withdrawn", "expired"]),
    reason=st.just("as before"),
    words=words,
    ruling=st.none() | st.builds(Ruling, st.booleans(), instants, st.just("because")),
    obstacle=st.sampled_from(["", "", "It is no public address."]),
    caution=st.sampled_from(["", "", "A trusted person has to say yes because"]),
    valid_until=st.just(NOON + 40 * DAY),
)


@given(standings, instants)
@settings(max_examples=200, deadline=None)
def test_nothing_is_shared_on_one_unverified_word(standing: Standing, at: dt.datetime) -> None:
    """Whatever is known: two members whose evidence holds, or a trusted yes; no obstacle; an end to come."""
    verdict = judge(standing, at)
    sources = {word.member for word in standing.words if word.unforgeable}
    approved = standing.ruling is not None and standing.ruling.is_yes
    refused = standing.ruling is not None and not standing.ruling.is_yes
    if verdict.state == "shared":
        assert approved or len(sources) >= 2
        assert not refused
        assert not standing.obstacle
        assert approved or not standing.caution
        assert verdict.valid_until is not None
        assert at < verdict.valid_until <= NOON + 40 * DAY + EXPIRY[standing.kind]
    elif standing.state == "shared":
        assert verdict.state in {"withdrawn", "expired"}
    if standing.state != "held":
        assert verdict.state != "held"  # once shared, never again as if it had not been
    assert verdict.reason.endswith((".", "because", "as before"))


@given(standings, instants)
@example(
    Standing(
        kind="address",
        state="shared",
        ruling=Ruling(True, NOON, "because"),
        caution="A trusted person has to say yes because",
        valid_until=NOON + 40 * DAY,
    ),
    NOON + 7 * DAY,
)
@settings(max_examples=200, deadline=None)
def test_a_verdict_stands_until_something_changes(standing: Standing, at: dt.datetime) -> None:
    """Judged again at the same instant, it is the same."""
    first = judge(standing, at)
    again = replace(
        standing,
        state=first.state,
        reason=first.reason,
        valid_until=first.valid_until,
        tlp=first.tlp,
        basis=first.basis,
    )
    assert judge(again, at) == first


events = st.lists(
    st.tuples(
        st.sampled_from(["ferry", "medway", "lakes"]),
        st.sampled_from(["80.94.92.1", "80.94.92.2", "8.8.8.8", "80.94.93.7", "203.0.113.9"]),
        st.sampled_from(["ssh", "ssh", "udp/53"]),
        st.sampled_from(["low", "high", "info"]),
        st.integers(0, 60),  # hours since the event before
    ),
    max_size=12,
)


@pytest.mark.django_db
@given(stream=events)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_over_any_stream_of_reports(street: Street, stream: list[tuple[str, str, str, str, int]]) -> None:
    """At every moment, what is on the list was said by two members within its life, and nothing else could.

    8.8.8.8 stands on a warning list, 203.0.113.9 is a documentation address, 80.94.93.7 a member's own.
    """
    for model in (Outgoing, Assertion, Indicator):
        model.objects.all().delete()
    member = street.member("lakes")
    member.networks = ["80.94.93.0/24"]
    member.save()
    at, told = NOON, []
    for name, origin, service, severity, hours in stream:
        at += dt.timedelta(hours=hours)
        services.sweep(at)
        street.report(name, origin, at=at, service=service, severity=severity)
        if service == "ssh" and severity != "info":
            told.append((name, origin, at))
        listed = list(queries.shared("address", at))
        assert set(listed) <= {"80.94.92.1", "80.94.92.2"}
        for value in listed:
            said = [(who, when) for who, what, when in told if what == value]
            assert len({who for who, _ in said}) >= 2
            assert max(when for _, when in said) > at - 7 * DAY
        for value in {"80.94.92.1", "80.94.92.2"} - set(listed):
            fresh = {who for who, what, when in told if what == value and when > at - 7 * DAY}
            assert len(fresh) < 2, f"{value} should be on the list"
