"""`tocsin replay`: read rejected lines again, after a rule was mended."""

import sys
from pathlib import Path

import click

from tocsin.cli import table, terminal
from tocsin.cli.options import mapping_option
from tocsin.kernel.problems import BadInput


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--to", "url", default="", envvar="TOCSIN_TO", metavar="URL",
    help="The exchange whose spool holds them.  [env: TOCSIN_TO]",
)  # fmt: skip
@click.option("--watched", is_flag=True, help="Those of a `tocsin watch` that reports to nobody.")
@click.option("--network", "networks", multiple=True, metavar="CIDR", help="A network of yours.")
@click.option("--year", type=click.IntRange(1970, 9998), help="The year of times that name none.")
@click.option("--tz", metavar="ZONE", help="The zone of times that name none, such as Europe/London.")
@mapping_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def replay(
    files: tuple[Path, ...], url: str, watched: bool, networks: tuple[str, ...], year: int | None,
    tz: str | None, mapping: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Read again what could not be read: FILES that `tocsin sift` kept, or what a spool holds.

    From a spool, what is understood now becomes reports that the next `tocsin report` or `watch` sends, and
    leaves the rejected in the same stroke; what still cannot be read stays. A file is read and left as it is.

    \b
      tocsin replay ~/.local/share/tocsin/rejected/20261125T101500Z-4242.tsv
      tocsin replay --to https://exchange.example
    """
    from tocsin.sift import engine, replaying, reporting, rulebook
    from tocsin.sift.rejects import Kept
    from tocsin.sift.spool import NOWHERE

    meaning = rulebook.mapping(mapping) if mapping else None
    if files:
        lines = [line for file in files for line in replaying.read_file(file)]
        options = engine.Options(networks=networks, year=year, tz=tz, mapping=meaning)
        result, attacks = replaying.replay(lines, options, Kept())
        if not as_json:
            for line in table.lines(attacks, sys.stdout, limit=table.MOST_ROWS):
                click.echo(line)
    elif url or watched:
        plan = reporting.Plan(
            url=url.rstrip("/") or NOWHERE, networks=networks, year=year, tz=tz, mapping=meaning
        )
        result = replaying.replay_spool(plan)
    else:
        raise BadInput("nothing to replay", hint="name a file of rejected lines, or --to URL for its spool")
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(result).decode())
    else:
        terminal.say(
            f"  {result.lines:,} rejected lines: {result.observed:,} observed now, {result.noise:,} noise, "
            f"{result.still:,} still rejected"
        )
    return 0
