"""`tocsin rules`: which rules there are, whether they hold, and what they make of a line."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tocsin.cli import terminal
from tocsin.cli.sift import number
from tocsin.kernel.problems import BadInput
from tocsin.sift import rulebook, stamps
from tocsin.sift.engine import UNKNOWN_TARGET
from tocsin.sift.records import RecordRule, Wrapped
from tocsin.sift.rulebook import Rule, Rulebook, Ruleset

if TYPE_CHECKING:
    from tocsin.sift.explaining import Explanation
    from tocsin.sift.proving import Proof

SETTINGS = {"help_option_names": ["-h", "--help"]}
FILES = click.argument("files", nargs=-1, metavar="[FILE…]", type=click.Path(path_type=Path))


@click.group(context_settings=SETTINGS)
def rules() -> None:
    """Look at the rules by which sift reads logs, test them, and ask what they make of a line.

    \b
    tocsin rules list
    tocsin rules test my-service.toml
    tocsin rules explain 'Dec 10 06:55:46 gate sshd[1]: Failed password for root from 192.0.2.1 port 22 ssh2'

    Rules of your own go into the folder that TOCSIN_RULES names, by default `rules` in the edge tool's
    folder.
    """


@rules.command("list", context_settings=SETTINGS)
@click.option("--json", "as_json", is_flag=True, help="One rulebook a line on standard output.")
def list_rules(as_json: bool) -> None:
    """Every rulebook: its service, its rules, what they find, and which lines are asked about."""
    listed = [(book, "ours") for book in rulebook.ours()] + [(book, "yours") for book in rulebook.yours()]
    if as_json:
        for book, whose in listed:
            click.echo(msgspec.json.encode(_record(book, whose)))
        return
    rows: list[tuple[str, ...]] = [("service", "rules", "whose", "kinds", "asked about")]
    rows += [_row(book, whose) for book, whose in listed]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  " + "  ".join([*cells, row[4]]).rstrip())
    services = {book.service for book, _ in listed}
    rule_count = sum(len(_rules(book)) for book, _ in listed)
    terminal.say(f"  {rule_count:,} rules for {number(len(services), 'service')}")


@rules.command("test", context_settings=SETTINGS)
@FILES
@click.option("--all", "show_all", is_flag=True, help="Tell also of the samples that hold.")
def test_rules(files: tuple[Path, ...], show_all: bool) -> int:
    """Read every sample of every rule with the real engine, or those of the FILEs among all other rules.

    Exit codes: 0 every sample holds, 1 one does not, 2 a file cannot be read or does not hold together.
    """
    from tocsin.sift.proving import prove

    asked = [rulebook.read(file) for file in files]
    known = [book for book in rulebook.ruleset().books if book not in asked]
    proofs = list(prove(Ruleset([*known, *asked]), asked or known))
    for line in _proof_lines(proofs, show_all):
        click.echo(line)
    failed = sum(not proof.holds for proof in proofs)
    rules_told = len({(proof.service, proof.rule) for proof in proofs})
    terminal.say(
        f"  {len(proofs):,} samples of {rules_told:,} rules: {len(proofs) - failed:,} hold, {failed:,} fail"
    )
    return 1 if failed else 0


@rules.command("explain", context_settings=SETTINGS)
@click.argument("line")
@click.option("--year", type=int, help="The year of times that name none.")
@click.option("--tz", metavar="ZONE", help="The zone of times that name none, such as Europe/London.")
@click.option("--target", default=UNKNOWN_TARGET, metavar="NAME", help="The host of lines that name none.")
def explain_line(line: str, year: int | None, tz: str | None, target: str) -> None:
    """Say how LINE is read, and which rule takes it or why none does; `-` explains standard input.

    Nothing is kept and nothing leaves this machine.
    """
    from tocsin.kernel.time import now
    from tocsin.sift.explaining import explain
    from tocsin.sift.lines import Matcher

    clock = stamps.Clock(now(), year=year, tz=tz)
    matcher = Matcher(rulebook.ruleset())
    for place, text in enumerate(_given(line)):
        if place:
            click.echo("")
        for told in _explanation_lines(explain(text, matcher, clock, target)):
            click.echo(told)


def _given(line: str) -> Iterator[str]:
    if line != "-":
        yield line
        return
    if terminal.is_terminal(sys.stdin):
        raise BadInput("nothing on standard input", hint="pipe lines in, or give the line as an argument")
    for raw in sys.stdin.buffer:
        yield raw.decode("utf-8", "replace").rstrip("\r\n")


def _record(book: Rulebook, whose: str) -> dict[str, object]:
    return {
        "service": book.service,
        "whose": whose,
        "log_type": book.log_type,
        "programs": book.programs,
        "shapes": book.shapes,
        "kinds": _kinds(book),
        "rules": tuple(rule.id for rule in _rules(book)),
    }


def _row(book: Rulebook, whose: str) -> tuple[str, ...]:
    asked = (*book.programs, *(f"[{shape}]" for shape in book.shapes), *(["records"] if book.marks else []))
    kinds = ", ".join(kind.partition("/")[2] for kind in _kinds(book))
    return book.service, str(len(_rules(book))), whose, kinds, ", ".join(asked)


def _kinds(book: Rulebook) -> tuple[str, ...]:
    found: list[Rule | RecordRule] = [*book.rules, *book.records]
    return tuple(sorted({rule.kind for rule in found}))


def _rules(book: Rulebook) -> tuple[Rule | RecordRule | Wrapped, ...]:
    return (*book.rules, *book.records, *book.wrapped)


def _proof_lines(proofs: Iterable["Proof"], show_all: bool) -> Iterator[str]:
    for proof in proofs:
        if proof.holds and not show_all:
            continue
        mark = (
            terminal.colour("✓", "dim", sys.stdout)
            if proof.holds
            else terminal.colour("✗", "red", sys.stdout)
        )
        yield f"{mark} {proof.service}/{proof.rule}: {terminal.printable(proof.message)}"
        if not proof.holds:
            read = f"{proof.origin or 'no address'} by {proof.by}" if proof.by else "nothing"
            yield f"    expected {proof.expected or 'nothing'}, read {read}"


def _explanation_lines(told: "Explanation") -> Iterator[str]:
    """Two columns: what, and what is known of it; the verdict last."""
    rows: list[tuple[str, str]] = []
    if told.shape:
        rows.append(("shape", told.shape))
        asked = ", ".join(told.asked) or "no rulebook"
        rows.append(("asked", f"{asked} (program {told.program})" if told.program else asked))
        if told.at or told.rule or told.shape != "record":
            rows.append(("time", told.at or "none that exists"))
        rows += [("assumed", f"{name}: {reason}") for name, reason in told.assumed.items()]
    rows += [("literal", f"{literal!r} of {rule}") for rule, literal in told.literals]
    if told.rule:
        rows.append(("rule", f"{told.rule.id} ({told.service}): {told.rule.why}"))
        forged = ", an origin that anybody can forge" if told.rule.spoofable else ""
        rows.append(("evidence", f"{told.rule.evidence}, weight {told.rule.weight} × {told.count}{forged}"))
        rows += [("kind", told.rule.kind), ("origin", told.origin or "nobody"), ("target", told.target)]
    if told.nearest:
        where = (
            f"which stopped at {told.nearest.stopped_at!r}" if told.nearest.stopped_at else "which wants more"
        )
        rows.append(("nearest", f"{told.nearest.rule}, {where}"))
    rows.append(("verdict", told.verdict))
    yield from (f"  {name:<9}{terminal.printable(value)}" for name, value in rows)
