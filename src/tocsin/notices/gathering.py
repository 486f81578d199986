"""From the journal to people: an entry becomes at most one piece of news for each person it concerns."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tocsin.cases import words
from tocsin.cases.member_reports import concerns
from tocsin.cases.models import Case
from tocsin.cases.units import current_pack
from tocsin.intake.models import Report
from tocsin.journal.queries import HistoryItem
from tocsin.kernel.time import parse_rfc3339
from tocsin.notices import audiences
from tocsin.notices.kinds import EVENTS, KINDS
from tocsin.notices.models import Item
from tocsin.notices.wishes import wishes_of


@dataclass(frozen=True)
class News:
    """An entry for some people: of which kind, in which words, about what."""

    item: HistoryItem
    kind: str
    words: str
    about: str
    people: frozenset[int]
    count: int = 1


def items_of(history: Sequence[HistoryItem], reports: dict[str, list[Report]]) -> list[Item]:
    """What waits to be mailed of these entries; `reports` by subject, as `services.reports_of` gives them."""
    everybody = audiences.people()
    cases = audiences.cases_of({item.subject for item in history})
    found = [
        news
        for item in history
        for kind in EVENTS.get(item.event, ())
        for news in _news(everybody, item, kind, cases.get(item.subject), reports[item.subject])
    ]
    wishes = wishes_of({person for news in found for person in news.people})
    items: dict[tuple[int, int], Item] = {}
    for news in found:
        for person in news.people:
            due_at = wishes[person].due_at(news.kind, news.item.at)
            if due_at is not None:
                items.setdefault(
                    (person, news.item.seq),
                    Item(
                        person_id=person,
                        kind=news.kind,
                        entry_seq=news.item.seq,
                        about=news.about,
                        count=news.count,
                        words=news.words,
                        at=news.item.at,
                        due_at=due_at,
                    ),
                )
    return list(items.values())


def _news(
    everybody: audiences.People, item: HistoryItem, kind: str, case: Case | None, reports: Iterable[Report]
) -> Iterable[News]:
    audience = KINDS[kind].audience
    if audience == "member":
        yield from _for_members(everybody, item, kind, reports)
    elif case is not None and item.event == "cases:seal:broken":
        people = audiences.of_seal(case) if audience == "unit" else everybody.coordinators
        yield News(item, kind, _broken(item, case), case.case_id, people)
    elif case is not None:
        said = words.say(current_pack(), item, "unit")
        if said is None:
            return
        if audience == "unit":
            people = audiences.of_case(everybody, case)
        else:
            waits = not case.investigating_unit.has_joined or item.event == "cases:clock:escalated"
            people = everybody.coordinators if waits else frozenset()
        yield News(item, kind, f"{_named(case)}: {said.words}", case.case_id, people)


def _broken(item: HistoryItem, case: Case) -> str:
    """Who broke the seal of which case, until when, and by which key; nothing that the case or they said.

    The reason may tell of the case, and so is read on one's account's page alone, or in the case.
    """
    content = item.content or {}
    until = words.when(current_pack(), parse_rfc3339(content["until"])) if "until" in content else "–"
    by = f", by the key {content['by_key']}" if "by_key" in content else ""
    who = f"{content.get('by', '–')}, {content.get('by_unit', '–')}"
    told = f"{who}, broke the seal of case {case.case_id}{by}, and reads it until {until}."
    return f"{told} Why is told on your account's page."


def _for_members(
    everybody: audiences.People, item: HistoryItem, kind: str, reports: Iterable[Report]
) -> Iterable[News]:
    """One piece of news for each member, however many of its reports an entry is about."""
    said = words.say(current_pack(), item, "reporter")
    if said is None:
        return
    mine: dict[int, list[str]] = defaultdict(list)
    for report in reports:
        if concerns(item.content or {}, report):
            mine[report.member_id].append(report.report_id)
    for member, report_ids in mine.items():
        people = everybody.by_member.get(member, frozenset())
        yield News(item, kind, said.words, min(report_ids), people, len(report_ids))


def _named(case: Case) -> str:
    """A case in a mail: no address and no name, which a mail should not carry about."""
    if case.lane != "ordinary":
        return "A restricted case"
    return f"{words.capital(current_pack().kind_words(case.kind))}, {case.severity}"
