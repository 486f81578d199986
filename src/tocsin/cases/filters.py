"""Filters of the queue that somebody keeps by name."""

from tocsin.access.models import Person
from tocsin.cases.models import SavedFilter
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput, NotFound

MOST = 30


def filters_of(person: Person) -> list[SavedFilter]:
    """The filters of a person, by name."""
    return list(SavedFilter.objects.filter(person=person).order_by("name"))


def save_filter(person: Person, name: str, query: str, *, is_default: bool = False) -> SavedFilter:
    """Keep a filter; the same name keeps the newer one. Raises BadInput."""
    name = name.strip()
    if not name or len(name) > 60:
        raise BadInput("a filter needs a name of 1 to 60 characters")
    if len(query) > 1000:
        raise BadInput("this filter is too long to be kept")
    with act():
        if SavedFilter.objects.filter(person=person).exclude(name=name).count() >= MOST:
            raise BadInput(f"you have {MOST} filters already", hint="delete one first")
        if is_default:
            SavedFilter.objects.filter(person=person).update(is_default=False)
        saved, _ = SavedFilter.objects.update_or_create(
            person=person, name=name, defaults={"query": query, "is_default": is_default}
        )
    return saved


def delete_filter(person: Person, pk: int) -> None:
    """Forget a filter. Raises NotFound for another person's."""
    with act():
        if not SavedFilter.objects.filter(person=person, pk=pk).delete()[0]:
            raise NotFound()
