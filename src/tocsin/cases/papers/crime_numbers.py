"""The crime number that comes back from the recording service: pasted once, kept, told, never typed again."""

import datetime as dt
import re

from tocsin.cases import clocks
from tocsin.cases.decisions import lock_case, record, refuse_coordinator
from tocsin.cases.models import Case, CrimeNumber
from tocsin.cases.responders import Responder
from tocsin.cases.units import current_pack
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import now

LONGEST = 60


def number_of(case: Case) -> str:
    """The crime number of a case, "" where none came back yet."""
    found = CrimeNumber.objects.filter(case=case, replaced_at__isnull=True).first()
    return found.number if found else ""


def normal_number(text: str) -> str:
    """A pasted number in one spelling: upper case, without words before it and without stray spaces.

    Raises BadInput where nothing in it looks like a number of the country's recording service.
    """
    pack = current_pack()
    cleaned = " ".join(text.upper().split())[: 4 * LONGEST]
    found = re.findall(pack.info.crime_number_pattern, cleaned)
    if len(found) != 1:
        raise BadInput(
            "that is no crime number" if not found else "there is more than one crime number in it",
            hint=f"paste it alone, such as {pack.info.crime_number_example}",
        )
    return re.sub(r"\s*([/-])\s*", r"\1", found[0])


def record_crime_number(case: Case, by: Responder, text: str, at: dt.datetime | None = None) -> CrimeNumber:
    """Keep the number on the case; another one replaces it, the same again changes nothing.

    Raises BadInput, NotAllowed for whoever is not of the unit.
    """
    number, at = normal_number(text), at or now()
    refuse_coordinator(by)
    with act() as recorded:
        case = lock_case(case)
        before = CrimeNumber.objects.filter(case=case, replaced_at__isnull=True).first()
        if before is not None and before.number == number:
            return before
        if before is not None:
            before.replaced_at = at
            before.save(update_fields=["replaced_at"])
        kept = CrimeNumber.objects.create(
            case=case, number=number, person=by.person, person_name=by.name, unit=by.unit, at=at
        )
        content = {"number": number, "service": current_pack().info.national_service}
        if before is None:
            about = clocks.Subject(case=case)
            content |= clocks.happened(recorded, current_pack(), "crime.recorded", about, at)
        record(recorded, "cases:crime:recorded", case, by, content)
    return kept
