"""`tocsin sift`: a dry run over logs, mails and reports."""

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import click
import msgspec

from tocsin.cli import table, terminal
from tocsin.cli.options import mapping_option
from tocsin.sift import rulebook
from tocsin.sift.engine import UNKNOWN_TARGET, Options, Progress, rare_collections
from tocsin.sift.engine import sift as run
from tocsin.sift.home import edge_home
from tocsin.sift.sources import find
from tocsin.sift.values import Observation, Sifted

MOST_INPUTS = 10  # shown one by one
MOST_BALANCES = 10 << 20  # bytes of kept balances, twice


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
@mapping_option
@click.option("--all", "show_all", is_flag=True, help="Every attack in the table, however many.")
def sift(
    paths: tuple[str, ...], as_json: bool, observations: bool, networks: tuple[str, ...], year: int | None,
    tz: str | None, target: str, rejects: Path | None, mapping: Path | None, show_all: bool,
) -> int:  # fmt: skip
    """Find attacks in logs, abuse mails and reports; nothing leaves this machine.

    Reads logs (syslog, RFC 5424, ISO times, journald's export and JSON, and those that programs write
    themselves), JSON records (Suricata's EVE, cowrie, applications), Zeek's logs, decisions of fail2ban and
    CrowdSec, ARF mails and XARF reports, sightings in STIX and MISP, CSV and Parquet by a mapping, in files,
    folders, mboxes, Maildirs and archives, packed or not, and `-` for standard input. It is known
    by what it holds.

    \b
    tocsin sift /var/log/auth.log
    tocsin sift --network 203.0.113.0/24 --tz Europe/London /var/log/auth.log*
    journalctl -u ssh -o export | tocsin sift -
    tocsin sift --json abuse-mailbox/ | jq .origins

    Exit codes: 0 also when attacks were found, 2 wrong usage, 3 nothing could be read.
    """
    if observations and not as_json:
        raise click.UsageError("--observations needs --json")
    progress = ProgressLine(paths)
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
    if as_json:
        click.echo(msgspec.json.encode(balance_of(sifted)).decode(), err=True)
    else:
        tell_balance(sifted)
        _tell_next(sifted, paths, mapping)
    keep_balance(sifted)
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

    shown = sorted(sifted.inputs, key=lambda one: -one.rejected)
    if len(shown) > MOST_INPUTS:
        shown = [one for one in shown if one.rejected][:MOST_INPUTS]
    if len(sifted.inputs) > 1 and shown:
        terminal.say("  by input, read = observed + noise + duplicate + rejected:")
        for one in shown:
            terminal.say(
                f"  {one.path}: {one.read:,} = {one.observed:,} + {one.noise:,} + {one.duplicate:,} + "
                f"{one.rejected:,}"
            )


def balance_of(sifted: Sifted) -> dict[str, object]:
    """The balance of a run and of each of its inputs, as `--json` tells it on standard error."""
    balance = sifted.balance
    return {
        "read": balance.read,
        "observed": balance.observed,
        "noise": balance.noise,
        "duplicate": balance.duplicate,
        "rejected": balance.rejected,
        "reasons": dict(balance.reasons),
        "rejected_file": str(sifted.rejected_file or ""),
        "inputs": [
            {
                "path": one.path,
                "read": one.read,
                "observed": one.observed,
                "noise": one.noise,
                "duplicate": one.duplicate,
                "rejected": one.rejected,
            }
            for one in sifted.inputs
        ],
    }


def keep_balance(sifted: Sifted) -> None:
    """Add the run's balance to `balances.ndjson` in the edge tool's folder; a full disk stops nobody."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = msgspec.json.encode({"at": at, **balance_of(sifted)})
    file = edge_home() / "balances.ndjson"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if file.exists() and file.stat().st_size > MOST_BALANCES:
            file.replace(file.with_suffix(".1.ndjson"))
        with file.open("ab") as kept:
            kept.write(line + b"\n")
    except OSError as error:
        terminal.say(f"  the balance was not kept: {(error.strerror or str(error)).lower()}")


def rejects_file() -> Path:
    """A file of this run's own for what is rejected, in the edge tool's folder."""
    return edge_home() / "rejected" / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.tsv"


class ProgressLine:
    """A line on a watched terminal once a run takes more than a second: how far, how fast, how long yet."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self._paths = paths
        self._on_disk: int | None = None
        self._started = self._shown = time.monotonic()

    def show(self, far: Progress) -> None:
        """So far it is."""
        at = time.monotonic()
        if at - self._started > 1 and at - self._shown > 0.2:
            self._shown = at
            if self._on_disk is None:
                self._on_disk = on_disk(self._paths)
            sys.stderr.write(f"\r\x1b[K  {progress_words(far, self._on_disk, at - self._started)}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away again."""
        if self._shown != self._started:
            sys.stderr.write("\r\x1b[K")


def on_disk(paths: tuple[str, ...]) -> int:
    """The bytes of everything under the paths; 0 where that cannot be known (standard input)."""
    if "-" in paths:
        return 0
    return sum(Path(source.path).stat().st_size for source in find(paths) if source.is_file)


def progress_words(far: Progress, on_disk: int, seconds: float) -> str:
    """`412 MB read, 96 MB/s, 17 s left`."""
    told = f"{far.read / 1e6:,.0f} MB read, {far.read / 1e6 / seconds:,.0f} MB/s"
    if on_disk > far.of_disk > 0:
        left = seconds * (on_disk - far.of_disk) / far.of_disk
        told += f", {table.duration(max(round(left), 1))} left"
    return told


def _print_observations(observations: Iterable[Observation]) -> None:
    _print_lines(observations)


def _print_lines(values: Iterable[msgspec.Struct]) -> None:
    encoder, out = msgspec.json.Encoder(), sys.stdout.buffer
    with rare_collections():
        for value in values:
            out.write(encoder.encode(value) + b"\n")


def _tell_next(sifted: Sifted, paths: tuple[str, ...], mapping: Path | None) -> None:
    told = [number(len(sifted.attacks), "attack")]
    if sifted.origin_count:
        told = [f"{told[0]} from {number(sifted.origin_count, 'origin')}"]
    if sifted.campaign_count:
        told.append(number(sifted.campaign_count, "campaign"))
    terminal.say(f"  → {', '.join(told)} ({sifted.seconds:.1f} s)")
    if sifted.attacks and sifted.attacks[0].severity != "info" and "-" not in paths:
        shown = " ".join(paths) if len(paths) < 4 else f"{paths[0]} …"
        first = f"cp {mapping} {rulebook.rules_folder()}/ && " if mapping else ""
        terminal.say(f"  next: {first}tocsin report {shown} --dry-run")


def number(count: int, noun: str) -> str:
    """`1 attack`, `1,214 attacks`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
