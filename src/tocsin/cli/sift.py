"""`tocsin sift`: a dry run over logs, mails and reports."""

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import click
import msgspec

from tocsin.cli import table, terminal
from tocsin.sift import rulebook
from tocsin.sift.engine import UNKNOWN_TARGET, Options
from tocsin.sift.engine import sift as run
from tocsin.sift.home import edge_home
from tocsin.sift.values import Observation, Sifted


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@click.option("--json", "as_json", is_flag=True, help="One attack a line on standard output.")
@click.option("--observations", is_flag=True, help="With --json: one observation a line instead.")
@click.option(
    "--network", "networks", multiple=True, metavar="CIDR", help="A network of yours; may be repeated."
)
@click.option("--year", type=int, help="The year of times that name none.")
@click.option("--tz", metavar="ZONE", help="The zone of times that name none, such as Europe/London.")
@click.option(
    "--target", default=UNKNOWN_TARGET, metavar="NAME", help="The host of log lines that name none."
)
@click.option(
    "--rejects", type=click.Path(path_type=Path), metavar="FILE", help="Where to keep what is rejected."
)
@click.option(
    "--map",
    "mapping",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What the columns or fields of records mean (docs/records.md).",
)
@click.option("--all", "show_all", is_flag=True, help="Every attack in the table, however many.")
def sift(
    paths: tuple[str, ...], as_json: bool, observations: bool, networks: tuple[str, ...], year: int | None,
    tz: str | None, target: str, rejects: Path | None, mapping: Path | None, show_all: bool,
) -> int:  # fmt: skip
    """Find attacks in logs, abuse mails and reports; nothing leaves this machine.

    Reads logs (syslog, RFC 5424, ISO times, journald's export and JSON, and those that programs write
    themselves), JSON records (Suricata's EVE, cowrie, applications), Zeek's logs, decisions of fail2ban and
    CrowdSec, ARF mails and XARF reports, CSV and Parquet by a mapping, in files, folders, mboxes, Maildirs
    and archives, packed or not, and `-` for standard input. What it is, it finds out.

    \b
    tocsin sift /var/log/auth.log
    tocsin sift --network 203.0.113.0/24 --tz Europe/London /var/log/auth.log*
    journalctl -u ssh -o export | tocsin sift -
    tocsin sift --json abuse-mailbox/ | jq .origins

    Exit codes: 0 also when attacks were found, 2 wrong usage, 3 nothing could be read.
    """
    if observations and not as_json:
        raise click.UsageError("--observations needs --json")
    progress = Progress()
    options = Options(
        networks=networks,
        year=year,
        tz=tz,
        target=target,
        rejects=rejects or rejects_file(),
        unrecognised=edge_home() / "unrecognised",
        progress=progress.show if terminal.is_terminal(sys.stderr) else None,
        observations=_print_observations if observations else None,
        mapping=rulebook.mapping(mapping) if mapping else None,
    )
    sifted = run(paths, options)
    progress.clear()
    if as_json and not observations:
        _print_lines(sifted.attacks)
    elif not as_json:
        for line in table.lines(sifted.attacks, sys.stdout, limit=None if show_all else table.MOST_ROWS):
            click.echo(line)
    sys.stdout.flush()
    tell_balance(sifted)
    if not as_json:
        _tell_next(sifted, paths)
    return terminal.NOTHING_READ if sifted.balance.read == sifted.balance.rejected else 0


def tell_balance(sifted: Sifted) -> None:
    """The balance, why things were rejected and where they were kept, on standard error."""
    balance = sifted.balance
    terminal.say(
        f"  {balance.read:,} lines: {balance.observed:,} observed, {balance.noise:,} noise, "
        f"{balance.duplicate:,} duplicate, {balance.rejected:,} rejected"
    )
    for reason, count in sorted(balance.reasons.items(), key=lambda item: (-item[1], item[0])):
        terminal.say(f"  {count:,} × {reason}")
    if sifted.rejected_file:
        terminal.say(f"  rejected lines are kept in {sifted.rejected_file}")


def rejects_file() -> Path:
    """A file of this run's own for what is rejected, in the edge tool's folder."""
    return edge_home() / "rejected" / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.tsv"


class Progress:
    """A line on a watched terminal once a run takes more than a second."""

    def __init__(self) -> None:
        self._started = self._shown = time.monotonic()

    def show(self, read: int) -> None:
        """So many bytes were read."""
        at = time.monotonic()
        if at - self._started > 1 and at - self._shown > 0.2:
            self._shown = at
            sys.stderr.write(f"\r\x1b[K  {read / 1e6:,.0f} MB read")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away again."""
        if self._shown != self._started:
            sys.stderr.write("\r\x1b[K")


def _print_observations(observations: Iterable[Observation]) -> None:
    _print_lines(observations)


def _print_lines(values: Iterable[msgspec.Struct]) -> None:
    encoder, out = msgspec.json.Encoder(), sys.stdout.buffer
    for value in values:
        out.write(encoder.encode(value) + b"\n")


def _tell_next(sifted: Sifted, paths: tuple[str, ...]) -> None:
    origins = {origin for attack in sifted.attacks for origin in attack.origins}
    told = [f"{number(len(sifted.attacks), 'attack')} from {number(len(origins), 'origin')}"]
    if sifted.campaign_count:
        told.append(number(sifted.campaign_count, "campaign"))
    terminal.say(f"  → {', '.join(told)} ({sifted.seconds:.1f} s)")
    if any(attack.severity != "info" for attack in sifted.attacks) and "-" not in paths:
        shown = " ".join(paths) if len(paths) < 4 else f"{paths[0]} …"
        terminal.say(f"  next: tocsin report {shown} --dry-run")


def number(count: int, noun: str) -> str:
    """`1 attack`, `1,214 attacks`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
