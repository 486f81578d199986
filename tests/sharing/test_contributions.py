"""What a member writes becomes its word: simple patterns alone, as strictly marked as it was, once."""

import json
import uuid
from typing import Any

import pytest
from django.conf import settings
from tests.exchange import a_key, a_member
from tests.sharing.street import NOON, Street

from tocsin.access.policy import Actor
from tocsin.jobs import worker
from tocsin.kernel.problems import NotAllowed
from tocsin.sharing import channels, contributions, feed, queries
from tocsin.sharing.models import Assertion
from tocsin.wire import stix_in
from tocsin.wire.stix import TLP_MARKINGS, UPSTREAM_EXTENSION, namespace_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]
OLD, LATER = "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"
A, B, NAME = "80.94.92.17", "80.94.92.18", "secure-login.bad-site.top"


def indicator(pattern: str, number: int = 1, **changes: Any) -> bytes:
    """A STIX indicator's bytes."""
    found = {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.UUID(int=number, version=4)}",
        "created": OLD, "modified": OLD, "pattern": pattern, "pattern_type": "stix", "valid_from": OLD,
    }  # fmt: skip
    return json.dumps(found | changes).encode()


def writer(name: str = "writer") -> Actor:
    """The key of a member that writes."""
    return a_key(a_member(name), scopes=("lists:read", "indicators:write"))


def write(actor: Actor, *objects: bytes) -> dict[str, Any]:
    """Write these, and let the worker take them as words; gives the status."""
    made = contributions.take(actor, channels.contributions_of(actor.members[0]), objects)
    worker.drain()
    return dict(json.loads(made))


@pytest.mark.parametrize(
    ("pattern", "values"),
    [
        (f"[ipv4-addr:value = '{A}']", [("address", A)]),
        (f"[ipv4-addr:value='{A}' OR ipv4-addr:value='{B}']", [("address", A), ("address", B)]),
        (f"[ipv4-addr:value = '{A}'] OR [domain-name:value = '{NAME}']", [("address", A), ("name", NAME)]),
        ("[domain-name:value = 'it\\'s.example']", [("name", "it's.example")]),
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '80.94.92.17']",
            [("address", A)],
        ),
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:src_ref.value = '80.94.92.17']",
            None,
        ),
        (f"[ipv4-addr:value = '{A}' AND domain-name:value = '{NAME}']", None),
        (f"[ipv4-addr:value = '{A}'] FOLLOWEDBY [domain-name:value = '{NAME}']", None),
        (f"[ipv4-addr:value != '{A}']", None),
        ("[url:value = 'http://x.example/']", None),
        (f"[NOT ipv4-addr:value = '{A}']", None),
        ("", None),
    ],
)
def test_what_a_pattern_says(pattern: str, values: list[tuple[str, str]] | None) -> None:
    """Addresses and names, or nothing: half of a pattern would be another claim."""
    assert stix_in.values_of(pattern) == values


def test_two_members_who_write_share_what_they_wrote() -> None:
    """As two reports do; what each wrote names nobody in what is shared."""
    for name in ("ferry", "medway"):
        write(writer(name), indicator(f"[ipv4-addr:value = '{A}' OR domain-name:value = '{NAME}']"))
    assert list(queries.shared("address")) == [A]
    assert list(queries.shared("name")) == [NAME]
    page = feed.bodies(channels.shared_channel(None, "green"), feed.Wanted(), 100)
    assert not any(b"ferry" in body or b"medway" in body for body in page.bodies)


def test_the_same_again_is_no_second_word() -> None:
    """A second version renews, a revoked one takes back, deleting takes back."""
    actor = writer()
    pattern = f"[ipv4-addr:value = '{A}']"
    write(actor, indicator(pattern))
    write(actor, indicator(pattern))
    write(actor, indicator(pattern, modified="2026-02-01T00:00:00.000Z"))
    assert Assertion.objects.filter(withdrawn_at=None).count() == 1
    write(actor, indicator(pattern, modified="2026-03-01T00:00:00.000Z", revoked=True))
    assert not Assertion.objects.filter(withdrawn_at=None).exists()
    write(actor, indicator(pattern, 2))
    own, wanted = channels.contributions_of(actor.members[0]), uuid.UUID(int=2, version=4)
    contributions.delete(actor, own, feed.Wanted(ids=(wanted,)))
    assert not Assertion.objects.filter(withdrawn_at=None).exists()


