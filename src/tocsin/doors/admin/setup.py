"""Getting Django and the exchange's home ready, for commands that need them.

Nothing here is imported before a command runs: `tocsin --help` stays free of Django.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path


def start_django() -> None:
    """Load settings and apps; a second time changes nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tocsin.site.settings")
    import django

    django.setup()


def home() -> Path:
    """The exchange's home folder, made where it is missing."""
    from django.conf import settings

    settings.HOME.make()
    path: Path = settings.HOME.path
    return path


def prepare() -> None:
    """Make the exchange usable, whatever is missing: home, keys, tables, the country's units.

    Safe to run beside another process that does the same.
    """
    start_django()
    with locked(home() / "setup.lock"):
        _migrate()
        _load_units()
        from tocsin.journal import keys

        keys.private_key()


@contextmanager
def lists_built() -> Iterator[None]:
    """Build the warning lists meanwhile, where they are not: then the first report waits for no build.

    It takes another process some two seconds. Where that fails, a worker tries again and says why.
    """
    from tocsin.sharing import warning_lists

    if warning_lists.is_built():
        yield
        return
    with subprocess.Popen([sys.executable, "-m", warning_lists.__name__], stderr=subprocess.DEVNULL):  # noqa: S603
        yield


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a file's lock (flock), which ends with the process however it ends. Raises BlockingIOError."""
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


def _load_units() -> None:
    """The country pack's units as rows, by the noun that routes to them."""
    if find_spec("tocsin.cases.units") is None:
        return
    from importlib import import_module

    import_module("tocsin.cases.units").load_units()
