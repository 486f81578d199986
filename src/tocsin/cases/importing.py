"""A unit's own list of cases comes along: each row counted, none twice, nothing claimed that nobody did.

What an imported case says was decided elsewhere, before anybody here had it: no decision is recorded, no
report is followed up by it, and what is still open is owed from the moment of the import on.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
from django.db import IntegrityError

from tocsin.access.models import Person, Role, Unit
from tocsin.cases import clocks, states
from tocsin.cases.models import Case, ForeignNumber
from tocsin.cases.opening import BY_HAND, SEVERITIES
from tocsin.cases.units import current_pack
from tocsin.journal.acts import act
from tocsin.kernel.ids import new_id
from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import now, rfc3339
from tocsin.reference.calendars import zone
from tocsin.reference.values import Pack

FIELDS = ("number", "title", "kind", "severity", "status", "outcome", "owner", "opened_at", "closed_at")
MOST_ROWS = 20_000
REASON = "it came with the unit's own list of cases"
State = Literal["imported", "known", "rejected"]


class Map(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which column holds what. `columns`: our field to their heading; `values`: our field, their value, ours.

    `defaults` fill what a row leaves empty. Dates are ISO 8601, or as `date_format` (strptime) says; without
    an offset they are of the exchange's home.
    """

    columns: dict[str, str]
    values: dict[str, dict[str, str]] = {}
    defaults: dict[str, str] = {}
    date_format: str = ""
    delimiter: str = ","


@dataclass(frozen=True)
class RowResult:
    """What became of one row; `content` is the row where it was rejected, to be mended and sent again."""

    line: int
    number: str
    state: State
    reason: str = ""
    case_id: str = ""
    content: dict[str, str] | None = None


@dataclass(frozen=True)
class Wanted:
    """A row as the case that it becomes."""

    number: str
    title: str
    kind: str
    severity: str
    status: str
    their_status: str
    outcome: str
    owner: Person | None
    owner_name: str
    opened_at: dt.datetime
    closed_at: dt.datetime | None


def import_cases(
    unit: Unit, by: str, text: str, mapped: Map, *, dry_run: bool = False, at: dt.datetime | None = None
) -> list[RowResult]:
    """Take every row in, or say why not; `dry_run` only says what would become of them.

    Taking the same list again changes nothing: a case is known by the unit and its number there. Raises
    BadInput where the map or the file as a whole cannot be read.
    """
    at, pack = at or now(), current_pack()
    rows = list(read_rows(text, mapped))
    people = people_of(unit)
    known = set(ForeignNumber.objects.filter(unit=unit).values_list("number", flat=True))
    results = []
    for line, content in rows:
        number = told(content, mapped, "number")
        try:
            if number in known:
                results.append(RowResult(line, number, "known"))
                continue
            wanted = wanted_of(pack, mapped, content, people, at)
            case_id = "" if dry_run else take_in(pack, unit, by, wanted, at)
            known.add(number)
            results.append(RowResult(line, number, "imported", "", case_id))
        except BadInput as problem:
            results.append(RowResult(line, number[:80], "rejected", problem.detail, "", content))
        except IntegrityError:  # somebody else has just imported it
            results.append(RowResult(line, number, "known"))
    return results