@pytest.mark.parametrize(
    ("markings", "tlp"),
    [
        ([], "green"),
        ([f"marking-definition--{TLP_MARKINGS['amber']}"], "amber"),
        (["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"], "amber"),
        (
            [f"marking-definition--{TLP_MARKINGS['clear']}", f"marking-definition--{TLP_MARKINGS['red']}"],
            "red",
        ),
        (["marking-definition--00000000-0000-4000-8000-000000000000"], "green"),
    ],
)
def test_markings_of_both_versions_hold_the_strictest_counts(markings: list[str], tlp: str) -> None:
    """TLP 1 and TLP 2."""
    write(writer(), indicator(f"[ipv4-addr:value = '{A}']", object_marking_refs=markings))
    assert Assertion.objects.get().tlp == tlp


def test_what_is_over_or_odd_is_kept_and_is_nobodys_word() -> None:
    """It is read back as it was written; nothing is claimed of it."""
    actor = writer()
    odd = [
        indicator("[url:value = 'http://x.example/']", 1),
        indicator(f"[ipv4-addr:value = '{A}']", 2, valid_until="2026-01-02T00:00:00.000Z"),
        indicator(f"[ipv4-addr:value = '{A}']", 3, pattern_type="sigma"),
        indicator("[ipv4-addr:value = 'not one']", 4),
        indicator(f"[ipv4-addr:value = '{A}']", 5, confidence="high"),
    ]
    assert write(actor, *odd)["success_count"] == 5
    assert not Assertion.objects.exists()
    page = feed.bodies(channels.contributions_of(actor.members[0]), feed.Wanted(), 10)
    assert page.bodies == odd


def test_nobody_writes_for_another(street: Street) -> None:
    """Nor without the scope."""
    other = channels.contributions_of(street.member("ferry"))
    with pytest.raises(NotAllowed):
        contributions.take(writer(), other, [indicator("[ipv4-addr:value = '192.0.2.1']")], NOON)
    with pytest.raises(NotAllowed):
        contributions.take(street.key("ferry"), other, [indicator("[ipv4-addr:value = '192.0.2.1']")], NOON)


def test_what_is_no_text_is_refused_and_holds_up_nothing(db: None) -> None:
    """Broken UTF-8 where nobody looks would be broken JSON for whoever reads it."""
    actor = writer()
    broken = indicator(f"[ipv4-addr:value = '{A}']", 1, name="x?x").replace(b"?", b"\xca")
    told = write(actor, broken, indicator(f"[ipv4-addr:value = '{B}']", 2))
    assert (told["success_count"], told["failure_count"]) == (1, 1)
    assert told["failures"][0]["message"].startswith("no STIX object")
    assert Assertion.objects.get().indicator.value == B
    with pytest.raises(stix_in.NotStix):
        stix_in.claim_of(indicator("[ipv4-addr:value = '?']").replace(b"?", b"\xca"))


def test_a_word_says_whose_feed_it_passes_on_and_is_news_with_each_version(db: None) -> None:
    """By our extension, else by whoever made it; what the exchange told itself is nobody's word."""
    actor = writer()
    maker = "identity--55f6ea5e-2c60-40e5-964f-47a8950d210f"
    named = {UPSTREAM_EXTENSION: {"extension_type": "property-extension", "upstream": "list.example"}}
    ours = f"identity--{namespace_of(settings.ORIGIN)}"
    write(
        actor,
        indicator(f"[ipv4-addr:value = '{A}']", 1, created_by_ref=maker),
        indicator(f"[ipv4-addr:value = '{B}']", 2, created_by_ref=maker, extensions=named),
        indicator(f"[domain-name:value = '{NAME}']", 3, created_by_ref=ours),
    )
    upstreams = dict(Assertion.objects.values_list("indicator__value", "upstream"))
    assert upstreams == {A: maker, B: "list.example"}
    first = Assertion.objects.get(indicator__value=A)
    write(actor, indicator(f"[ipv4-addr:value = '{A}']", 1, created_by_ref=maker, modified=LATER))
    again = Assertion.objects.get(indicator__value=A)
    assert (again.pk, again.asserted_at > first.asserted_at) == (first.pk, True)
