"""What leaves a provider names no own customer and carries no raw line."""

import ipaddress
import re
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.sift import reporting
from tocsin.sift.minimise import minimise, networks
from tocsin.sift.reported import service_of, target_of
from tocsin.sift.values import Attack, EvidenceLines
from tocsin.wire.letters import Letter, open_letter

OWN = ("192.0.2.0/24", "2001:db8:10::/48")
KEY = b"\x01" * 32


def attack(origin: str, target: str) -> Attack:
    """An attack of a plain kind between two names."""
    return Attack(
        attack_id="attack_local",
        kind="intrusion-attempts/brute-force",
        origins=(origin,),
        targets=(target,),
        service="ssh",
        first_seen_at="2026-11-22T01:00:00Z",
        last_seen_at="2026-11-22T02:00:00Z",
        count=9,
        severity="low",
        evidence=(EvidenceLines("/home/amy/auth.log", (1, 2), 2, "00" * 32),),
    )


def sent(origin: str, target: str, key: bytes = KEY) -> bytes:
    """The bytes that would leave."""
    report = minimise(
        attack(origin, target),
        own=networks(OWN),
        key=key,
        source_ids={"/home/amy/auth.log": "portal-login"},
        holdings={},
    )
    return msgspec.json.encode(report)


inside = st.one_of(
    st.ip_addresses(network="192.0.2.0/24").map(str), st.ip_addresses(network="2001:db8:10::/48").map(str)
)
outside = st.ip_addresses(v=4).map(str).filter(lambda a: not a.startswith("192.0.2."))


@given(inside, outside)
def test_no_address_of_an_own_customer_leaves(own: str, other: str) -> None:
    """As origin or as target, it is a token; the other side stays readable."""
    for origin, target in ((own, other), (other, own)):
        body = sent(origin, target).decode()
        assert f'"{own}"' not in body
        assert f'"{other}"' in body
        assert "attack_local" not in body


@given(inside, outside)
def test_a_token_cannot_be_guessed_without_the_key(own: str, other: str) -> None:
    """Two members give the same customer different tokens and different ids."""
    assert sent(own, other) != sent(own, other, key=b"\x02" * 32)


def test_paths_stay_at_home() -> None:
    """A path can name a person; the log's type does not."""
    assert b"amy" not in sent("203.0.113.7", "shell1")


def test_the_id_is_unchanged_where_nothing_was_hidden() -> None:
    """Strangers' addresses keep the id that `tocsin sift` shows."""
    assert b'"attack_local"' in sent("203.0.113.7", "shell1")


def test_networks_are_read_leniently() -> None:
    """A host address with a prefix length names its network."""
    assert networks(["192.0.2.9/24"]) == [ipaddress.ip_network("192.0.2.0/24")]


MAILBOX = re.compile(r"[\w.+%=-]+@[\w-]+(?:\.[\w-]+)+")
USER = re.compile(
    r"(?:user(?:name)?|login|account|name=|sasl_username=|for (?:invalid |illegal )?user)"
    r"[\s:='\"]+([\w.:-]{4,})",
    re.I,
)
QUERY = re.compile(r"https?://[^\s<>\"']*\?([^\s<>\"']{4,})")
ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7})(?![\w.:])", re.I
)
WORDS = {"from", "unknown", "smtp", "http", "abuse", "none", "name", "root", "spam"}  # of reports themselves


@cache
def text_of(path: Path) -> str:
    """Everything that a mail says, as it stands there and decoded."""

    def decoded(letter: Letter) -> str:
        parts = [part.text for part in letter.attachments] + [letter.subject, letter.body]
        return "\n".join(parts + [decoded(open_letter(mail)) for mail in letter.enclosed])

    content = path.read_bytes()
    return content.decode("utf-8", "replace") + "\n" + decoded(open_letter(content))


def would_leave(path: Path, home: Path, *own: str) -> str:
    """The exact bytes of all reports on a mail, even of those that weigh nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOCSIN_EDGE_HOME", str(home))
        plan = reporting.Plan(url="https://exchange.example", networks=own, least="info")
        return "\n".join(reporting.preview([path], plan))


def mails(samples: Path) -> list[Path]:
    """All sample mails."""
    found = sorted((samples / "mail").rglob("*.eml"))
    assert len(found) > 60
    return found


def test_nothing_of_a_mail_leaves_that_could_be_a_person(samples: Path, tmp_path: Path) -> None:
    """No mailbox, no subject, no user name and no query string of any sample mail is in its reports."""
    for path in mails(samples):
        text, left = text_of(path), would_leave(path, tmp_path).lower()
        subject = open_letter(path.read_bytes()).subject.lower()
        assert not subject or len(subject) < 6 or ADDRESS.fullmatch(subject) or subject not in left, path.name
        for mailbox in MAILBOX.findall(text):
            assert mailbox.lower() not in left, (path.name, mailbox)
        assert "@" not in left, path.name
        for user in {user.lower() for user in USER.findall(text) if not _address(user)} - WORDS:
            named = re.search(rf"(?<![\w.-]){re.escape(user)}(?![\w.-])", left)
            assert not named or "." in user, (path.name, user)  # a dotted one may be the host of a report
        for query in QUERY.findall(text):
            assert query.lower() not in left, (path.name, query)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_address_inside_our_networks_leaves_by_a_mail(
    samples: Path, tmp_path: Path, data: st.DataObject
) -> None:
    """Whatever part of the addresses in a mail is ours: each becomes a token wherever it stands."""
    path = data.draw(st.sampled_from(mails(samples)))
    addresses = sorted(
        {found for text in ADDRESS.findall(text_of(path)) if (found := _address(text))}, key=str
    )
    if not addresses:
        return
    chosen = data.draw(st.lists(st.sampled_from(addresses), min_size=1, max_size=3))
    own = [
        str(ipaddress.ip_network(f"{one}/{data.draw(st.integers(8, one.max_prefixlen))}", strict=False))
        for one in chosen
    ]
    left = would_leave(path, tmp_path, *own)
    inside = [
        one for one in addresses if any(one in net for net in networks(own) if net.version == one.version)
    ]
    assert inside
    for one in inside:
        assert not re.search(rf"(?<![\w.:]){re.escape(str(one))}(?![\w.:])", left), (path.name, str(one), own)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


@given(st.text(max_size=120))
def test_a_strangers_words_never_become_a_target_or_a_service(text: str) -> None:
    """An address, a name or a short brand, one word; never a mailbox, a path or a number of a person."""
    target, service = target_of(text), service_of(text)
    for told in (target, service):
        assert "@" not in told
        assert "?" not in told
        assert len(told) <= 253
    assert "/" not in target
