"""`tocsin import`: what others tell, passed on to the exchange as this member's words."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tocsin.kernel.problems import BadInput, Unreachable

if TYPE_CHECKING:
    from tocsin.sift.upstreams.running import Result
    from tocsin.sift.upstreams.values import Context

LABELS = ("clear", "green", "amber")
OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--to", "url", required=True, envvar="TOCSIN_TO", metavar="URL",
        help="The exchange.  [env: TOCSIN_TO]",
    ),
    click.option("--key", envvar="TOCSIN_KEY", metavar="KEY", help="Your API key.  [env: TOCSIN_KEY]"),
    click.option("--upstream", default="", metavar="NAME", help="Who says so, where an entry does not tell."),
    click.option("--own", "is_own", is_flag=True, help="What names nobody is your own word."),
    click.option("--tlp", type=click.Choice(LABELS), default=None, help="The label of what has none."),
    click.option(
        "--days", type=click.IntRange(1, 3650), default=None, metavar="DAYS",
        help="Leave out what is older: 7 days for addresses and 30 for names, unless told.",
    ),
    click.option("--dry-run", "is_dry", is_flag=True, help="Read and count; keep and send nothing."),
    click.option("--json", "as_json", is_flag=True, help="The counts as one object."),
)  # fmt: skip
AUTH = click.option(
    "--auth",
    envvar="TOCSIN_UPSTREAM_AUTH",
    metavar="TEXT",
    help="For the feed: user:password, or an Authorization header.  [env: TOCSIN_UPSTREAM_AUTH]",
)


def common(command: Any) -> Any:
    """The options of every kind of import."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.group(name="import")
def bring() -> None:
    """Pass on what others tell: MISP, STIX, TAXII and CSV, as your words at the exchange.

    All who pass on the same feed count as one voice. Run it as often as you like: what was read is not read
    again, and a run that was killed goes on where it stopped. Needs a key with the scopes lists:read and
    indicators:write.

    \b
      tocsin import misp https://feed.example/osint/
      tocsin import csv blocked.csv --map value=ip,time=seen --upstream blocklist.example
      tocsin import taxii https://taxii.example/api1/ --collection 91a7b528-80eb-42ed-a74d-c6fbd5a26116
    """


@bring.command()
@click.argument("place")
@AUTH
@common
def misp(place: str, auth: str | None, **options: Any) -> None:
    """A MISP feed at an address or in a folder (with manifest.json), or one event in a file."""
    from tocsin.sift.upstreams import fetching
    from tocsin.sift.upstreams.misp import Feed, File

    context = context_of("misp", options)
    if place.startswith(("http://", "https://")):
        with fetching.client(place, auth) as client:
            finish(Feed(place.rstrip("/"), context, fetching.by_http(client)), options)
    elif Path(place).is_dir():
        finish(Feed(str(Path(place).resolve()), context, fetching.from_folder(Path(place))), options)
    else:
        finish(File(Path(place), context, content(Path(place))), options)


@bring.command()
@click.argument("file", type=click.Path(path_type=Path))
@common
def stix(file: Path, **options: Any) -> None:
    """A STIX 2.1 bundle: its indicators of addresses and names, as they are."""
    from tocsin.sift.upstreams.stix import File

    finish(File(file, context_of("stix", options), content(file)), options)


@bring.command()
@click.argument("root")
@click.option("--collection", required=True, metavar="ID", help="The collection's id.")
@click.option(
    "--since", default="", metavar="TIME", help="Begin here the first time; later where it stopped."
)
@AUTH
@common
def taxii(root: str, collection: str, since: str, auth: str | None, **options: Any) -> None:
    """A collection of the TAXII 2.1 API root at ROOT: what is new there since the last run."""
    from tocsin.kernel.time import parse_rfc3339
    from tocsin.sift.upstreams import fetching
    from tocsin.sift.upstreams.taxii import Collection
    from tocsin.wire.taxii import stamp

    try:
        since = stamp(parse_rfc3339(since)) if since else ""
    except ValueError:
        raise BadInput(f"--since is no time: {since[:40]!r}", hint="such as 2026-11-26T00:00:00Z") from None
    if not root.startswith(("http://", "https://")):
        raise BadInput("ROOT is the address of an API root", hint="such as https://taxii.example/api1/")
    with fetching.client(root, auth) as client:
        finish(Collection(root, collection, context_of("stix", options), client, since), options)


