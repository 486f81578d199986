"""What one person must hear of: that a seal was broken, that they were named to a sealed case.

An alert stands on every page of the person until it was read. It names a case by its number and says nothing
of its content.
"""

from collections.abc import Iterable, Sequence

from tocsin.access.models import Alert, Person
from tocsin.access.policy import Actor
from tocsin.journal.acts import act
from tocsin.kernel.time import now


def tell(people: Iterable[Person], words: str) -> None:
    """Tell each of these people, once: what somebody has not read yet is not said again."""
    at = now()
    with act():
        unique = {person.pk: person for person in people if person.is_active}
        known = Alert.objects.filter(person__in=unique, words=words, seen_at__isnull=True)
        for pk in known.values_list("person_id", flat=True):
            unique.pop(pk, None)
        Alert.objects.bulk_create(Alert(person=person, words=words, at=at) for person in unique.values())


def unseen(actor: Actor) -> int:
    """How many alerts the actor has not read."""
    if actor.person is None:
        return 0
    return Alert.objects.filter(person=actor.person, seen_at__isnull=True).count()


def for_person(actor: Actor) -> Sequence[Alert]:
    """The newest 50 alerts of the actor."""
    if actor.person is None:
        return ()
    return list(Alert.objects.filter(person=actor.person).order_by("-at", "-pk")[:50])


def mark_seen(actor: Actor) -> int:
    """The actor has read them; gives how many were new."""
    with act():
        return Alert.objects.filter(person=actor.person, seen_at__isnull=True).update(seen_at=now())
