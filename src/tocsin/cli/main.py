"""The `tocsin` command: finds the sub-command, and renders every problem as a person can read it.

A sub-command's module is imported only when it runs. The edge half's commands are named here; the server half
adds its own through the entry point group `tocsin.commands`.
"""

import atexit
import gc
import importlib
import importlib.util
import os
import sys
from typing import NamedTuple

import click

from tocsin import __version__
from tocsin.cli import terminal
from tocsin.kernel.problems import Problem


class Lazy(NamedTuple):
    """A command that is not imported yet, and what `--help` says about it."""

    place: str
    summary: str


EDGE = {
    "sift": Lazy(
        "tocsin.cli.sift:sift", "Find attacks in logs, abuse mails and reports; nothing leaves this machine."
    ),
    "report": Lazy(
        "tocsin.cli.report:report", "Sift, then send what was found to an exchange and keep the receipts."
    ),
    "watch": Lazy(
        "tocsin.cli.watch:watch", "Follow logs, journal, syslog and mail, and report attacks as they happen."
    ),
    "replay": Lazy("tocsin.cli.replay:replay", "Read rejected lines again, after a rule was mended."),
    "zone": Lazy(
        "tocsin.cli.zone:zone", "Write the exchange's lists where a resolver or firewall reads them."
    ),
    "dns": Lazy("tocsin.cli.dns:dns", "Bring the exchange's names to your resolvers in about a second."),
    "why": Lazy("tocsin.cli.why:why", "Say why an address or a name is blocked, or is not."),
    "unblock": Lazy("tocsin.cli.why:unblock", "Stop blocking something here, and object to it."),
    "tally": Lazy(
        "tocsin.cli.tally:tally", "Count what the lists stopped, and tell the exchange by the hour."
    ),
    "import": Lazy(
        "tocsin.cli.importing:bring", "Pass on what MISP, STIX, TAXII and CSV feeds tell, as your words."
    ),
    "verify": Lazy("tocsin.cli.verify:verify", "Check a receipt offline against a signed tree head."),
    "rules": Lazy(
        "tocsin.cli.rules:rules", "List the rules by which logs are read, test them, or explain a line."
    ),
    "simulate": Lazy(
        "tocsin.cli.simulate:simulate", "Make a simulated nation: evidence, traffic and a hidden truth."
    ),
    "doctor": Lazy("tocsin.cli.doctor:doctor", "Say what is configured, what is missing and what to do."),
}
SERVER = {
    "serve": "Run an exchange.",
    "stream": "Serve the live stream of an exchange.",
    "demo": "Show the whole arrow on evidence of our own.",
    "admin": "Add members, people and keys.",
    "check": "Check the exchange's journal and configuration.",
}


class ServerMissing(Problem):
    """This command needs the server half of Tocsin."""

    slug = "server-missing"
    exit_code = 2
    hint = "pip install 'tocsin[server]'"


class Commands(click.Group):
    """Sub-commands that are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The edge half's commands that this version has, then the server half's."""
        return [name for name, lazy in EDGE.items() if _exists(lazy.place)] + sorted(_server_places())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported."""
        if cmd_name in EDGE:
            place = EDGE[cmd_name].place
            return _load(place) if _exists(place) else None
        place = _server_places().get(cmd_name, "")
        if not place:
            return None
        try:
            if importlib.util.find_spec("django") is None:
                raise ModuleNotFoundError(name="django")
            return _load(place)
        except ModuleNotFoundError as error:
            raise ServerMissing(
                f"{cmd_name} needs the server half of Tocsin ({error.name} is missing)"
            ) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list for `--help`, written without importing anything."""
        names = self.list_commands(ctx)
        for title, half in (("For a provider", EDGE), ("For an exchange", None)):
            rows = [
                (name, EDGE[name].summary if name in EDGE else SERVER.get(name, ""))
                for name in names
                if (name in EDGE) is (half is EDGE)
            ]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


@click.command(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="tocsin", message="%(prog)s %(version)s")
def tocsin() -> None:
    """From a provider's logs to a named investigator, and proof that nobody met silence.

    \b
    tocsin sift /var/log/auth.log
    tocsin sift --json mail/ > attacks.jsonl
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit; never a traceback (unless `TOCSIN_TRACEBACK=1`)."""
    atexit.register(gc.freeze)  # what is left then ends with the process: nobody need look for cycles in it
    try:
        code = tocsin.main(args=arguments, prog_name="tocsin", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        code = terminal.BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        code = terminal.INTERRUPTED
    except Problem as problem:
        code = terminal.fail(problem)
    except click.ClickException as error:
        terminal.tell_error(error.format_message(), _usage_hint(error))
        code = error.exit_code
    except Exception as error:
        if os.environ.get("TOCSIN_TRACEBACK") == "1":
            raise
        terminal.tell_error(f"internal: {type(error).__name__}: {error}", _BUG)
        code = terminal.INTERNAL
    sys.exit(code if isinstance(code, int) else 0)


_BUG = "this is a fault of tocsin: run again with TOCSIN_TRACEBACK=1 and report what it prints"


def _usage_hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"see {context.command_path} --help" if context else ""


def _exists(place: str) -> bool:
    return importlib.util.find_spec(place.partition(":")[0]) is not None


def _load(place: str) -> click.Command:
    module, _, name = place.partition(":")
    command = getattr(importlib.import_module(module), name)
    assert isinstance(command, click.Command)  # noqa: S101 (for the type checker)
    return command


def _server_places() -> dict[str, str]:
    """Where the server half keeps its commands, read from the installed package."""
    from importlib import metadata

    try:
        points = metadata.distribution("tocsin").entry_points.select(group="tocsin.commands")
    except metadata.PackageNotFoundError:
        return {}
    return {point.name: point.value for point in points}


def _drop_output() -> None:
    """Nobody reads on: keep Python from complaining about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
