"""`tocsin tally`: count what the lists stopped, and tell the exchange by the hour."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tocsin.kernel.problems import BadInput, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tocsin.sift.tallying import Plan, Result, Top


@click.command()
@click.argument("logs", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--to",
    "url",
    envvar="TOCSIN_TO",
    metavar="URL",
    help="The exchange to tell; without one everything is counted and nothing leaves.  [env: TOCSIN_TO]",
)
@click.option(
    "--key",
    envvar="TOCSIN_KEY",
    metavar="KEY",
    help="Your API key; better in the environment.  [env: TOCSIN_KEY]",
)
@click.option(
    "--machine", metavar="NAME", help="Where the logs are from, when it is not here; it never leaves as such."
)
@click.option(
    "--map",
    "mapping",
    metavar="COLUMNS",
    help="Columns of an export: time=…,indicator=…,client=…,action=… (the last two where there are such).",
)
@click.option("--year", type=click.IntRange(1970, 9998), help="Year of log lines that carry none.")
@click.option("--tz", metavar="ZONE", help="Time zone of times that carry none, such as Europe/London.")
@click.option(
    "--keep-clients",
    type=click.IntRange(0, 3650),
    default=30,
    show_default=True,
    metavar="DAYS",
    help="How long the keyed ids of clients are kept to count them exactly; the tallies stay.",
)
@click.option("--no-clients", is_flag=True, help="Count hits alone, faster, and keep nothing about clients.")
@click.option("--here", "is_here", is_flag=True, help="Show fewer than five clients too, to yourself.")
@click.option(
    "--hours",
    "hours_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write every hourly tally to FILE, as CSV or by its name (.parquet) as Parquet.",
)
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="Where to count: here, or on a Spark of yours that reads the files itself.",
)
@click.option("--remote", metavar="sc://HOST:PORT", help="The Spark Connect server of --engine spark.")
@click.option(
    "--dry-run", is_flag=True, help="Print the exact bytes that would leave, one log a line, and stop."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def tally(
    logs: tuple[Path, ...], url: str | None, key: str | None, machine: str | None, mapping: str | None,
    year: int | None, tz: str | None, keep_clients: int, no_clients: bool, is_here: bool,
    hours_file: Path | None, engine: str, remote: str | None, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Count what LOGS show that was stopped, hour by hour: hits, and different clients behind them.

    LOGS are RPZ logs of BIND, Unbound, Knot Resolver or PowerDNS Recursor, dnstap, CSV, NDJSON or Parquet
    with a time and an indicator in each row, or what `nft -j list ruleset` printed; packed or not. Counting
    the same twice changes nothing. Clients never leave, nor does what other policies stopped: an exchange
    (--to) is told how often its lists did it. What was not sent is sent by the next run. Without LOGS it
    sends what waits, and shows what was counted.

    \b
      tocsin tally exports/*.parquet
      tocsin tally /var/log/named/rpz.log --to https://exchange.example --dry-run
      nft -j list ruleset | tocsin tally - --to https://exchange.example
    """
    from tocsin.sift import tallying
    from tocsin.sift.hits.columns import mapping_of

    if (engine == "spark") != bool(remote):
        raise BadInput(
            "--engine spark and --remote go together", hint="--engine spark --remote sc://host:15002"
        )
    progress = Progress(logs)
    plan = tallying.Plan(
        url.rstrip("/") if url else "", machine, year, tz, mapping_of(mapping) if mapping else None,
        not no_clients, keep_clients, is_here, hours_file, progress.see,
    )  # fmt: skip
    if dry_run:
        _show(logs, plan)
        return
    if url and not key:
        raise BadInput("no API key", hint="set TOCSIN_KEY, or give --key; the exchange's operator makes one")
    if remote:
        from tocsin.sift.hits import spark

        result = spark.tally(list(map(str, logs)), plan, remote)
    else:
        result = tallying.tally(logs, plan, key or "", _say)
    progress.clear()
    _print(result, as_json=as_json, tells=bool(url))
    if result.waiting:
        raise Problem(
            f"{result.waiting} tallies wait in the store", hint=result.fault or "run this again to send them"
        )


def _show(logs: tuple[Path, ...], plan: "Plan") -> None:
    from tocsin.sift import tallying

    if not plan.url:
        raise BadInput(
            "nothing leaves without an exchange", hint="name one: tocsin tally LOG --to URL --dry-run"
        )
    if not logs:
        raise BadInput("there is nothing to show without a log", hint="name one: tocsin tally LOG --dry-run")
    for body in tallying.preview(logs, plan, _say):
        click.echo(body)
    _say("nothing was sent or remembered")


def _print(result: "Result", *, as_json: bool, tells: bool) -> None:
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(result).decode())
        return
    if tells:
        click.echo(result.sentence)
        return
    for line in table(result.top):
        click.echo(line)
    if not result.top:
        _say("nothing is counted here yet: name a log of a resolver, or an export of blocks")
    elif not result.read:
        _say("this is what was counted before; name logs to count more")


def table(top: "tuple[Top, ...]") -> "Iterator[str]":
    """The indicators with most hits, in 80 columns; nothing for none."""
    from tocsin.cli.terminal import printable

    if not top:
        return
    yield f"  {'indicator':<37}{'hits':>14}{'hours':>8}{'clients in an hour':>20}"
    for one in top:
        name = printable(one.indicator)
        short = name if len(name) <= 36 else name[:17] + "…" + name[-18:]
        clients = "few or unknown" if one.clients is None else f"{one.clients:,}"
        yield f"  {short:<37}{one.hits:>14,}{one.hours:>8,}{clients:>20}"


class Progress:
    """A line on a watched terminal once a run takes over two seconds: how far, how fast, how long yet."""

    def __init__(self, logs: tuple[Path, ...]) -> None:
        import time

        self._clock = time.monotonic
        self._logs = logs
        self._began = self._clock()
        self._done = 0
        self._total: int | None = None
        self._is_shown = False

    def see(self, size: int) -> None:
        """So many bytes more are read and counted."""
        from tocsin.cli.terminal import is_terminal

        self._done += size
        seconds = self._clock() - self._began
        if seconds < 2 or not is_terminal(sys.stderr):
            return
        if self._total is None:
            from tocsin.cli.sift import on_disk

            self._total = on_disk(tuple(map(str, self._logs)))
        sys.stderr.write(f"\r\x1b[K  {words(self._done, self._total, seconds)}")
        sys.stderr.flush()
        self._is_shown = True

    def clear(self) -> None:
        """Take the line away again."""
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")


def words(done: int, total: int, seconds: float) -> str:
    """`412 MB read, 96 MB/s, 17 s left`."""
    from tocsin.cli.table import duration

    told = f"{done / 1e6:,.0f} MB read, {done / 1e6 / seconds:,.0f} MB/s"
    if total > done > 0:
        told += f", {duration(max(round(seconds * (total - done) / done), 1))} left"
    return told


def _say(text: str) -> None:
    click.echo(text, err=True)
