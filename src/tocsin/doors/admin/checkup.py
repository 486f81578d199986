"""The exchange's half of `tocsin doctor`."""

import os
import stat
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tocsin.kernel.checkup import Finding


def exchange() -> list[Finding]:
    """How the exchange that this environment names stands; nothing is changed by looking.

    Raises ImportError where the server half is not installed.
    """
    if find_spec("django") is None:
        raise ImportError("django")
    home = Path(os.environ.get("TOCSIN_HOME") or "var/exchange").absolute()
    if not (home / "signing.key").exists() and not os.environ.get("DATABASE_URL"):
        return [
            Finding("exchange", "missing", f"none at {home}", "tocsin serve makes one; tocsin demo shows one")
        ]
    from tocsin.doors.admin.setup import start_django

    start_django()
    findings = [Finding("exchange", "good", f"home {home}")]
    for look in (_secrets, _database, _units, _waiting, _mail, _assets, _address):
        findings += _looked(look)
    return findings


def _looked(look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """What one look finds; a look that fails is a finding too."""
    try:
        return list(look())
    except Exception as error:
        what = look.__name__.strip("_")
        return [
            Finding(
                what, "wrong", f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            )
        ]


def _secrets() -> Iterator[Finding]:
    from django.conf import settings

    for name in ("django.key", "signing.key"):
        file = settings.HOME.path / name
        if not file.exists():
            yield Finding(name, "missing", "not made yet", "tocsin serve makes it")
        elif stat.S_IMODE(file.stat().st_mode) & 0o077:
            yield Finding(name, "wrong", f"{file} can be read by others", f"chmod 600 {file}")
        else:
            yield Finding(name, "good", "there, and nobody else's to read")


def _database() -> Iterator[Finding]:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if waiting:
        yield Finding(
            "database", "wrong", f"{connection.vendor}, {waiting} migrations wait", "tocsin serve runs them"
        )
    else:
        yield Finding("database", "good", f"{connection.vendor}, up to date")


def _units() -> Iterator[Finding]:
    from tocsin.access.models import Member, Role, Unit

    units, joined = Unit.objects.count(), Unit.objects.filter(joined_at__isnull=False).count()
    yield Finding(
        "units", "good" if units else "missing", f"{units} in the country pack, {joined} have joined"
    )
    members = Member.objects.filter(suspended_at__isnull=True).count()
    yield Finding(
        "members",
        "good" if members else "missing",
        f"{members}",
        "" if members else "tocsin admin member add",
    )
    if not Role.objects.filter(name=Role.Name.COORDINATOR).exists():
        advice = "tocsin admin role give: cases of units that have not joined need one"
        yield Finding("coordinator", "wrong", "nobody is the exchange's coordinator", advice)


def _waiting() -> Iterator[Finding]:
    from django_tasks_db.models import DBTaskResult

    from tocsin.kernel.time import now

    oldest = DBTaskResult.objects.filter(finished_at__isnull=True).order_by("enqueued_at").first()
    seconds = (now() - oldest.enqueued_at).total_seconds() if oldest is not None else 0
    if seconds > 60:
        advice = "is tocsin serve running? its log says why a job fails"
        yield Finding("background work", "wrong", f"the oldest job waits for {seconds / 60:.0f} min", advice)
    else:
        yield Finding("background work", "good", "nothing waits")


def _mail() -> Iterator[Finding]:
    from tocsin.notices import mailing
    from tocsin.notices.models import Address, Mail

    if not mailing.is_on():
        yield Finding(
            "mail", "missing", "no mail server is named", "set TOCSIN_SMTP, such as smtp://mail.example"
        )
        return
    dead = Address.objects.filter(dead_at__isnull=False).count()
    late = Mail.objects.filter(state=Mail.State.CLAIMED, attempts__gt=1).count()
    doubt = Mail.objects.filter(state=Mail.State.DOUBT).count()
    state: Any = "wrong" if late else "good"
    said = f"{late} wait for a server, {doubt} in doubt, {dead} addresses take none"
    yield Finding("mail", state, said, "is the server of TOCSIN_SMTP reached?" if late else "")


def _assets() -> Iterator[Finding]:
    from django.conf import settings

    sheet = Path(settings.STATICFILES_DIRS[0]) / "vendor" / "tocsin.css"
    state: Any = "good" if sheet.exists() else "wrong"
    yield Finding(
        "stylesheet", state, "built" if sheet.exists() else "missing", "" if sheet.exists() else "make assets"
    )


def _address() -> Iterator[Finding]:
    from django.conf import settings

    if settings.PUBLIC_URL.startswith("https://"):
        yield Finding("address", "good", settings.PUBLIC_URL)
    else:
        advice = "set TOCSIN_URL to the https:// address of the proxy in front"
        yield Finding("address", "missing", f"{settings.PUBLIC_URL} is not encrypted", advice)
