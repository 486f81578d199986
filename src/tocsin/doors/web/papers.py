"""Papers of a case: forms of other systems, the crime number that comes back, summaries to print."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.policy import Actor, may
from tocsin.cases import queries, services
from tocsin.cases.models import Case, OneTimeLink
from tocsin.cases.papers.crime_numbers import number_of
from tocsin.cases.papers.filling import FilledForm, fill
from tocsin.cases.units import current_pack
from tocsin.doors.web.documents import Block, Paper, typeset
from tocsin.doors.web.documents.summaries import of_case, of_report
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.doors.web.reports import cell
from tocsin.journal import queries as journal
from tocsin.kernel.problems import BadInput, NotFound
from tocsin.kernel.time import rfc3339


@dataclass(frozen=True)
class Shelf:
    """The papers that a case's page offers: addresses of forms by title, and where to note the number."""

    forms: tuple[tuple[str, str], ...]
    summary: str
    number: str
    record: str
    example: str


def shelf_of_case(actor: Actor, case: Case) -> Shelf:
    """For whoever may see the case; the restricted lane has no papers."""
    if case.lane != "ordinary" or not may(actor, "form.read"):
        return Shelf((), "", "", "", "")
    pack, case_id = current_pack(), case.case_id
    own = case.investigating_unit_id in {unit.pk for unit in actor.units} and may(actor, "case.record")
    return Shelf(
        tuple(
            (title, reverse("form", kwargs={"case_id": case_id, "form": form}))
            for form, title in pack.info.forms.items()
        ),
        reverse("case-summary", kwargs={"case_id": case_id}),
        number_of(case),
        reverse("case-crime-number", kwargs={"case_id": case_id})
        if own and may(actor, "case.record")
        else "",
        pack.info.crime_number_example,
    )


def shelf_of_link(link: OneTimeLink, token: str) -> Shelf:
    """For an officer who came by a one-time link and gave a name."""
    if link.case.lane != "ordinary" or not link.officer_name:
        return Shelf((), "", "", "", "")
    pack = current_pack()
    return Shelf(
        tuple(
            (title, reverse("one-time-form", kwargs={"token": token, "form": form}))
            for form, title in pack.info.forms.items()
        ),
        "",
        number_of(link.case),
        reverse("one-time-crime-number", kwargs={"token": token}),
        pack.info.crime_number_example,
    )


@guards("form.read")
def form(request: HttpRequest, actor: Actor, case_id: str, form: str) -> HttpResponse:
    """A form filled from the case, to copy, print or keep."""
    filled = fill(queries.fetch_case(actor, case_id), form)
    files = [
        (words, reverse("form-file", kwargs={"case_id": case_id, "form": form, "kind": kind}))
        for kind, (words, _, _) in FILES.items()
    ]
    back = {"text": "The case", "href": reverse("case", kwargs={"case_id": case_id})}
    return page(request, "form", {"form": filled, "files": files, "back": back})


@guards("form.read")
def form_file(request: HttpRequest, actor: Actor, case_id: str, form: str, kind: str) -> HttpResponse:
    """The same as a file: text, CSV, JSON or PDF."""
    if kind not in FILES:
        raise NotFound(f"there is no {kind!r} of a form", hint=f"one of {', '.join(FILES)}")
    filled = fill(queries.fetch_case(actor, case_id), form)
    _, content_type, write = FILES[kind]
    return kept(write(filled), content_type, f"{case_id}-{form}.{kind}")


@guards("case.record", "POST")
def crime_number(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """The number that came back, by one paste."""
    case = queries.fetch_case(actor, case_id)
    note_number(request, case, services.Responder.of(actor, case))
    return HttpResponseRedirect(reverse("case", kwargs={"case_id": case_id}))


def note_number(request: HttpRequest, case: Case, by: services.Responder) -> None:
    """Keep the number typed, or say what is wrong with it."""
    try:
        noted = services.record_crime_number(case, by, request.POST.get("crime_number", ""))
    except BadInput as problem:
        messages.error(request, f"{problem.detail}; {problem.hint}")
    else:
        messages.success(request, f"Crime number {noted.number} is noted. The reporters are told.")


@guards("form.read")
def case_summary(request: HttpRequest, actor: Actor, case_id: str) -> HttpResponse:
    """The case on paper, for a file or to hand over."""
    view = queries.case_view(actor, case_id)
    return kept(typeset(of_case(view, journal.size())), "application/pdf", f"{case_id}.pdf")


@guards("report.read")
def report_summary(request: HttpRequest, actor: Actor, report_id: str) -> HttpResponse:
    """A reporter's own report on paper."""
    view = queries.report_view(actor, report_id)
    return kept(typeset(of_report(view, journal.size())), "application/pdf", f"{report_id}.pdf")


def kept(content: bytes, content_type: str, name: str) -> HttpResponse:
    """A file to keep, never shown in the site's own frame."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def table(name: str, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> HttpResponse:
    """Rows below their header as a file (RFC 4180): instants in UTC, no cell that a spreadsheet runs."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return kept(out.getvalue().encode(), "text/csv; charset=utf-8", name)


def _as_text(form: FilledForm) -> bytes:
    return form.text.encode()


def _as_csv(form: FilledForm) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["form", "case_id", "field", "label", "value", "missing", "note", "unofficial"])
    for one in form.fields:
        said = (one.field, one.label, cell(one.value), one.missing, one.note)
        writer.writerow([form.form, form.case_id, *said, form.unofficial])
    return out.getvalue().encode()


def _as_json(form: FilledForm) -> bytes:
    return msgspec.json.encode(form)


def _as_pdf(form: FilledForm) -> bytes:
    blocks = tuple(
        Block(
            section.title,
            "fields",
            tuple((one.label, one.value or f"[{one.missing}]") for one in section.fields),
        )
        for section in form.sections
    )
    foot = f"{form.case_id} · journal position {journal.size()} · unofficial"
    lead = f"Filled by the exchange at {rfc3339(form.made_at.replace(microsecond=0))}."
    return typeset(Paper(form.title, f"Case {form.case_id}", lead, foot, blocks, form.unofficial))


# By ending: words for the link, type, and what writes it.
FILES: dict[str, tuple[str, str, Callable[[FilledForm], bytes]]] = {
    "pdf": ("PDF", "application/pdf", _as_pdf),
    "csv": ("CSV", "text/csv; charset=utf-8", _as_csv),
    "json": ("JSON", "application/json", _as_json),
    "txt": ("text", "text/plain; charset=utf-8", _as_text),
}
