"""What an officer or the coordinator does on a day: the queue from its top, as far as the minutes reach."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.habits.desks import Session
from bench.habits.effort import INVESTIGATED

if TYPE_CHECKING:
    from bench.habits.exchange import Town

INTELLIGENCE, INVESTIGATING = "X-INT", "X-INV"
KEPT = "Kept as intelligence, linked with what else is known of it."
BEGUN = "It is being investigated."
ENDED, HELPED = "18", "source-port"
WORDS = "No suspect was identified. It is opened again when something new comes in."
PASSED_ON = ("medium", "low")  # severities that a unit above the forces passes on
HAS_TIME = "It is not grave, and one of the forces whose providers reported it has the time for it."
MINUTE = dt.timedelta(minutes=1)

Todo = Callable[[], float]


@dataclass
class Sitting:
    """One person's time on one day. Each step is one act and takes its minutes."""

    town: "Town"
    shift: Session
    left: float
    todo: list[Todo] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def step(self, at: dt.datetime) -> dt.datetime | None:
        """Do the next thing; gives when the one after it can begin, None where the day's work is over."""
        from tocsin.kernel.problems import Problem

        if not self.todo:
            self.todo = self.desk()
        if self.left <= 0 or not self.todo:
            self.town.owed[self.shift.officer.email] = max(0.0, -self.left)
            return None
        try:
            spent = self.todo.pop(0)()
        except Problem:
            spent = self.town.effort.refused  # somebody was quicker
        self.left -= spent
        self.town.minutes += spent
        return at + MINUTE * spent

    def desk(self) -> list[Todo]:
        """What lies there and was not looked at today, most urgent first; nothing when all was."""
        from tocsin.cases import queries

        officer = self.shift.officer
        actor = self.town.actors.get(officer.email)
        if actor is None:
            letters = self.unseen(self.town.letters.get(officer.unit_id, []))
            return [partial(self.by_link, token) for token in letters]
        if not officer.unit_id:
            unsent = {
                row.case_id: row.unit.unit_id
                for row in queries.coordination(actor).not_joined
                if not row.links
            }
            return [partial(self.send, case_id, unsent[case_id]) for case_id in self.unseen(unsent)]
        if officer.unit_id in self.town.passing and (light := self.light(actor)):
            return [partial(self.pass_on, light)]
        number, pages = 1, 1
        while number <= pages:
            page = queries.queue(actor, number=number)
            if fresh := self.unseen(row.case_id for row in page.rows):
                return [partial(self.handle, case_id) for case_id in fresh]
            number, pages = number + 1, page.pages
        return [partial(self.decide_groups, fresh) for fresh in self.groups(actor)]

    def light(self, actor: Any) -> list[str]:
        """Cases that nobody took and that are not grave: a page of the queue, filtered to them."""
        from tocsin.cases import queries
        from tocsin.cases.queueing import Wish

        for severity in PASSED_ON:
            number, pages = 1, 1
            while number <= pages:
                page = queries.queue(actor, Wish(severity=severity, owner="nobody"), number)
                if found := [row.case_id for row in page.rows if row.case_id not in self.town.kept]:
                    return found
                number, pages = number + 1, page.pages
        return []

    def pass_on(self, case_ids: list[str]) -> float:
        """A page of them, looked over and passed on in one press; what nobody else can have stays."""
        from tocsin.cases import bulk
        from tocsin.cases.passing import LEAST_BUSY

        order = bulk.Order("redirect", unit_id=LEAST_BUSY, words=HAS_TIME)
        done = bulk.do_many(self.town.actors[self.shift.officer.email], case_ids, order)
        self.town.kept.update(one.case_id for one in done.refused)
        return self.town.effort.groups(len(case_ids))

    def groups(self, actor: Any) -> list[list[str]]:
        """The first page of groups below the threshold that holds some not yet seen today."""
        from tocsin.cases import queries

        number, pages = 1, 1
        while number <= pages:
            page = queries.groups_below(actor, number=number)
            if fresh := self.unseen(row.case_id for row in page.rows):
                return [fresh]
            number, pages = number + 1, page.pages
        return []

    def decide_groups(self, case_ids: list[str]) -> float:
        """A page of groups, looked over and decided in one press with the prepared reason."""
        from tocsin.cases import bulk

        actor = self.town.actors[self.shift.officer.email]
        bulk.do_many(actor, case_ids, bulk.Order("assess", status=INTELLIGENCE))
        return self.town.effort.groups(len(case_ids))

    def unseen(self, names: Iterable[str]) -> list[str]:
        """Those that were not on the desk before today; from now on they were."""
        fresh = [name for name in names if name not in self.seen]
        self.seen.update(fresh)
        return fresh

    def send(self, case_id: str, unit_id: str) -> float:
        """The coordinator sends the packet with a one-time link."""
        from tocsin.cases import queries, services

        actor = self.town.actors[self.shift.officer.email]
        token = services.make_one_time_link(queries.fetch_case(actor, case_id), actor)
        self.town.letters[unit_id].append(token)
        return self.town.effort.send_packet

    def handle(self, case_id: str) -> float:
        """The next step of a case of one's own queue."""
        from tocsin.cases import queries
        from tocsin.cases.responders import Responder

        actor = self.town.actors[self.shift.officer.email]
        case = queries.fetch_case(actor, case_id)
        return self.go_on(case, Responder.of(actor, case))

    def by_link(self, token: str) -> float:
        """The next step of a case that came by letter."""
        from tocsin.cases import services
        from tocsin.cases.responders import Responder
        from tocsin.kernel.problems import Problem

        try:
            link = services.find_link(token)
            if not link.officer_name:
                services.accept_by_link(link, self.shift.officer.name)
            spent = self.go_on(services.find_link(token).case, Responder.of_link(link))
        except Problem:
            self.put_away(token)
            raise
        link.case.refresh_from_db()
        if not link.case.is_open:
            self.put_away(token)
        return spent + self.town.effort.by_link

    def put_away(self, token: str) -> None:
        """A letter that needs no more; a colleague on the same shift may have put it away before."""
        letters = self.town.letters[self.shift.officer.unit_id]
        if token in letters:
            letters.remove(token)

    def go_on(self, case: Any, by: Any) -> float:
        """Decide a new case; investigate, and at last answer, one that is under way."""
        from tocsin.cases import services

        effort = self.town.effort
        if case.status != INVESTIGATING:
            grave = case.severity in INVESTIGATED
            services.assess_case(case, by, INVESTIGATING if grave else INTELLIGENCE, BEGUN if grave else KEPT)
            return effort.read_case(case.report_count) + effort.decide
        missing = self.town.missing.setdefault(case.pk, effort.investigate)
        spent = min(missing, max(self.left, 0.0))
        self.town.missing[case.pk] = missing - spent
        if missing > spent:
            services.assess_case(case, by, INVESTIGATING, BEGUN)  # the reporters hear how it stands
            return spent + effort.update
        services.answer_case(case, by, ENDED, WORDS, [HELPED])
        return spent + effort.answer
