"""The second fence, on PostgreSQL: while a web request reads, the database itself knows who asks.

The first fence is `visible_to`, in code. Should a page ever forget it, row-level security still gives no row
of another member or unit (PostgreSQL documentation 5.9). A request that reads takes the role `tocsin_reader`,
which owns no table and so cannot pass by the policies, and says in session variables for whom it acts.
Worker, commands and acts that write keep the owner's role: linking and clocks have to see everything.

On SQLite, and where the role could not be made, every function here does nothing.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import DatabaseError, connection

ROLE = "tocsin_reader"
VARIABLES = ("members", "units", "above", "person", "coordinator", "cases", "judged")

_usable: dict[str, bool] = {}


@dataclass(frozen=True)
class Asker:
    """For whom a request reads: primary keys of members, units and the person, and cases opened by a link.

    `above` are those of the units to which missed clocks of others can rise; `judged` is what the database
    said of the cases that a page is about.
    """

    members: tuple[int, ...] = ()
    units: tuple[int, ...] = ()
    above: tuple[int, ...] = ()
    person: int = 0
    is_coordinator: bool = False
    cases: tuple[int, ...] = ()
    judged: str = ""


def put_up(asker: Asker) -> None:
    """From here on this connection reads what the asker may, until `take_down`."""
    if not is_usable():
        return
    _set(
        ROLE,
        _spelled(asker.members),
        _spelled(asker.units),
        _spelled(asker.above),
        str(asker.person or ""),
        "on" if asker.is_coordinator else "",
        _spelled(asker.cases),
        asker.judged,
    )
    connection.tocsin_fence = asker  # type: ignore[attr-defined]  # remembered where it holds


def take_down() -> None:
    """Back to the owner's role; a connection that cannot go back is closed."""
    if getattr(connection, "tocsin_fence", None) is None:
        return
    connection.tocsin_fence = None  # type: ignore[attr-defined]
    if connection.connection is None:  # closed meanwhile: the next one begins without fence
        return
    try:
        _set("none", *[""] * len(VARIABLES))
    except DatabaseError:
        if connection.in_atomic_block:  # a broken transaction takes its settings with it
            raise
        connection.close()


@contextmanager
def lifted() -> Iterator[None]:
    """For what is counted over everybody and told to all, and for finding a link by its token."""
    asker: Asker | None = getattr(connection, "tocsin_fence", None)
    if asker is None:
        yield
        return
    take_down()
    try:
        yield
    finally:
        put_up(asker)


def open_case(case: int) -> None:
    """A link has opened this one case for the running request."""
    asker: Asker | None = getattr(connection, "tocsin_fence", None)
    if asker is not None:
        put_up(replace(asker, cases=(*asker.cases, case)))
        judge([case])


def judge(cases: Iterable[int]) -> None:
    """Let the database judge once, for the rest of the request, which of these cases the asker reads.

    Without it the answer is the same, but is found for each of their rows.
    """
    asker: Asker | None = getattr(connection, "tocsin_fence", None)
    if asker is None:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT tocsin_judge(%s::bigint[])", [list(cases)])
        (judged,) = cursor.fetchone()
    connection.tocsin_fence = replace(asker, judged=judged)  # type: ignore[attr-defined]


def is_usable() -> bool:
    """Is this PostgreSQL, with the role there for us to take, and not switched off?"""
    if connection.vendor != "postgresql" or not settings.FENCE:
        return False
    name = str(connection.settings_dict["NAME"])
    if name not in _usable:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = %s AND "
                "pg_has_role(current_user, oid, 'MEMBER'))",
                [ROLE],
            )
            (_usable[name],) = cursor.fetchone()
    return _usable[name]


def _set(role: str, *values: str) -> None:
    """One round trip for the role and all variables."""
    calls = ", ".join(f"set_config('tocsin.{name}', %s, false)" for name in VARIABLES)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls}, set_config('role', %s, false)", [*values, role])


def _spelled(keys: Iterable[int]) -> str:
    return ",".join(str(key) for key in keys)
