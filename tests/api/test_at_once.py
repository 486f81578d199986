"""The same act sent twice at the same time is done once, on either engine."""

import threading
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from tests.cases.town import build_town

from tocsin.access import answered, keys
from tocsin.access.answered import AnotherRequest, Answer
from tocsin.access.models import Answered
from tocsin.cases.models import Decision
from tocsin.cases.services import Responder, accept_case, assess_case
from tocsin.kernel.hashing import sha256
from tocsin.kernel.time import now

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def test_a_duplicate_waits_and_gets_the_same_answer() -> None:
    """Eight at once: one decision, one stored answer, eight equal answers."""
    cache.clear()
    town = build_town()
    case = town.case_of(town.report("ferry", severity="medium", received_at=now()))
    by = Responder.of(town.actor("olive"), case)
    accept_case(case, by)
    key, _ = keys.make_key(town.unit("kent"), "desk", ["cases:write"])
    together, answers, errors = threading.Barrier(8), [], []

    def act() -> Answer:
        assess_case(case, by, "X-INV", "There are lines of enquiry")
        return Answer(200, "", b"done")

    def run() -> None:
        try:
            together.wait(30)
            answers.append(answered.once(key, "one", sha256(b"the same"), act))
        except Exception as error:  # told below, in the test's own thread
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert errors == []
    assert {answer.body for answer, _ in answers} == {b"done"}
    assert sorted(was_known for _, was_known in answers) == [False] + [True] * 7
    assert (Decision.objects.count(), Answered.objects.count()) == (1, 1)


def test_what_is_older_than_a_day_is_forgotten_and_may_be_asked_anew() -> None:
    """By the worker, and at once by whoever uses the name again."""
    cache.clear()
    town = build_town()
    key, _ = keys.make_key(town.unit("kent"), "desk", ["cases:write"])
    done: list[Any] = []

    def act() -> Answer:
        done.append(1)
        return Answer(200, "", b"done")

    start = now()
    answered.once(key, "one", b"a" * 32, act, start)
    with pytest.raises(AnotherRequest):
        answered.once(key, "one", b"b" * 32, act, start)
    late = start + answered.KEPT_FOR
    assert answered.once(key, "one", b"b" * 32, act, late)[1] is False
    assert len(done) == 2
    assert answered.forget_old(late) == 0
    assert answered.forget_old(late + answered.KEPT_FOR) == 1
