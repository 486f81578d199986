"""What was answered is kept for a day, and then forgotten."""

import pytest
from tests.cases.town import build_town

from tocsin.access import answered, keys
from tocsin.access.answered import AnotherRequest, Answer
from tocsin.access.models import Answered
from tocsin.kernel.problems import Conflict
from tocsin.kernel.time import now

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_what_is_older_than_a_day_is_forgotten_and_may_be_asked_anew() -> None:
    """By the worker, and at once by whoever uses the name again."""
    key, _ = keys.make_key(build_town().unit("kent"), "desk", ["cases:write"])
    done: list[int] = []

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


def test_what_was_refused_is_not_kept() -> None:
    """Nothing was done, so the same name may be used for what will be done."""
    key, _ = keys.make_key(build_town().unit("kent"), "desk", ["cases:write"])

    def refuse() -> Answer:
        raise Conflict()

    with pytest.raises(Conflict):
        answered.once(key, "one", b"a" * 32, refuse)
    assert not Answered.objects.exists()
