"""How scores come about at a unit, and what its supervisor lets the parts count."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from tocsin.access.models import Unit
from tocsin.access.policy import Actor
from tocsin.cases import triage
from tocsin.cases import weights as weighing
from tocsin.cases.explained import NAMES
from tocsin.cases.units import current_pack
from tocsin.doors.web.forms import Typed
from tocsin.doors.web.guard import guards
from tocsin.doors.web.pages import page
from tocsin.kernel.problems import BadInput, NotFound
from tocsin.reference.values import Weights


@guards("weights.read")
def weights(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The rule, the weights of the actor's units, who changed them; a form for the supervisor."""
    return show(request, actor, Typed())


@guards("weights.set", "POST")
def change(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What the parts count at the supervisor's unit from now on."""
    typed = Typed.posted(request)
    unit = own_unit(actor, typed.get("unit"))
    numbers = {name: typed.get(name) for name in triage.PARTS}
    for name, number in numbers.items():
        if not number.isdecimal() or int(number) > weighing.HIGHEST:
            typed.note(name, f"A whole number of 0 to {weighing.HIGHEST}")
    reason = typed.need("reason", "Say why the unit weighs its cases otherwise")
    if not typed.errors:
        try:
            chosen = Weights(**{name: int(number) for name, number in numbers.items()})
            weighing.set_weights(actor, unit, chosen, reason)
        except BadInput as problem:
            typed.refuse(problem.detail)
    if typed.errors:
        return show(request, actor, typed, status=422)
    messages.success(request, f"{unit.name} weighs its cases so from now on.")
    return HttpResponseRedirect(reverse("weights"))


@guards("weights.set", "POST")
def undo(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Back to what held before."""
    unit = own_unit(actor, request.POST.get("unit", ""))
    weighing.undo_weights(actor, unit)
    messages.success(request, f"{unit.name} weighs its cases as before.")
    return HttpResponseRedirect(reverse("weights"))


def own_unit(actor: Actor, unit_id: str) -> Unit:
    """A unit that the actor supervises. Raises NotFound."""
    for unit in weighing.supervised(actor):
        if unit.unit_id == unit_id:
            return unit
    raise NotFound("that is no unit whose cases you weigh")


def show(request: HttpRequest, actor: Actor, typed: Typed, status: int = 200) -> HttpResponse:
    pack = current_pack()
    own = {unit.pk for unit in weighing.supervised(actor)}
    units: list[dict[str, Any]] = [
        {
            "unit": unit,
            "weights": weighing.weights_of(unit),
            "history": weighing.history_of(unit),
            "is_own": unit.pk in own,
        }
        for unit in dict.fromkeys(actor.units)
    ]
    context = {
        "units": units,
        "names": {part: NAMES[part] for part in triage.PARTS},
        "rules": pack.triage,
        "log_words": [
            pack.log_types[code].words if code in pack.log_types else code
            for code in sorted(pack.triage.solvability.origin_logs)
        ],
        "typed": typed,
        "errors": typed.errors,
    }
    return page(request, "weights", context, status=status)
