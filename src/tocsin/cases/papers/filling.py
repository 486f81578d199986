"""Filling a form of the pack from a case: what the exchange knows stands there, what it does not is named."""

import datetime as dt
import itertools
from dataclasses import dataclass

from tocsin.cases.models import Case
from tocsin.cases.papers.facts import SOURCES, Matter
from tocsin.cases.units import current_pack
from tocsin.kernel.problems import NotAllowed, NotFound
from tocsin.kernel.time import now
from tocsin.reference.values import FormField

MISSING = {
    "exchange": "the exchange does not know it",
    "provider": "ask the provider",
    "officer": "for the officer to fill in",
}


@dataclass(frozen=True)
class FilledField:
    """One field; `value` may have several lines, and is "" where `missing` says who knows it."""

    field: str
    label: str
    value: str
    note: str
    missing: str
    law_words: str


@dataclass(frozen=True)
class FilledSection:
    """Fields that stand together."""

    title: str
    fields: tuple[FilledField, ...]


@dataclass(frozen=True)
class FilledForm:
    """A form as it is shown, copied, printed or exported; `unofficial` is said with every one of them."""

    form: str
    title: str
    case_id: str
    made_at: dt.datetime
    unofficial: str
    sections: tuple[FilledSection, ...]

    @property
    def text(self) -> str:
        """The whole form to copy: a label and its value a paragraph, what is missing in brackets."""
        paragraphs = [self.title, self.unofficial]
        for section in self.sections:
            paragraphs.append(section.title.upper())
            paragraphs += [f"{one.label}: {one.value or f'[{one.missing}]'}" for one in section.fields]
        return "\n\n".join(paragraphs) + "\n"

    @property
    def fields(self) -> tuple[FilledField, ...]:
        """All fields, in order."""
        return tuple(itertools.chain.from_iterable(section.fields for section in self.sections))


def fill(case: Case, form: str, at: dt.datetime | None = None) -> FilledForm:
    """The form, filled from the case. Raises NotFound for no such form, NotAllowed in the restricted lane."""
    at, pack = at or now(), current_pack()
    rows = [row for row in pack.forms if row.form == form]
    if not rows or form not in pack.info.forms:
        raise NotFound(f"there is no form {form!r}", hint=f"one of {', '.join(pack.info.forms)}")
    if case.lane != "ordinary":
        raise NotAllowed(
            "a restricted report is written on no form by the exchange",
            hint="police and the hotline read it on the case's own page alone",
        )
    matter = Matter.of(case, pack, at)
    sections = tuple(
        FilledSection(title, tuple(_filled(row, matter) for row in group))
        for title, group in itertools.groupby(rows, key=lambda row: row.section)
    )
    return FilledForm(form, pack.info.forms[form], case.case_id, at, pack.info.unofficial_words, sections)


def _filled(row: FormField, matter: Matter) -> FilledField:
    value = SOURCES[row.source](matter) if row.source else ""
    law = f"{row.legal_ref} ({row.status}; {row.confidence})"
    return FilledField(row.field, row.label, value, row.note, "" if value else MISSING[row.by], law)
