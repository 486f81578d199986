"""`tocsin watch`: follow logs, the journal, syslog and mailboxes, and report what they show as it happens."""

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tocsin.cli import terminal
from tocsin.kernel.problems import BadInput

if TYPE_CHECKING:
    from tocsin.sift.live.settings import Settings


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--settings", "path", type=click.Path(path_type=Path), envvar="TOCSIN_WATCH", metavar="FILE",
    help="What to watch (TOML).  [env: TOCSIN_WATCH]",
)  # fmt: skip
@click.option("--example", is_flag=True, help="Print settings to start from, and stop.")
@click.option("--once", is_flag=True, help="Read and report what is there, and stop: for cron.")
@click.option("--check", is_flag=True, help="Say what would be watched and whether it can be, and stop.")
@click.option("--plain", is_flag=True, help="No live view, a line a minute instead.")
@click.option("--json", "as_json", is_flag=True, help="With --once: print what happened as one JSON object.")
def watch(path: Path | None, example: bool, once: bool, check: bool, plain: bool, as_json: bool) -> int:
    """Watch logs as they grow and report attacks within seconds, through rotation, outage and restart.

    Every line counts once: what was read, what it showed and what is to be told are written down together, so
    that a kill at any moment loses nothing and doubles nothing. While the exchange is out of reach reports
    wait on disk, for days if need be. A source that cannot be read stops no other; it is shown, and tried
    again. SIGTERM and Ctrl-C write down what was read, and stop; a second one stops at once.

    Set-up, every setting and what is guaranteed: docs/watch.md.

    \b
      tocsin watch --example > watch.toml
      tocsin watch --settings watch.toml --check
      tocsin watch --settings watch.toml

    Exit codes: 0 stopped as asked, 1 --check found what cannot be read, 2 wrong settings, 6 another tocsin
    reports to the same exchange.
    """
    from tocsin.sift.live import settings as told

    if example:
        click.echo(told.EXAMPLE, nl=False)
        return 0
    if path is None:
        raise BadInput("no settings", hint="tocsin watch --example > watch.toml, then --settings watch.toml")
    settings = told.load(path)
    if check:
        return _check(settings, path)
    return _run(settings, once=once, plain=plain, as_json=as_json)


def _check(settings: "Settings", path: Path) -> int:
    """Print what would be watched and told; 1 where some of it cannot be."""
    from tocsin.cli.doctor import lines_of
    from tocsin.sift.live.checking import check

    findings = []
    for finding in check(settings):
        findings.append(finding)
        for line in lines_of([finding], as_json=False):
            click.echo(line)
    wrong = sum(finding.state == "wrong" for finding in findings)
    if wrong:
        terminal.say(f"{path} is in order; {wrong} of what it names cannot be used")
        return 1
    terminal.say(f"{path} is in order")
    return 0


def _run(settings: "Settings", *, once: bool, plain: bool, as_json: bool) -> int:
    from tocsin.cli.live_view import view_of
    from tocsin.sift.live.starting import watch as start

    asked = threading.Event()

    def ask(number: int, _: object) -> None:
        asked.set()
        signal.signal(number, signal.SIG_DFL)  # whoever asks twice does not want to wait

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    with view_of(plain=plain or once or not terminal.is_terminal(sys.stderr)) as view:
        meters = start(settings, view.say, asked.is_set, view.show, once=once)
    if as_json:
        import msgspec

        told = {name: getattr(meters, name) for name in _TOLD} | {"faults": meters.faults}
        click.echo(msgspec.json.encode(told).decode())
    else:
        from tocsin.cli.live_view import headline

        terminal.say(headline(meters))
    return 0


_TOLD = ("bytes_read", "lines", "observed", "rejected", "sent", "refused", "pending", "fault")
