"""Every page that somebody works on, with a million reports and 100,000 cases, twenty people at once.

    python -m bench.pages [--reports 1000000] [--cases 100000] [--engine sqlite|postgresql] [--seconds 5]

The store is written in bulk and the exchange served as the process it is. wrk is twenty people who look at
a page for a second on average before they ask again (`p50_ms` to `p99_ms`), and then twenty connections that
never wait (`full_…`): what the machine gives at most. Pages are asked for as whoever works there. The mix
(`bench.pages.mixing`) is twenty people of all kinds who go from page to page and read 1 to 5 seconds.
`--home FOLDER` measures a store that stands, `--part` and `--only` a part of it, `--workers` more processes.
`TOCSIN_BENCH_SHORT=1` shortens everything.
"""

from bench.pages.measuring import run

__all__ = ["run"]
