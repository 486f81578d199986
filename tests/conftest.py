"""Shared fixtures: where the samples are, what this machine lacks, what the fast loop leaves out."""

import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.template import fill

ROOT = Path(__file__).parent.parent
SLOW = Path(__file__).parent / "slow.txt"
SLOW_FROM = 0.25  # seconds of CPU time, all rows of a test's table together
# What takes seconds to set up for a whole module: the tests that ask for it are slow, however short each is.
COSTLY = {"nation", "streaming", "happened", "provider"}


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of public samples: `TOCSIN_SAMPLES`, by default `../shared/data` beside the checkout."""
    folder = samples_folder()
    if not folder.is_dir():
        missing(f"the public samples are not at {folder}; set TOCSIN_SAMPLES")
    return folder


def samples_folder() -> Path:
    """Where the public samples would be."""
    return Path(os.environ.get("TOCSIN_SAMPLES") or ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any
) -> Iterator[None]:
    """On SQLite the database of the tests is a copy of a migrated one, ready before it is migrated."""
    from django.db import connection

    if connection.vendor != "sqlite":
        yield
        return
    with django_db_blocker.unblock():
        held = fill(str(connection.creation._get_test_db_name()))
    yield
    held.close()


def missing(what: str) -> None:
    """Skip, saying what this machine lacks; fail where nothing may be skipped."""
    if os.environ.get("TOCSIN_REQUIRE_SAMPLES") == "1":
        pytest.fail(what)
    pytest.skip(what)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--note-slow` writes `tests/slow.txt` anew."""
    parser.addoption("--note-slow", action="store_true", help="note in tests/slow.txt what takes long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What uses the database is marked, so that it runs again on PostgreSQL; what is noted as slow, too.

    What only PostgreSQL has is left out of the other run, and what needs Suricata where there is none: Debian
    12 has no package of it.
    """
    slow = noted_as_slow()
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        elsewhere = [item for item in items if item.get_closest_marker("postgresql")]
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in elsewhere]
    if shutil.which("suricata") is None:
        without = [item for item in items if item.get_closest_marker("suricata")]
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]
    for item in items:
        if {"db", "transactional_db", "live_server"} & set(
            getattr(item, "fixturenames", ())
        ) or item.get_closest_marker("django_db"):
            item.add_marker("database")
        if without_parameters(item.nodeid) in slow or asks_for_much(item):
            item.add_marker("slow")


def asks_for_much(item: pytest.Item) -> bool:
    """Does the test need a fixture of the costly ones that stands for a whole module or session?"""
    known = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    return any(found[-1].scope != "function" for name, found in known.items() if name in COSTLY)


def noted_as_slow() -> set[str]:
    """The tests that `tests/slow.txt` names."""
    lines = SLOW.read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def without_parameters(nodeid: str) -> str:
    """The test's name, the same for each row of its table."""
    return nodeid.partition("[")[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Measure the CPU time of the test and its processes: it is the same however busy the machine is."""
    began = cpu_seconds()
    try:
        return (yield)
    finally:
        item.user_properties.append(("cpu_seconds", cpu_seconds() - began))


def cpu_seconds() -> float:
    """What this process and those that it has waited for have used so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Where it is asked for, write down what a test with all its rows used of a core's time."""
    if not config.getoption("--note-slow"):
        return
    used: dict[str, float] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                name = without_parameters(report.nodeid)
                used[name] = used.get(name, 0) + dict(report.user_properties).get("cpu_seconds", 0)
    slow = {name for name, seconds in used.items() if seconds >= SLOW_FROM}
    kept = {name for name in noted_as_slow() if name not in used}
    head = [line for line in SLOW.read_text().splitlines() if line.startswith("#")]
    SLOW.write_text("\n".join([*head, *sorted(slow | kept), ""]))
    terminalreporter.write_line(
        f"{len(slow)} of {len(used)} tests are slow, {sum(used.values()):.0f} s in all"
    )
