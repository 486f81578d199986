"""Options that several commands have."""

from pathlib import Path

import click

mapping_option = click.option(
    "--map",
    "mapping",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What the columns or fields of records mean (docs/records.md).",
)
