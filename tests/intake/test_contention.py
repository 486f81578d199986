"""A provider updates the reports whose status a unit changes at the same moment."""

import subprocess
import sys

import pytest
from tests.own_exchange import ROOT, own_exchange

pytestmark = pytest.mark.database


def test_updates_and_status_changes_of_the_same_reports_never_wait_for_each_other_for_ever() -> None:
    """Both write under the journal's head, so neither holds what the other needs."""
    with own_exchange() as exchange:
        command = [sys.executable, "-m", "tests.intake.contenders"]
        done = subprocess.run(
            command,
            env=exchange.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
