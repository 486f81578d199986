"""Several workers and officers at the same time: one case, one owner, one breach."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

pytestmark = pytest.mark.database

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def database_of_its_own() -> Iterator[str]:
    """The URL of a fresh PostgreSQL database where the tests run on one; else nothing, which means SQLite.

    The journal refuses to be emptied, so threads cannot share the database of the other tests.
    """
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield ""
        return
    name = f"at_once_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        try:
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def happened() -> dict[str, Any]:
    """What the town's people did, in a process of its own."""
    return told_by("tests.cases.at_once")


def told_by(module: str, seconds: int = 60) -> dict[str, Any]:
    """What a module prints last that runs as a process with a database of its own."""
    with database_of_its_own() as url:
        environment = {
            **os.environ,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTHONWARNINGS": "ignore",
        }
        done = subprocess.run(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_batches_about_one_origin_give_one_case(happened: dict[str, Any]) -> None:
    """Whoever comes second joins; the same batch twice links once."""
    assert happened["linking"] == []
    assert happened["cases"] == [[3, 3]] * 10
    assert happened["links"] == 30


def test_of_two_officers_who_take_a_case_one_has_it(happened: dict[str, Any]) -> None:
    """The other is told that somebody was quicker."""
    assert happened["taking"] == ["Conflict"]
    assert happened["events"]["cases:case:accepted"] == 1


def test_sweeps_at_once_mark_each_breach_once(happened: dict[str, Any]) -> None:
    """P02 of ten cases (one due time each), P03 of the owned one; each then goes three desks up."""
    assert happened["sweeping"] == []
    assert happened["events"]["cases:clock:breached"] == 11
    assert happened["events"]["cases:clock:escalated"] == 11 * 3


def test_one_request_that_comes_eight_times_is_done_once(happened: dict[str, Any]) -> None:
    """The others wait for the first, and get its answer."""
    sent = happened["sending"]
    assert sent["raised"] == []
    assert sent["answers"] == [["done", False]] + [["done", True]] * 7
    assert sent["decided"] == 1
