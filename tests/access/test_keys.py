"""Machine keys: what they are, when they stop, what is kept of them."""

import datetime as dt
import re

import pytest
from tests.exchange import a_member

from tocsin.access import keys, services
from tocsin.access.models import ApiKey
from tocsin.access.policy import may
from tocsin.journal.models import Content, Entry
from tocsin.kernel.problems import BadInput, NotFound, NotSignedIn
from tocsin.kernel.time import now

pytestmark = pytest.mark.django_db


def test_a_key_has_its_public_beginning_and_256_secret_bits() -> None:
    """`tocsin_<prefix>_<secret>`; neither secret nor text is anywhere in the database."""
    key, text = keys.make_key(a_member(), "edge", ["reports:write"])
    assert re.fullmatch(rf"tocsin_{key.prefix}_[0-9a-f]{{64}}", text)
    secret = text.rsplit("_", 1)[1]
    stored = ApiKey.objects.values_list().get(pk=key.pk)
    assert not any(secret in str(value) for value in stored)
    assert not any(
        secret.encode() in bytes(content) for content in Content.objects.values_list("content", flat=True)
    )


def test_a_key_acts_for_its_member_within_its_scopes() -> None:
    """And for nobody else."""
    member = a_member()
    actor = keys.actor_of_key(keys.make_key(member, "edge", ["reports:write"])[1])
    assert actor.members == (member,)
    assert may(actor, "report.submit")
    assert not may(actor, "report.read")
    assert not may(actor, "queue.read")


@pytest.mark.parametrize("scopes", [[], ["everything"], ["reports:write", "reports:delete"]])
def test_only_scopes_of_the_policy_table_can_be_given(scopes: list[str]) -> None:
    """A typing error is told, not stored."""
    with pytest.raises(BadInput):
        keys.make_key(a_member(), "edge", scopes)


@pytest.mark.parametrize(
    "text", ["", "tocsin_", "tocsin_000000000000_" + "0" * 64, "Bearer x", "é" * 85, "\x00"]
)
def test_a_text_that_is_no_key_signs_nobody_in(text: str) -> None:
    """Whatever it is."""
    with pytest.raises(NotSignedIn):
        keys.actor_of_key(text)


def test_a_revoked_expired_or_suspended_key_is_no_key() -> None:
    """At once, each with the same problem."""
    revoked, one = keys.make_key(a_member(), "edge", ["reports:read"])
    keys.revoke_key(revoked.prefix)
    _, two = keys.make_key(
        a_member(), "edge", ["reports:read"], expires_at=now() + dt.timedelta(milliseconds=1)
    )
    member = a_member()
    _, three = keys.make_key(member, "edge", ["reports:read"])
    services.suspend_member(member, "does not pay")
    said = set()
    for text in (one, two, three):
        with pytest.raises(NotSignedIn) as raised:
            keys.actor_of_key(text)
        said.add((raised.value.detail, raised.value.hint))
    assert len(said) == 1


def test_the_same_prefix_with_another_secret_is_no_key() -> None:
    """The prefix is public."""
    _, text = keys.make_key(a_member(), "edge", ["reports:read"])
    with pytest.raises(NotSignedIn):
        keys.actor_of_key(text[:-1] + ("0" if text[-1] != "0" else "1"))


def test_the_last_use_is_noted_at_most_once_a_minute() -> None:
    """Reading a key writes nothing while the note is fresh."""
    key, text = keys.make_key(a_member(), "edge", ["reports:read"])
    keys.actor_of_key(text)
    first = ApiKey.objects.get(pk=key.pk).last_used_at
    keys.actor_of_key(text)
    assert first is not None
    assert ApiKey.objects.get(pk=key.pk).last_used_at == first
    ApiKey.objects.update(last_used_at=first - dt.timedelta(minutes=2))
    keys.actor_of_key(text)
    assert ApiKey.objects.get(pk=key.pk).last_used_at >= first


def test_making_and_revoking_are_recorded_once() -> None:
    """Revoking twice changes nothing; an unknown prefix is told."""
    key, _ = keys.make_key(a_member(), "edge", ["reports:read"])
    keys.revoke_key(key.prefix)
    keys.revoke_key(key.prefix)
    events = Entry.objects.filter(event__startswith="access:key:").values_list("event", flat=True)
    assert sorted(events) == ["access:key:made", "access:key:revoked"]
    with pytest.raises(NotFound):
        keys.revoke_key("000000000000")
