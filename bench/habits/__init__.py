"""Ninety days under the habits of 2016, and under Tocsin, with the same officers and the same hours.

    python -m bench.habits [--seed 31] [--providers 130] [--forces 43] [--days 90]

A model, not evidence. The same simulated nation is lived through four times: with the reports that desks of
2016 would have found time for, answered by their habits; with all reports, answered by those habits; with a
real exchange; and with the exchange while three forces in ten never look at it. What acts cost stands in
`bench.habits.effort`, how far that may be wrong in the rows of `bench.habits.sensitivity`.
"""

from bench.habits.world import run

__all__ = ["run"]
