"""`tocsin admin import-cases`: a unit's own list of cases, from a CSV file and a map."""

import csv
import json
import tomllib
from pathlib import Path

import click


@click.command("import-cases")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--unit", "unit_id", required=True, help="The unit whose list it is, such as kent.")
@click.option(
    "--map",
    "map_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML: which column holds what (docs/api.md).",
)
@click.option("--dry-run", is_flag=True, help="Only say what would become of each row.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def import_cases(file: Path, unit_id: str, map_file: Path, dry_run: bool, as_json: bool) -> None:
    """Take in the list of cases in FILE that a unit has kept so far. Again changes nothing.

    Rows that are refused are kept beside it, in FILE.rejected.csv with the reason: mend them there, and
    import that file.
    """
    from tocsin.doors.admin.setup import prepare

    prepare()
    import msgspec

    from tocsin.access.services import fetch_unit
    from tocsin.cases import importing
    from tocsin.kernel.problems import BadInput

    try:
        mapped = msgspec.convert(tomllib.loads(map_file.read_text(encoding="utf-8")), importing.Map)
        text = file.read_text(encoding="utf-8-sig")
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(str(error), hint="the map is TOML, and both files are UTF-8") from None
    results = importing.import_cases(fetch_unit(unit_id), "the operator", text, mapped, dry_run=dry_run)
    counted = importing.counts(results)
    refused = [row for row in results if row.state == "rejected"]
    kept = file.with_name(f"{file.name}.rejected.csv")
    if refused and not dry_run:
        _keep(kept, refused, mapped.delimiter)
    if as_json:
        rows = [{"line": row.line, "number": row.number, "reason": row.reason} for row in refused]
        click.echo(json.dumps({"dry_run": dry_run, **counted, "rejected_rows": rows}))
        return
    done = "would be imported" if dry_run else "imported"
    click.echo(
        f"{counted['imported']:,} {done}, {counted['known']:,} known, {counted['rejected']:,} rejected"
    )
    for row in refused:
        click.echo(f"line {row.line}: {row.reason}", err=True)
    if refused and not dry_run:
        click.echo(f"what was rejected is kept in {kept.name}", err=True)


def _keep(file: Path, rows: list, delimiter: str) -> None:  # type: ignore[type-arg]
    """The rows as they came, each with its reason, so that they can be mended and imported."""
    headings = list(rows[0].content or {})
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=delimiter)
        writer.writerow([*headings, "rejected because"])
        for row in rows:
            content = row.content or {}
            writer.writerow([*(content.get(name, "") for name in headings), row.reason])
