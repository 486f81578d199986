"""Telling the people of a member what no report is about: on every page, and by mail as they wish."""

from tocsin.access import alerts
from tocsin.access.models import Member, Person
from tocsin.journal.acts import Act, Stamp
from tocsin.journal.chain import Placement
from tocsin.notices import audiences, mailing
from tocsin.notices.models import Item
from tocsin.notices.wishes import wishes_of


def tell_member(recorded: Act, stamp: Stamp, member: Member, kind: str, about: str, words: str) -> int:
    """Tell everybody who reports for a member, once for this entry; gives how many people that is."""
    people = audiences.people().by_member.get(member.pk, frozenset())
    alerts.tell(Person.objects.filter(pk__in=people), words)

    def to_mail(_: Placement) -> None:
        wishes = wishes_of(people)
        waiting = [
            Item(
                person_id=person,
                kind=kind,
                entry_seq=stamp.seq,
                about=about,
                words=words,
                at=stamp.placed_at,
                due_at=due_at,
            )
            for person in people
            if (due_at := wishes[person].due_at(kind, stamp.placed_at)) is not None
        ]
        Item.objects.bulk_create(waiting, ignore_conflicts=True)

    if mailing.is_on():
        recorded.when_placed(to_mail)
    return len(people)
