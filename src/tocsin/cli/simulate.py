"""`tocsin simulate`: a simulated nation in a folder, on which everything can be tried and judged."""

import datetime as dt
from pathlib import Path

import click

from tocsin.nation import shape as shapes


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option(
    "--providers", type=int, default=8, show_default=True, help="How many, of very different sizes."
)
@click.option("--forces", type=int, default=5, show_default=True, help="How many of the 43.")
@click.option("--days", type=int, default=7, show_default=True, help="How long it lasts.")
@click.option("--intensity", type=int, default=1, show_default=True, help="So many times as many campaigns.")
@click.option("--noise", type=int, default=1, show_default=True, help="So many times as much that misleads.")
@click.option(
    "--from",
    "first_day",
    type=click.DateTime(["%Y-%m-%d"]),
    default=shapes.FIRST_DAY.isoformat(),
    show_default=True,
    metavar="DATE",
    help="The first day, UTC.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="A folder that is not there yet.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def simulate(
    seed: int,
    providers: int,
    forces: int,
    days: int,
    intensity: int,
    noise: int,
    first_day: dt.datetime,
    out: Path,
    as_json: bool,
) -> None:
    """Make a nation of providers, forces and attackers: evidence, traffic, people, and the hidden truth.

    It is a model, not evidence. All addresses and names are ones that nobody can own.

    \b
      tocsin simulate --seed 7 --out /tmp/nation
      tocsin simulate --seed 7 --providers 130 --forces 43 --days 30 --out /tmp/nation
      tocsin simulate --seed 7 --providers 2 --days 1 --intensity 120 --out /tmp/large
      tocsin sift /tmp/nation/evidence/*/
    """
    from tocsin.nation import making

    shape = shapes.Shape(seed, providers, forces, days, first_day.date(), intensity, noise)
    made = making.simulate(shape, out)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(made).decode())
    else:
        click.echo(made.sentence)
