"""What one person of a unit sees and keeps: a supervisor's load, and the filters of one's own queue."""

from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from tocsin.access.models import Person
from tocsin.cases import filters, queries
from tocsin.cases.models import SavedFilter
from tocsin.cases.queueing import GROUPS, Wish
from tocsin.cases.supervising import Asked
from tocsin.doors.api.acts import whole_number
from tocsin.doors.api.bodies import decoded
from tocsin.doors.api.case_values import Filter, FilterList, KeptFilter, Team
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.once import once
from tocsin.doors.api.reports import answer
from tocsin.doors.api.values import described
from tocsin.kernel.problems import BadInput, NotAllowed

team = Router(tags=["cases"])
router = Router(tags=["filters"])


@team.get("", auth=guard("team.read"), openapi_extra=described(Team))
def read_team(
    request: HttpRequest,
    who: Annotated[str, Field(max_length=200)] = "",
    which: Literal["open", "late", "today"] = "open",
    page: Annotated[int, Field(ge=1, lt=10**7)] = 1,
) -> HttpResponse:
    """What each person of the unit has open, overdue and due today, and the cases of one of them.

    `who` is a `key` of `people`. Needs `On-Behalf-Of` a supervisor.
    """
    _person(request, "a supervisor's page is a person's")
    view = queries.team(actor_of(request), Asked(who, which), page)
    rows, people, units = list(view.rows), list(view.people), list(view.units)
    return answer(Team(view.sentence, people, units, view.whose, rows, view.total, view.pages))


@router.get("", auth=guard("filter.read"), openapi_extra=described(FilterList))
def list_filters(request: HttpRequest) -> HttpResponse:
    """The filters that somebody keeps, by name. Needs `On-Behalf-Of` whose they are."""
    return answer(_filters(_person(request)))


@router.post("", auth=guard("filter.save"), openapi_extra=described(FilterList, body=Filter))
def save_filter(request: HttpRequest) -> HttpResponse:
    """Keep a filter of the queue; the same name keeps the newer one. Needs `On-Behalf-Of` whose it is."""
    body = decoded(request, Filter)

    def done() -> HttpResponse:
        person = _person(request)
        if body.group and body.group not in GROUPS:
            raise BadInput("there is no such group", hint=f"choose of {', '.join(GROUPS)}")
        wish = Wish(**{name: getattr(body, name) for name in filters.FIELDS.values()})
        filters.save_filter(person, body.name, filters.query_of(wish), is_default=body.is_default)
        return answer(_filters(person))

    return once(request, done)


@router.post("/{filter_id}/forget", auth=guard("filter.save"), openapi_extra=described(FilterList))
def forget_filter(request: HttpRequest, filter_id: str) -> HttpResponse:
    """Forget a filter. Needs `On-Behalf-Of` whose it is."""
    number = whole_number(filter_id)

    def done() -> HttpResponse:
        person = _person(request)
        filters.delete_filter(person, number)
        return answer(_filters(person))

    return once(request, done)


def _person(request: HttpRequest, why: str = "a queue's filters are a person's") -> Person:
    """Whom the key names. Raises NotAllowed."""
    person = actor_of(request).person
    if person is None:
        raise NotAllowed(why, hint="name them: On-Behalf-Of: their address")
    return person


def _filters(person: Person) -> FilterList:
    return FilterList([_kept(one) for one in filters.filters_of(person)])


def _kept(one: SavedFilter) -> KeptFilter:
    wish = filters.wish_of(one.query)
    return KeptFilter(filter_id=one.pk, name=one.name, is_default=one.is_default, wish=wish)
