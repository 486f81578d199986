"""Filters of the queue that somebody keeps by name, as they stand in the address of its page."""

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode

from tocsin.access.models import Person
from tocsin.cases.models import SavedFilter
from tocsin.cases.queueing import Wish
from tocsin.journal.acts import act
from tocsin.kernel.problems import BadInput, NotFound

MOST = 30
# The page's fields, and what they are called where they are read.
FIELDS = {
    "q": "words",
    **{name: name for name in ("group", "status", "severity", "kind", "unit", "owner", "days")},
}


def wish_of(given: str | Iterable[tuple[str, str]]) -> Wish:
    """What an address asks for."""
    pairs = parse_qsl(given) if isinstance(given, str) else given
    return Wish(**{FIELDS[name]: value.strip()[:200] for name, value in pairs if name in FIELDS})


def query_of(wish: Wish) -> str:
    """The address's part that asks for it."""
    names = {field: name for name, field in FIELDS.items()}
    return urlencode({names[field]: value for field, value in wish.given().items()})


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
