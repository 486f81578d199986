"""Notices: what members are told, in plain words, once, and never of each other."""

import datetime as dt

import pytest
from tests.cases.town import NOON, Town

from tocsin.cases import clocks
from tocsin.cases.services import Responder, accept_case, answer_case, withdraw_answer
from tocsin.journal.models import Entry
from tocsin.kernel.problems import NotAllowed
from tocsin.notices import queries, services
from tocsin.notices.models import Notice

pytestmark = pytest.mark.django_db

LATER = NOON + dt.timedelta(hours=1)


def tell_all() -> None:
    last = Entry.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    services.tell(0, last)


def test_a_member_is_told_what_became_of_its_report(town: Town) -> None:
    """Received (automatic, and said so), owner named, outcome given, answer taken back."""
    report = town.report()
    case = town.case_of(report)
    by = Responder.of(town.actor("olive"), case)
    accept_case(case, by, LATER)
    answer_case(case, by, "1", "A man was charged.", at=LATER)
    withdraw_answer(case, by, LATER)
    tell_all()
    said = [notice.words for notice in queries.for_member(town.actor("rita"))][::-1]
    assert "automatically; nobody has read it yet" in said[0]
    assert said[1] == "Olive, Kent Police, has taken it. A person is looking at it now."
    assert "A man was charged." in said[2]
    assert "took the answer back" in said[3]


def test_telling_twice_tells_once(town: Town) -> None:
    """A job may run again."""
    town.report()
    tell_all()
    before = Notice.objects.count()
    tell_all()
    assert Notice.objects.count() == before > 0


def test_an_overdue_clock_is_told_to_the_reporters_it_is_owed_to(town: Town) -> None:
    """And to no others of the case, whose reports came later."""
    town.report("ferry")
    town.report("medway", received_at=NOON + dt.timedelta(days=1))
    clocks.sweep(NOON + dt.timedelta(days=1, hours=1))
    tell_all()
    told = Notice.objects.filter(event="cases:clock:breached").values_list("member__name", flat=True)
    assert list(told) == ["Ferry"]
    assert (
        "Overdue since Wednesday 11 November, 12:00 GMT"
        in Notice.objects.get(event="cases:clock:breached").words
    )


def test_nobody_is_told_of_another_member(town: Town) -> None:
    """Neither of its name, nor of the logs it holds."""
    town.report("ferry")
    town.report("medway", delete_at=NOON + dt.timedelta(days=5))
    case = town.case_of(town.report("ferry"))
    accept_case(case, Responder.of(town.actor("olive"), case), LATER)
    clocks.sweep(NOON + dt.timedelta(days=3))
    tell_all()
    ferry = Notice.objects.filter(member=town.members["ferry"])
    assert ferry.filter(event="cases:case:accepted").exists()
    assert not ferry.filter(event="cases:holding:expiring").exists()
    assert Notice.objects.filter(member=town.members["medway"], event="cases:holding:expiring").exists()
    assert not any("Medway" in words for words in ferry.values_list("words", flat=True))


def test_only_the_members_own_notices_are_shown_and_marked(town: Town) -> None:
    """Marking another's does nothing; a unit has none to see."""
    case = town.case_of(town.report("ferry"))
    accept_case(case, Responder.of(town.actor("olive"), case), LATER)
    tell_all()
    ids = list(Notice.objects.values_list("pk", flat=True))
    assert queries.for_member(town.actor("max")) == []
    assert services.mark_seen(town.actor("max"), ids) == 0
    assert queries.count_new(town.actor("rita")) == 1
    assert services.mark_seen(town.actor("rita"), ids) == 1
    assert queries.count_new(town.actor("rita")) == 0
    with pytest.raises(NotAllowed):
        queries.for_member(town.actor("olive"))
