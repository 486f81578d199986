"""`tocsin zone`: the exchange's lists where a resolver or firewall reads them."""

from pathlib import Path

import click

from tocsin.kernel.problems import BadInput


@click.command()
@click.option(
    "--from", "url", required=True, envvar="TOCSIN_TO", metavar="URL", help="The exchange.  [env: TOCSIN_TO]"
)
@click.option(
    "--key",
    envvar="TOCSIN_KEY",
    metavar="KEY",
    help="Your API key; better in the environment.  [env: TOCSIN_KEY]",
)
@click.option("--names", type=click.Path(path_type=Path), metavar="FILE", help="Write the RPZ zone here.")
@click.option(
    "--addresses", type=click.Path(path_type=Path), metavar="FILE", help="Write the nftables set here."
)
@click.option(
    "--suricata",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="FOLDER",
    help="Write Suricata's datasets and the rules that ask them into this folder.",
)
@click.option(
    "--community",
    default="",
    metavar="SLUG",
    help="That community's lists in place of everybody's; its page names the slug.",
)
@click.option(
    "--reload",
    "reloads",
    multiple=True,
    metavar="COMMAND",
    help="Run this when a file was changed, without a shell; repeat it for several.",
)
@click.option("--json", "as_json", is_flag=True, help="One object a list on standard output.")
def zone(
    url: str,
    key: str | None,
    names: Path | None,
    addresses: Path | None,
    suricata: Path | None,
    community: str,
    reloads: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write what the exchange at URL lists, checked against its pinned key, where your machines read it.

    A file is replaced in one step and only when the list changed. When the exchange is out of reach, the last
    good list stays until its last value expires. Run it every minute.

    \b
      tocsin zone --from https://exchange.example --names /etc/bind/tocsin.rpz \\
          --reload "rndc reload tocsin.rpz"
      tocsin zone --from https://exchange.example --addresses /etc/nftables.d/tocsin.nft \\
          --reload "nft -f /etc/nftables.d/tocsin.nft"
      tocsin zone --from https://exchange.example --suricata /var/lib/suricata/rules \\
          --reload "suricatasc -c ruleset-reload-nonblocking"
    """
    from tocsin.sift import zones

    if names is None and addresses is None and suricata is None:
        hint = "give --names FILE, --addresses FILE, --suricata FOLDER or several"
        raise BadInput("no list was asked for", hint=hint)
    if not key:
        raise BadInput("no API key", hint="set TOCSIN_KEY, or give --key; the exchange's operator makes one")
    plan = zones.Plan(url.rstrip("/"), names, addresses, reloads, suricata, community)
    for written in zones.zone(plan, key, say=lambda text: click.echo(text, err=True)):
        if as_json:
            import msgspec

            click.echo(msgspec.json.encode(written).decode())
        else:
            state = "written" if written.changed else "unchanged"
            click.echo(f"{written.file}: {state}, list {written.number}, {written.count:,} values")
