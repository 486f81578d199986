"""`tocsin doctor`: what is configured, what is missing, what to do."""

import json
import sys
from collections.abc import Iterator

import click

from tocsin.kernel.checkup import Finding

MARK = {"good": "✓", "missing": "–", "wrong": "✗"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One object a finding on standard output.")
def doctor(as_json: bool) -> None:
    """Look over this installation: the edge tool, and the exchange where it is installed.

    Every line says what was looked at and how it stands; a line that is not good says what to do.
    Exit status 1 when something is wrong; what is merely not used is no fault.
    """
    from importlib.metadata import entry_points

    from tocsin.sift import checkup

    findings: list[Finding] = list(checkup.edge())
    for half in entry_points(group="tocsin.doctor"):
        try:
            findings += half.load()()
        except ImportError:
            advice = "pip install 'tocsin[server]' where this machine shall run an exchange"
            findings.append(Finding("exchange", "missing", "not installed here", advice))
    for line in lines_of(findings, as_json):
        click.echo(line)
    if any(finding.state == "wrong" for finding in findings):
        sys.exit(1)


def lines_of(findings: list[Finding], as_json: bool) -> Iterator[str]:
    """Findings as lines: a mark, what was looked at, how it stands; then what to do."""
    for finding in findings:
        if as_json:
            fields = {"what": finding.what, "state": finding.state}
            yield json.dumps(fields | {"detail": finding.detail, "advice": finding.advice})
            continue
        yield f"{MARK[finding.state]} {finding.what}: {finding.detail}"
        if finding.advice:
            yield f"    → {finding.advice}"
