"""A migrated database to copy: on SQLite the tests begin with one instead of running every migration again.

It is made once for each state of the migrations, in the cache folder of whoever runs the tests, and copied
whole (SQLite's backup). What the copy lacks `migrate` still adds, so that nothing depends on it.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from tocsin.kernel.hashing import sha256_hex

ROOT = Path(__file__).parent.parent
MADE_WITH = ("django", "django-allauth", "django-tasks-db")
MAKE = (
    "import django; django.setup(); from django.core.management import call_command; "
    "call_command('migrate', verbosity=0)"
)


def template() -> Path:
    """The file, made where it is missing. Two who make it at once make the same."""
    cache = Path(os.environ["TOCSIN_CACHE"])
    path = cache / f"migrated-{_state()}.sqlite3"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as home:
            environment = {
                **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
                "TOCSIN_HOME": home,
                "DJANGO_SETTINGS_MODULE": "tocsin.site.settings",
                "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]),
            }
            subprocess.run([sys.executable, "-c", MAKE], env=environment, check=True)
            whole = Path(home) / "whole.sqlite3"
            with sqlite3.connect(Path(home) / "exchange.sqlite3") as made:
                made.execute("VACUUM INTO ?", [str(whole)])  # without a log beside it
            made.close()
            whole.replace(path)
    return path


def lay(home: Path) -> None:
    """Put a copy where an exchange of this home looks for its database on SQLite."""
    shutil.copyfile(template(), home / "exchange.sqlite3")


def migrate() -> None:
    """A process of its own, whose settings are loaded, has its database: from a copy on SQLite."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor == "sqlite":
        lay(settings.HOME.path)
    call_command("migrate", verbosity=0)


def fill(name: str) -> sqlite3.Connection:
    """Fill the database in memory of this name; it lives for as long as somebody has it open."""
    target = sqlite3.connect(name, uri=True, check_same_thread=False)
    with sqlite3.connect(template()) as source:
        source.backup(target)
    source.close()
    return target


def _state() -> str:
    """What a migrated database depends on, in sixteen digits."""
    files = sorted((ROOT / "src" / "tocsin").glob("*/migrations/*.py"))
    parts = [*(file.read_text() for file in files), *(version(name) for name in MADE_WITH)]
    return sha256_hex("\n".join(parts).encode())[:16]
