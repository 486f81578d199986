"""The sentences of a case: titles, and what the journal's entries mean to a person.

There are two listeners. A unit hears names and reasons; a reporter hears what concerns the own report, and
nothing of other members, nor how many there are.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

from tocsin.cases.keys import shown
from tocsin.intake.models import Report
from tocsin.journal.queries import HistoryItem
from tocsin.kernel.time import parse_rfc3339
from tocsin.reference.calendars import zone
from tocsin.reference.values import Pack

Listener = Literal["unit", "reporter"]

DIVERTED = {
    "divert": "{kind} is no matter for police but for {body}: {does}",
    "ignore": "a test report: nothing is to be followed up",
}

# event: (for a unit, for a reporter, is it automatic?); an empty text is not told.
SAID: dict[str, tuple[str, str, bool]] = {
    "intake:report:received": (
        "Report received; the receipt was given at once.",
        "Your report arrived. The exchange acknowledged it automatically; nobody has read it yet.",
        True,
    ),
    "intake:report:updated": ("A later version was received.", "A later version of it arrived.", True),
    "cases:report:linked": ("Linked: {reason}.", "", True),
    "cases:report:diverted": ("Diverted: {reason}.", "Not passed to police: {reason}.", True),
    "cases:report:detached": (
        "{by}, {by_unit}, took report {report} out: {reason}.",
        "{by_unit} now treats your report by itself.",
        False,
    ),
    "cases:case:split": (
        "{by}, {by_unit}, took {count} reports out, into a case of their own: {reason}.",
        "{by_unit} now treats your report in another case.",
        False,
    ),
    "cases:case:absorbed": (
        "{by}, {by_unit}, joined case {other} with this one, {count} reports: {reason}.",
        "",
        False,
    ),
    "cases:case:gathered": ("Case {other} joined this one, {count} reports: {reason}.", "", True),
    "cases:case:parted": (
        "{by}, {by_unit}, took a move back: {count} reports return to case {other}. {reason}",
        "",
        False,
    ),
    "cases:case:restored": ("{by}, {by_unit}, lets the case go on by itself: {reason}.", "", False),
    "cases:case:opened": (
        "Case opened and routed to {unit}: {reason}.",
        "Routed to {unit}: {told}.",
        True,
    ),
    "cases:case:routed": ("Routed to {unit}: {reason}.", "Routed to {unit}: {told}.", True),
    "cases:case:accepted": (
        "{by}, {by_unit}, accepted the case.",
        "{by}, {by_unit}, has taken it. A person is looking at it now.",
        False,
    ),
    "cases:case:pointed": (
        "{by}, {by_unit}, stated a line of enquiry, {where}: {said} The case is with {unit}: {reason}.",
        "A line of enquiry was stated. It is with {unit}: {told}.",
        False,
    ),
    "cases:case:alarmed": (
        "{by}, {by_unit}, stated a threat to life: {said} The case is with {unit}: {reason}.",
        "It is with {unit}: {told}.",
        False,
    ),
    "cases:case:succeeded": (
        "{reason}. The case is with {unit}.",
        "{reason}. No clock was stopped.",
        True,
    ),
    "cases:case:reassigned": (
        "{by}, {by_unit}, gave the case to {owner}; {from} had it. {reason}",
        "{owner}, {by_unit}, has it now. No clock was stopped.",
        False,
    ),
    "cases:case:assessed": (
        "{by}, {by_unit}, decided: {status_words}. {reason}",
        "{by}, {by_unit}, decided: {status_words}. {reason}",
        False,
    ),
    "cases:case:answered": (
        "{by}, {by_unit}, answered with outcome {outcome_code}, {title}. {words}",
        "{by}, {by_unit}, gave the outcome: {title}. {words}",
        False,
    ),
    "cases:case:withdrawn": (
        "{by}, {by_unit}, took the answer back within a minute.",
        "{by}, {by_unit}, took the answer back; another will follow.",
        False,
    ),
    "cases:case:updated": (
        "{by}, {by_unit}, told how it stands: {words}",
        "{by}, {by_unit}, tells how it stands: {words}",
        False,
    ),
    "cases:question:asked": (
        "{by}, {by_unit}, asked: {questions}",
        "{by}, {by_unit}, asks you: {questions} Answer by {due}.",
        False,
    ),
    "cases:question:answered": ("{by} answered: {questions}", "You answered: {questions}", False),
    "cases:question:withdrawn": (
        "{by}, took a question back: {questions}",
        "A question to you was taken back: {questions}",
        False,
    ),
    "cases:question:lapsed": (
        "A question was not answered in time; the clocks go on: {questions}",
        "A question to you was not answered in time, and the case goes on without: {questions}",
        True,
    ),
    "cases:answer:rated": ("{member} found the answer {words}.", "", False),
    "cases:report:aware": (
        "",
        "You said that you are aware of {what}. What the law asks of you is listed as due; only you see it.",
        False,
    ),
    "cases:duty:met": ("{by} on “{what}”: {how}.", "Of “{what}”, you say: {how}.", False),
    "cases:duty:breached": (
        "Overdue since {due}: {what}.",
        "Overdue since {due}: {what}. Only you see this.",
        True,
    ),
    "cases:case:redirected": (
        "{by} passed the case from {from} to {unit}: {reason}.",
        "Passed from {from} to {unit}: {reason}. No clock was stopped.",
        False,
    ),
    "cases:case:reopened": (
        "Reopened after outcome {outcome_code}: a matching report arrived.",
        "Reopened: something that matches has been reported.",
        True,
    ),
    "cases:case:undone": (
        "{by}, {by_unit}, took it back within a minute.",
        "{by}, {by_unit}, took that back within a minute; what was due is due as before.",
        False,
    ),
    "cases:suggestion:decided": ("{by}, {by_unit}, on whether {other} belongs to it: {said}.", "", False),
    "cases:case:imported": (
        "Imported by {by} from the list of {unit}, as number {number}: {status_words}. Nothing counts as "
        "followed up by that.",
        "",
        True,
    ),
    "cases:case:merged": ("{by} moved all that it had to case {into}.", "", False),
    "cases:crime:recorded": (
        "{by}, {by_unit}, noted crime number {number}.",
        "{by_unit} has a crime record for it: number {number}.",
        False,
    ),
    "cases:link:made": (
        "{by} made a one-time link for {unit}, which has not joined.",
        "Sent to {unit}, which has not joined the exchange, by {by}, its coordinator.",
        False,
    ),
    "cases:link:withdrawn": ("{by} withdrew the one-time link for {unit}.", "", False),
    "cases:link:used": ("{by} opened the one-time link.", "", False),
    "cases:case:sealed": ("{by}, {by_unit}, sealed the case to {count} named people.", "", False),
    "cases:case:unsealed": ("{by}, {by_unit}, lifted the seal.", "", False),
    "cases:seal:broken": (
        "{by}, {by_unit}, broke the glass until {until}: {reason}. The sealing person was told.",
        "",
        False,
    ),
    "cases:room:opened": ("{by}, {by_unit}, let {guest} read {parts} until {until}.", "", False),
    "cases:room:extended": ("{by}, {by_unit}, let {guest} read on until {until}.", "", False),
    "cases:room:looked": ("{guest} looked into the case room.", "", False),
    "cases:room:closed": ("{by}, {by_unit}, ended the link of {guest}.", "", False),
    "cases:clock:breached": (
        "Overdue since {due}: {what}.",
        "Overdue since {due}: {what}.",
        True,
    ),
    "cases:clock:escalated": (
        "Still overdue: taken to {desk}. {what}.",
        "Still overdue, and taken to {desk} of {unit}.",
        True,
    ),
    "cases:holding:expiring": (
        "A log behind this case will be destroyed at {due}.",
        "A log that you hold about this will be destroyed at {due}. Keep it if you lawfully can.",
        True,
    ),
}


@dataclass(frozen=True)
class Said:
    """An entry in words."""

    words: str
    by: str
    is_automatic: bool


def title(pack: Pack, report: Report) -> str:
    """`Password guessing against ssh from 203.0.113.7`; of the restricted lane nothing is said.

    A flood has no origin: `Distributed denial of service (tcp-syn) against 198.51.100.1`.
    """
    if report.lane == Report.Lane.RESTRICTED:
        return "Restricted report: metadata for police and hotline alone"
    what = pack.kind_words(report.kind)
    if not report.origin and report.target:
        return f"{capital(what)} ({report.service}) against {shown(report.target)}"[:200]
    against = f" against {report.service}" if report.service and report.service != "-" else ""
    return f"{capital(what)}{against} from {shown(report.origin) if report.origin else 'many'}"[:200]


def say(pack: Pack, item: HistoryItem, listener: Listener) -> Said | None:
    """What an entry means to this listener; None where it says nothing to them."""
    row = SAID.get(item.event)
    if row is None:
        return None
    template = row[0] if listener == "unit" else row[1]
    content = item.content or {}
    if item.event == "cases:report:linked" and listener == "reporter":
        template = _linked_words(content)
    if not template:
        return None
    if item.content is None and not item.event.startswith("intake:"):
        return Said("An entry whose content was erased.", "", row[2])
    is_automatic = row[2] or bool(content.get("automatic"))
    told = _fill(pack, template, content)
    if content.get("automatic"):
        told += " A machine of the unit did this by itself; no person has decided yet."
    return Said(told, "" if row[2] else str(content.get("by", "")), is_automatic)


LINKED = "Joined with what {unit} already knows: {reason}."


def _linked_words(content: dict[str, Any]) -> str:
    if content.get("owner"):
        return "It joins what {owner}, {unit}, already has, so it has an owner at once (automatic)."
    if content.get("strength") == 100:
        return ""
    return "Joined with what {unit} already knows: {told}." if "told" in content else LINKED


def _fill(pack: Pack, template: str, content: dict[str, Any]) -> str:
    values = dict(content)
    if "due_at" in values:
        values["due"] = when(pack, parse_rfc3339(values["due_at"]))
    if "status" in values:
        status = pack.statuses.get(values["status"])
        values["status_words"] = status.words if status else values["status"]
    for key in ("reason", "told"):
        if key in values and not template.endswith(f"{{{key}}}"):
            values[key] = str(values[key]).rstrip(". ")
    return capital(template.format_map(_Blank(values)))


class _Blank(dict[str, Any]):
    """What an entry does not hold reads as a dash: a timeline is never worth an error."""

    def __missing__(self, key: str) -> str:
        return "–"


def when(pack: Pack, at: dt.datetime) -> str:
    """`Tuesday 10 November, 14:05 GMT`, the exchange's home time; midnight is `the end of` the day before."""
    local = at.astimezone(zone(pack.info.home_nation))
    if not (local.hour or local.minute):
        day = local.date() - dt.timedelta(days=1)
        return f"the end of {day:%A} {day.day} {day:%B}"
    return f"{local:%A} {local.day} {local:%B, %H:%M %Z}"


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def many(count: int, one: str, more: str = "") -> str:
    """`1 report`, `1,204 reports`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
