"""Assessing and answering, the same for an officer with an account and one with a one-time link."""

from collections.abc import Sequence

from django.http import HttpRequest

from tocsin.access.models import Unit
from tocsin.cases import nationwide, services, states
from tocsin.cases.models import Case
from tocsin.cases.units import current_pack
from tocsin.cases.views import CaseView
from tocsin.doors.web.forms import Typed
from tocsin.intake.models import Report
from tocsin.inventory.models import Holding
from tocsin.kernel.problems import NotFound
from tocsin.kernel.time import now


def assess(view: CaseView, typed: Typed, case: Case, by: services.Responder) -> str:
    """Records the decision typed; notes errors in `typed` instead where something is missing."""
    choices = {choice.status: choice for choice in view.form.statuses}
    status = typed.need("status", "Choose what you decide", among=list(choices))
    chosen = choices.get(status)
    prepared = chosen.reason if chosen is not None else ""
    others = {choice.reason for choice in choices.values()}
    if typed.get("reason") in others:  # without JavaScript it is still that of the choice before
        typed.fields["reason"] = [prepared]
    reason = typed.get("reason") or prepared or typed.need("reason", "Say why; the reporters read it")
    if not typed.errors:
        services.assess_case(case, by, status, reason)
    return f"Recorded: {chosen.words if chosen else ''}. The reporters are told."


def answer(view: CaseView, typed: Typed, case: Case, by: services.Responder) -> None:
    """Sends the answer typed; notes errors in `typed` instead where something is missing."""
    choices = {choice.outcome_code: choice for choice in view.form.outcomes}
    code = typed.need("outcome", "Choose how it ended", among=list(choices))
    if code in choices and typed.get("words") in {choice.words for choice in choices.values()}:
        typed.fields["words"] = [choices[code].words]  # as above
    words = typed.need("words", "Write what the reporters read")
    known = {choice.code: choice.words for choice in view.form.help_choices}
    helps = [helped for helped in typed.all("help") if helped in known]
    chosen = choices.get(code)
    if chosen is not None and chosen.needs_help and not helps:
        typed.note("help", "Choose at least one thing that would have helped")
    body = ""
    if chosen is not None and chosen.needs_receiving_body:
        body = typed.need("receiving_body", "Name the body that takes it on", longest=200)
    if not typed.errors:
        services.answer_case(case, by, code, words, helps, receiving_body=body)


def likeliest(view: CaseView) -> str:
    """The outcome that the form begins with: one that later evidence can reopen, never one that is final."""
    known = current_pack().outcomes
    codes = [choice.outcome_code for choice in view.form.outcomes]
    return next((code for code in codes if code in known and known[code].reopenable), "")


def likely_status(view: CaseView) -> str:
    """The decision that the form begins with: to investigate; below the threshold, intelligence."""
    codes = [choice.status for choice in view.form.statuses]
    wanted = states.INTELLIGENCE if view.severity == "info" else states.INVESTIGATED
    return wanted if wanted in codes else ""


def likely_help(view: CaseView, logs: Sequence[Holding]) -> list[str]:
    """What would have helped, as far as the inventory shows it; the officer changes it."""
    codes = {choice.code for choice in view.form.help_choices}
    held = [holding for holding in view.holdings if not holding.is_gone]
    lacking = []
    if not held:
        lacking.append("longer-logs")
    if any("not measured" in holding.clock_words for holding in held):
        lacking.append("clock-error")
    if held and not any("port" in name for log in logs for name in log.fields_present):
        lacking.append("source-port")
    return [code for code in lacking if code in codes]


def asked(request: HttpRequest) -> Typed:
    """A form that shows the words of the outcome asked for by `?outcome=`."""
    outcome = request.GET.get("outcome", "")
    return Typed({"outcome": [outcome]}) if outcome else Typed()


def current_units() -> list[Unit]:
    """The units that a case can be passed on to."""
    return list(nationwide.current_units(now().date()).order_by("name"))


def unit_of(unit_id: str) -> Unit:
    """The unit chosen from the form's list."""
    return Unit.objects.get(unit_id=unit_id)


def report_of(case: Case, report_id: str) -> Report:
    """A report that is in this case or was. Raises NotFound."""
    found = Report.objects.filter(report_id=report_id, links__case=case).distinct().first()
    if found is None:
        raise NotFound()
    return found