@bring.command(name="csv")
@click.argument("place")
@click.option("--map", "mapping", metavar="COLUMNS", help="value=…, and time=, until=, tlp=, confidence=.")
@click.option("--whole", "is_whole", is_flag=True, help="It is the whole list: take back what is missing.")
@AUTH
@common
def table(place: str, mapping: str | None, is_whole: bool, auth: str | None, **options: Any) -> None:
    """A CSV file, or one at an address: one address or name in each row."""
    from tocsin.sift.upstreams import fetching
    from tocsin.sift.upstreams.table import File, mapping_of, path_name

    context = context_of("csv", options, mapping_of(mapping) if mapping else {})
    if not context.upstream and not context.is_own:
        raise BadInput("a table names nobody", hint="give --upstream NAME, or --own for your own word")
    if place.startswith(("http://", "https://")):
        with fetching.client(place, auth) as client:
            body = fetching.asked(lambda: client.get(place), place).content
        finish(File(place, context, body, is_whole=is_whole), options)
    else:
        path = Path(place)
        finish(File(path_name(path), context, content(path), is_whole=is_whole), options)


@bring.command()
@common
def replay(**options: Any) -> None:
    """Read again what was malformed, with what you tell now; what stays malformed is listed."""
    from tocsin.sift.upstreams import running, store

    if options["is_dry"]:
        with store.opened(options["url"].rstrip("/")) as kept:
            for one in kept.rejects():
                click.echo(f"{one.source} {one.document}: {one.reason}")
        return
    show(running.replay(options["url"].rstrip("/"), needed(options), context_of("", options), say), options)


def context_of(form: str, options: dict[str, Any], mapping: dict[str, str] | None = None) -> "Context":
    """How a source is read. Raises BadInput."""
    from tocsin.sift.upstreams.values import LONGEST_UPSTREAM, Context

    upstream = options["upstream"].strip()
    if len(upstream) > LONGEST_UPSTREAM or not upstream.isprintable():
        raise BadInput(f"--upstream has at most {LONGEST_UPSTREAM} printable characters")
    return Context(form, upstream, options["is_own"], options["tlp"] or "", mapping or {}, options["days"])


def finish(source: Any, options: dict[str, Any]) -> None:
    """Read, send, show."""
    from tocsin.sift.upstreams import running

    key = None if options["is_dry"] else needed(options)
    show(running.run(source, options["url"].rstrip("/"), key, say, is_dry=options["is_dry"]), options)


def show(result: "Result", options: dict[str, Any]) -> None:
    """The counts. Raises Unreachable where either side was out of reach."""
    from dataclasses import asdict

    import msgspec

    from tocsin.sift.upstreams import running

    if options["as_json"]:
        told = {**asdict(result.taken), "documents": result.documents, "reasons": dict(result.reasons)}
        sent = {"sent": result.sent.sent, "refused": result.sent.refused, "waiting": result.waiting}
        click.echo(msgspec.json.encode({**told, **sent}).decode())
    else:
        for line in running.told(result, is_dry=options["is_dry"]):
            click.echo(line)
    if fault := result.fault or result.sent.fault:
        raise Unreachable(fault, hint="what was read is kept; run it again")


def needed(options: dict[str, Any]) -> str:
    """The key. Raises BadInput."""
    if not options["key"]:
        raise BadInput("no API key", hint="set TOCSIN_KEY, or give --key; the exchange's operator makes one")
    return str(options["key"])


def content(path: Path) -> bytes:
    """A file's bytes. Raises BadInput."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None


def say(text: str) -> None:
    """Progress, and what was refused."""
    click.echo(text, err=True)
