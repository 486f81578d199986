"""The benchmark's short form: every change arrives at both resolvers; how soon is printed, and not judged."""

import pytest
from bench import dns
from tests.stories.daemons import needs

pytestmark = pytest.mark.soak
TRIALS, NAMES, AT_ONCE = 20, 10_000, 100


def test_twenty_warnings_and_withdrawals_arrive_in_a_zone_of_ten_thousand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each is refused by a real Unbound and BIND, and answered again; then a hundred at once."""
    needs("knotd", "knotc", "knsupdate", "unbound", "named")
    rows = {row["what"]: row for row in dns.run(NAMES, TRIALS, AT_ONCE)}
    with capsys.disabled():
        for row in rows.values():
            print("\n" + "  ".join(f"{key}: {value}" for key, value in row.items()), end="")
        print()
    assert rows["one report to refused"]["trials"] == TRIALS
    assert rows["withdrawn to answered again"]["trials"] == TRIALS
    assert rows["100 names at once, the last refused"].keys() >= {"unbound_ms", "bind_ms"}
