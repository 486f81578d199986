"""The benchmarks of linking, in their short form."""

import pytest
from bench import linking, linking_truth


def test_pairs_are_judged_by_what_shares_a_case_and_a_truth() -> None:
    """Four reports, two campaigns: one pair found of two, and one of two found pairs is right."""
    assert linking_truth.pairwise(["a", "a", "b", "b"], [1, 1, 2, 3]) == (0.5, 1.0)
    assert linking_truth.pairwise(["a", "b", "c", "d"], [1, 1, 2, 2]) == (0.0, 0.0)
    assert linking_truth.pairwise(["a"] * 4, [1] * 4) == (1.0, 1.0)


@pytest.mark.soak
def test_a_store_is_filled_and_linked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything from cold finds a case; singly and in batches it is measured."""
    monkeypatch.setenv("TOCSIN_BENCH_SHORT", "1")
    row = linking.run_engine("bench.linking", "sqlite", 2_000, 1_000, durable=True)
    print(row)
    assert row["cold_cases"] == 100  # about ten reports a case, and a large one
    assert 0 < row["in_batches_ms_a_report"] < row["one_report_ms"]


@pytest.mark.soak
def test_linking_is_right_more_often_than_an_address_and_a_day() -> None:
    """On a small nation: hardly a wrong pair, and far more found than day by day."""
    row = linking_truth.apart(211, 8, 3)
    print(row)
    assert row["precision"] >= 0.98
    assert row["recall"] >= row["same_address"][1] > row["same_address_and_day"][1]