def read_rows(text: str, mapped: Map) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, heading to value) of every row. Raises BadInput for a map or a file that cannot be used."""
    unknown = [name for name in (*mapped.columns, *mapped.values, *mapped.defaults) if name not in FIELDS]
    if unknown or "number" not in mapped.columns:
        raise BadInput(
            f"no such field: {unknown[0]}" if unknown else "the map must say which column holds the number",
            hint=f"fields are {', '.join(FIELDS)}",
        )
    if len(mapped.delimiter) != 1 or not mapped.delimiter.isascii() or mapped.delimiter in '"\r\n\0':
        raise BadInput("a delimiter is one character")
    if "\0" in text:
        raise BadInput("that is no text")
    try:
        reader = csv.DictReader(
            io.StringIO(text.removeprefix("\ufeff")), delimiter=mapped.delimiter, strict=True
        )
        headings = reader.fieldnames or ()
        missing = [heading for heading in mapped.columns.values() if heading not in headings]
        if missing:
            raise BadInput(
                f"there is no column {missing[0][:80]!r}", hint="the first line holds the headings"
            )
        for count, row in enumerate(reader):
            if count >= MOST_ROWS:
                raise BadInput(f"a list may have {MOST_ROWS:,} rows", hint="send it in parts")
            yield (
                reader.line_num,
                {str(name): (value or "").strip() for name, value in row.items() if name is not None},
            )
    except csv.Error as error:
        raise BadInput(f"that is no CSV: {error}") from None


def told(content: dict[str, str], mapped: Map, field: str) -> str:
    """What a row says of one of our fields, in our values where the map has one."""
    value = content.get(mapped.columns.get(field, ""), "")
    value = mapped.values.get(field, {}).get(value, value)
    return value or mapped.defaults.get(field, "")


def wanted_of(
    pack: Pack, mapped: Map, content: dict[str, str], people: dict[str, Person], at: dt.datetime
) -> Wanted:
    """The row as a case. Raises BadInput with what it lacks."""
    said = {field: told(content, mapped, field) for field in FIELDS}
    if not said["number"] or len(said["number"]) > 80 or not said["number"].isprintable():
        raise BadInput("a row needs a number of 1 to 80 characters")
    if said["severity"] not in SEVERITIES[1:]:
        raise BadInput(f"no such severity: {said['severity'][:40]!r}; one of {', '.join(SEVERITIES[1:])}")
    if said["kind"] not in pack.kinds:
        raise BadInput(f"no such kind: {said['kind'][:80]!r}")
    status = pack.statuses.get(said["status"])
    if status is None or said["status"] in (states.OPENED, states.SENT, states.QUESTION, states.DUPLICATE):
        raise BadInput(f"no status that a case can come with: {said['status'][:40]!r}")
    owner = people.get(said["owner"].lower())
    if owner is None and not status.is_final:
        raise BadInput(f"an open case needs an owner who decides at the unit, not {said['owner'][:80]!r}")
    if (said["status"] == states.ANSWERED) != bool(said["outcome"]):
        raise BadInput("an outcome belongs to an answered case, and each of those has one")
    if said["outcome"] and said["outcome"] not in pack.outcomes:
        raise BadInput(f"no such outcome: {said['outcome'][:40]!r}")
    opened_at = instant(mapped, pack, said["opened_at"], "opened_at")
    closed_at = instant(mapped, pack, said["closed_at"], "closed_at") if status.is_final else None
    if opened_at > at or (closed_at is not None and not opened_at <= closed_at <= at):
        raise BadInput("its dates are in the future, or it was closed before it was opened")
    return Wanted(
        number=said["number"],
        title=(said["title"] or f"Case {said['number']}")[:200],
        kind=said["kind"],
        severity=said["severity"],
        status=said["status"],
        their_status=content.get(mapped.columns.get("status", ""), "")[:80],
        outcome=said["outcome"],
        owner=owner,
        owner_name=owner.name if owner is not None else said["owner"][:160],
        opened_at=opened_at,
        closed_at=closed_at,
    )


def instant(mapped: Map, pack: Pack, text: str, field: str) -> dt.datetime:
    """A date of the list, UTC. Raises BadInput."""
    try:
        found = (
            dt.datetime.strptime(text, mapped.date_format)  # noqa: DTZ007 (the home zone follows)
            if mapped.date_format
            else dt.datetime.fromisoformat(text)
        )
        local = found if found.tzinfo else found.replace(tzinfo=zone(pack.info.home_nation))
        return local.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"{field} is no date: {text[:40]!r}") from None


def people_of(unit: Unit) -> dict[str, Person]:
    """Who decides at the unit, by address and by name, in small letters."""
    deciding = (Role.Name.OFFICER, Role.Name.SUPERVISOR)
    found: dict[str, Person] = {}
    roles = Role.objects.filter(unit=unit, name__in=deciding, person__is_active=True).order_by("-pk")
    for role in roles.select_related("person"):
        found[role.person.name.lower()] = found[role.person.email.lower()] = role.person
    return found


def take_in(pack: Pack, unit: Unit, by: str, wanted: Wanted, at: dt.datetime) -> str:
    """Open the case as the list says it stands, and let what is owed about it begin now; gives its id."""
    with act() as recorded:
        case = Case.objects.create(
            case_id=new_id("case"),
            title=wanted.title,
            kind=wanted.kind,
            severity=wanted.severity,
            status=wanted.status,
            opened_at=wanted.opened_at,
            closed_at=wanted.closed_at,
            investigating_unit=unit,
            support_unit=unit,
            route_rule=BY_HAND,
            route_reason=REASON,
            route_told=REASON,
            owner=wanted.owner,
            owner_name=wanted.owner_name,
            owned_at=at if wanted.owner_name else None,
            outcome_code=wanted.outcome,
            is_automatic=True,
        )
        ForeignNumber.objects.create(
            case=case,
            unit=unit,
            number=wanted.number,
            status=wanted.their_status,
            imported_at=at,
            imported_by=by,
        )
        begun: dict[str, str] = {}
        if case.is_open:
            started = clocks.start(pack, [case], "opened", at)
            begun = {clock.clock_id: rfc3339(clock.due_at) for clock in started}
            begun |= clocks.turn(recorded, case, "accepted", at, clocks.AUTOMATIC)["started"]
            if case.status != states.ACCEPTED:
                begun |= clocks.turn(recorded, case, "assessed", at, clocks.AUTOMATIC)["started"]
        content = {
            "number": wanted.number,
            "unit": unit.name,
            "status": case.status,
            "opened_at": rfc3339(wanted.opened_at),
            "started": begun,
            "by": by,
        }
        recorded.record("cases:case:imported", case.case_id, content)
    return case.case_id


def counts(results: Sequence[RowResult]) -> dict[State, int]:
    """How many rows were imported, known and rejected."""
    found: dict[State, int] = {"imported": 0, "known": 0, "rejected": 0}
    for result in results:
        found[result.state] += 1
    return found
