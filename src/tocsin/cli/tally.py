"""`tocsin tally`: count what the lists stopped, and tell the exchange by the hour."""

from pathlib import Path

import click

from tocsin.kernel.problems import BadInput, Problem


@click.command()
@click.argument("logs", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--to", "url", required=True, envvar="TOCSIN_TO", metavar="URL", help="The exchange.  [env: TOCSIN_TO]"
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
@click.option("--year", type=click.IntRange(1970, 9998), help="Year of log lines that carry none.")
@click.option("--tz", metavar="ZONE", help="Time zone of log lines that carry none, such as Europe/London.")
@click.option(
    "--dry-run", is_flag=True, help="Print the exact bytes that would leave, one log a line, and stop."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def tally(
    logs: tuple[Path, ...],
    url: str,
    key: str | None,
    machine: str | None,
    year: int | None,
    tz: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Count in LOGS what the exchange's lists stopped, and tell the exchange how often, hour by hour.

    LOGS are RPZ logs of BIND or Unbound, or what `nft -j list ruleset` printed. Clients never leave, nor does
    anything that other policies stopped. Counting the same log twice changes nothing; what was not sent is
    sent by the next run. nftables loses its counters when a list is loaded: tally before `tocsin zone`.

    \b
      tocsin tally /var/log/named/rpz.log --to https://exchange.example --dry-run
      nft -j list ruleset | tocsin tally - --to https://exchange.example
    """
    from tocsin.sift import tallying

    def say(text: str) -> None:
        click.echo(text, err=True)

    plan = tallying.Plan(url.rstrip("/"), machine, year, tz)
    if dry_run:
        if not logs:
            raise BadInput(
                "there is nothing to show without a log", hint="name one: tocsin tally LOG --dry-run"
            )
        for body in tallying.preview(logs, plan, say):
            click.echo(body)
        say("nothing was sent or remembered")
        return
    if not key:
        raise BadInput("no API key", hint="set TOCSIN_KEY, or give --key; the exchange's operator makes one")
    result = tallying.tally(logs, plan, key, say)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(result).decode())
    else:
        click.echo(result.sentence)
    if result.waiting:
        raise Problem(
            f"{result.waiting} tallies wait in the store", hint=result.fault or "run this again to send them"
        )
