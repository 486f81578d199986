"""Readers: which machines have the lists, and how far behind they are."""

import datetime as dt

from django.http import HttpRequest, HttpResponse
from ninja import Router

from tocsin.doors.api.acts import whole_number
from tocsin.doors.api.guards import actor_of, guard
from tocsin.doors.api.reports import answer
from tocsin.doors.api.values import ReaderState, ReaderStates, described
from tocsin.kernel.time import rfc3339
from tocsin.sharing import readers

router = Router(tags=["readers"])


@router.get("", auth=guard("reader.read"), openapi_extra=described(ReaderStates))
def list_readers(request: HttpRequest) -> HttpResponse:
    """Each key of the member that reads what is shared: the number it has, and what it still has to take."""
    view = readers.readers(actor_of(request))
    return answer(ReaderStates(view.sentence, tuple(map(state_of, view.rows))))


@router.delete("/{reading}", auth=guard("reader.forget"), openapi_extra=described(ReaderStates))
def forget_reader(request: HttpRequest, reading: str) -> HttpResponse:
    """A machine that is gone for good is not waited for; if it reads again, it begins anew."""
    readers.forget(actor_of(request), whole_number(reading))
    return list_readers(request)


def state_of(row: readers.ReaderView) -> ReaderState:
    """One reader as it travels."""
    return ReaderState(
        reading=row.reading,
        key=row.label,
        way=row.way,
        what=row.what,
        state=row.state,
        number=row.number,
        current=row.current,
        behind=row.behind,
        began_at=_told(row.began_at),
        taken_at=_told(row.taken_at),
        read_at=_told(row.read_at),
        owes_since=_told(row.owes_since),
        late=row.is_late,
        mend=row.mend,
    )


def _told(instant: dt.datetime | None) -> str:
    return rfc3339(instant) if instant is not None else ""
