"""`tocsin dns`: a hidden primary that brings the exchange's names to a provider's resolvers at once."""

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tocsin.cli import terminal
from tocsin.kernel.problems import BadInput

if TYPE_CHECKING:
    from tocsin.sift.primary import Step
    from tocsin.sift.primary_settings import Settings

RESOLVERS = ("bind", "unbound", "knot-resolver", "powerdns", "knot")


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--settings", "path", type=click.Path(path_type=Path), envvar="TOCSIN_DNS", metavar="FILE",
    help="What to serve, and to whom (TOML).  [env: TOCSIN_DNS]",
)  # fmt: skip
@click.option("--example", is_flag=True, help="Print settings to start from, and stop.")
@click.option("--once", is_flag=True, help="Bring Knot in step, and stop: for cron.")
@click.option("--check", is_flag=True, help="Say whether everything is in order, and stop.")
@click.option("--quiet", is_flag=True, help="Tell faults alone, not each change.")
@click.option("--json", "as_json", is_flag=True, help="One object a change on standard output.")
@click.pass_context
def dns(
    context: click.Context,
    path: Path | None,
    example: bool,
    once: bool,
    check: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Keep a Knot DNS hidden primary in step with the names that the exchange shares.

    Knot notifies your resolvers, and they fetch what changed: a new warning, and a withdrawal, is with them
    in about a second. `tocsin dns` writes Knot's configuration into its folder, checks every list against the
    exchange's pinned key, and changes Knot's zone; Knot itself you start, with `knotd -c FOLDER/knot.conf`.
    Either may be killed at any moment. While the exchange is away the last list stays until its own expiry.

    Set-up for each resolver, and what is guaranteed: docs/blocking.md.

    \b
      tocsin dns --example > dns.toml
      tocsin dns --settings dns.toml
      tocsin dns --settings dns.toml setup bind

    Exit codes: 0 stopped as asked, 1 --check found a fault, 2 wrong settings, 4 the key is not known,
    6 another tocsin dns works in that folder, 7 the exchange or Knot is out of reach (with --once).
    """
    if example:
        from tocsin.sift.primary_settings import EXAMPLE

        click.echo(EXAMPLE, nl=False)
        return
    context.obj = path
    if context.invoked_subcommand is not None:
        return
    settings = _told(path)
    key = _key(settings)
    if check:
        sys.exit(_check(settings, key))
    _run(settings, key, once=once, quiet=quiet, as_json=as_json)


@dns.command()
@click.argument("resolver", type=click.Choice(RESOLVERS))
@click.pass_obj
def setup(path: Path | None, resolver: str) -> None:
    """Print what to put into a RESOLVER's configuration, with addresses and keys filled in."""
    from tocsin.sift.primary_setup import setup as text

    click.echo(text(resolver, _told(path)), nl=False)


@dns.command()
@click.option("--provider", required=True, metavar="NAME", help="Your name, as your customers know it.")
@click.option("--help-at", required=True, metavar="WAY", help="A telephone number, e-mail address or link.")
@click.option(
    "--class", "kind", default="", metavar="CLASS",
    help="For a garden of this class alone, such as fraud/phishing: the page says what such a site does.",
)  # fmt: skip
@click.pass_obj
def garden(path: Path | None, provider: str, help_at: str, kind: str) -> None:
    """Print the page that a customer meets in the walled garden: plain HTML, for your own web server.

    Where `[classes]` leads one class to a host of its own (garden:HOST), print that host's page with --class.
    """
    from tocsin.sift.primary_garden import page

    click.echo(page(provider, help_at, _told(path).exchange, kind), nl=False)


def _told(path: Path | None) -> "Settings":
    from tocsin.sift import primary_settings

    if path is None:
        raise BadInput("no settings", hint="tocsin dns --example > dns.toml, then --settings dns.toml")
    return primary_settings.load(path)


def _key(settings: "Settings") -> str:
    import os

    if settings.key_file:
        try:
            return Path(settings.key_file).expanduser().read_text().strip()
        except OSError as error:
            raise BadInput(f"{settings.key_file} cannot be read: {error.strerror}") from None
    key = os.environ.get("TOCSIN_KEY", "")
    if not key:
        raise BadInput(
            "no API key", hint="set TOCSIN_KEY, or name a key_file; the exchange's operator makes one"
        )
    return key


def _check(settings: "Settings", key: str) -> int:
    from tocsin.cli.doctor import lines_of
    from tocsin.sift.primary_checking import check

    findings = list(check(settings, key))
    for line in lines_of(findings, as_json=False):
        click.echo(line)
    return 1 if any(finding.state == "wrong" for finding in findings) else 0


def _run(settings: "Settings", key: str, *, once: bool, quiet: bool, as_json: bool) -> None:
    from tocsin.sift import primary

    asked = threading.Event()

    def ask(number: int, _: object) -> None:
        asked.set()
        signal.signal(number, signal.SIG_DFL)  # whoever asks twice does not want to wait

    def show(step: "Step") -> None:
        if as_json:
            import json
            from dataclasses import asdict

            click.echo(json.dumps(asdict(step)))
        elif not quiet:
            took = f"fetched in {step.fetched * 1e3:,.0f} ms, in Knot in {step.committed * 1e3:,.0f} ms"
            terminal.say(f"list {step.number}: {step.gone:,} names gone, {step.come:,} come; {took}")

    if not once:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, ask)
    primary.run(settings, key, terminal.say, asked.is_set, once=once, show=show)
