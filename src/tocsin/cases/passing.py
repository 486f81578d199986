"""Passing on what another unit has the time for: the reporting force with the least to do."""

from django.db.models import Count

from tocsin.access.models import Unit
from tocsin.cases import shares, states
from tocsin.cases.models import Case
from tocsin.kernel.problems import BadInput

LEAST_BUSY = "least-busy"  # in place of a unit's id: each case to its own
UNDECIDED = (states.OPENED, states.SENT, states.ACCEPTED)


def least_busy(case: Case) -> Unit:
    """The force of one of the case's reporters that has the fewest undecided cases.

    Of those that have joined, where any has. Raises BadInput where no other force's provider reported it.
    """
    places = [seat.force_id for seat in shares.seats([case.pk]).get(case.pk, [])]
    forces = Unit.objects.filter(kind="force", unit_id__in=places, valid_to=None)
    others = list(forces.exclude(pk=case.investigating_unit_id))
    if not others:
        raise BadInput("no provider of another force reported it", hint="choose a unit yourself")
    waiting = Case.objects.filter(closed_at=None, status__in=UNDECIDED, investigating_unit__in=others)
    load = dict(waiting.order_by().values_list("investigating_unit").annotate(cases=Count("pk")))
    return min(others, key=lambda one: (not one.has_joined, load.get(one.pk, 0), places.index(one.unit_id)))
