"""`tocsin report`: sift, minimise, spool, send, keep the receipts."""

import sys
from pathlib import Path
from typing import Any

import click

from tocsin.cli.options import mapping_option
from tocsin.kernel.problems import BadInput, Problem


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--to", "url", default="", envvar="TOCSIN_TO", metavar="URL", help="The exchange.  [env: TOCSIN_TO]"
)
@click.option(
    "--key",
    envvar="TOCSIN_KEY",
    metavar="KEY",
    help="Your API key; better in the environment.  [env: TOCSIN_KEY]",
)
@click.option(
    "--network",
    "networks",
    multiple=True,
    metavar="CIDR",
    help="Addresses of your own customers; they leave only as tokens.",
)
@click.option(
    "--least",
    default="low",
    type=click.Choice(["info", "low", "medium", "high", "critical"]),
    show_default=True,
    help="Report this severity and above.",
)
@click.option(
    "--kept",
    "kept_days",
    type=click.IntRange(min=0),
    metavar="DAYS",
    help="How long these logs are kept: confirms what is held.",
)
@click.option(
    "--clock-error",
    "clock_error_ms",
    type=click.IntRange(min=0),
    metavar="MS",
    help="Bound on the error of the logs' clock.",
)
@click.option("--year", type=click.IntRange(1970, 9999), help="Year of log lines that carry none.")
@click.option("--tz", metavar="ZONE", help="Time zone of log lines that carry none, such as Europe/London.")
@mapping_option
@click.option(
    "--dry-run", is_flag=True, help="Print the exact bytes that would leave, one report a line, and stop."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def report(
    paths: tuple[Path, ...],
    url: str,
    key: str | None,
    as_json: bool,
    dry_run: bool,
    mapping: Path | None,
    **given: Any,
) -> None:
    """Report what PATHS show to the exchange at URL, and keep a receipt for every report.

    Raw lines stay here. What was not sent, because the network or this machine failed, is sent by the next
    run; without PATHS nothing else happens. Reporting the same evidence twice changes nothing.

    \b
      tocsin report /var/log/auth.log --dry-run              (see what would leave)
      tocsin report /var/log/auth.log --to https://exchange.example --kept 90
      tocsin report --to https://exchange.example            (send what is still waiting)
    """
    from tocsin.sift import reporting, rulebook

    plan = reporting.Plan(
        url=url.rstrip("/"),
        interactive=sys.stdin.isatty() and sys.stderr.isatty(),
        mapping=rulebook.mapping(mapping) if mapping else None,
        **given,
    )
    if dry_run:
        if not paths:
            raise BadInput(
                "there is nothing to show without a path", hint="name a log: tocsin report PATH --dry-run"
            )
        count = 0
        for body in reporting.preview(paths, plan):
            click.echo(body)
            count += 1
        click.echo(f"{count} reports would leave; nothing was sent or remembered", err=True)
        return
    if not url:
        raise BadInput("no exchange to report to", hint="give its address with --to, or set TOCSIN_TO")
    if not key:
        raise BadInput("no API key", hint="set TOCSIN_KEY, or give --key; the exchange's operator makes one")
    result = reporting.report(paths, plan, key, say=lambda text: click.echo(text, err=True))
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(result).decode())
    else:
        click.echo(result.sentence)
    if result.waiting:
        raise Problem(
            f"{result.waiting} reports wait in the spool", hint=result.fault or "run this again to send them"
        )
