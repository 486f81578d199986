"""Shared fixtures: where the samples are, and what this machine lacks."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


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


def missing(what: str) -> None:
    """Skip, saying what this machine lacks; fail where nothing may be skipped."""
    if os.environ.get("TOCSIN_REQUIRE_SAMPLES") == "1":
        pytest.fail(what)
    pytest.skip(what)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever uses the database carries the marker by which it runs again on PostgreSQL."""
    for item in items:
        if {"db", "transactional_db", "live_server"} & set(
            getattr(item, "fixturenames", ())
        ) or item.get_closest_marker("django_db"):
            item.add_marker("database")
