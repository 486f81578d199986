"""`tocsin why` and `tocsin unblock`: what is known of an address or name, and the way off the lists."""

from pathlib import Path

import click

from tocsin.kernel.problems import BadInput

KEY_HELP = "Your API key; better in the environment.  [env: TOCSIN_KEY]"


@click.command()
@click.argument("pattern")
@click.option(
    "--from", "url", required=True, envvar="TOCSIN_TO", metavar="URL", help="The exchange.  [env: TOCSIN_TO]"
)
@click.option(
    "--key",
    envvar="TOCSIN_KEY",
    metavar="KEY",
    help=KEY_HELP,
)
@click.option("--private", is_flag=True, help="Ask without telling the exchange what for.")
@click.option(
    "--policy", type=click.Path(path_type=Path), envvar="TOCSIN_POLICY", metavar="FILE",
    help="Say what it gets here by this policy, or by these settings of `tocsin dns`.  [env: TOCSIN_POLICY]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One object on standard output.")
def why(pattern: str, url: str, key: str | None, private: bool, policy: Path | None, as_json: bool) -> None:
    """Say why PATTERN, an address or a name, is blocked or is not: its whole life, and what to do.

    Needs a key with the scope lists:read. Who said it, and how many, is told to nobody. With --private three
    digits of a digest are sent, which hundreds of values share, and the answer says whether it is shared.

    \b
      tocsin why 192.0.2.7 --from https://exchange.example
      tocsin why shop.example
      tocsin why shop.example --policy dns.toml
    """
    from tocsin.sift import asking, policies

    rules = policies.load(policy) if policy is not None else None
    if private:
        if as_json:
            raise BadInput("--private answers in words", hint="leave out --json")
        click.echo(asking.ask_privately(url, needed(key), pattern))
        return
    found = asking.explain(url, needed(key), pattern)
    if as_json:
        click.echo(asking.as_json(found))
        return
    click.echo(asking.told(found, rules))


@click.command()
@click.argument("pattern")
@click.option("--reason", default="", metavar="TEXT", help="Why it is wrong; a trusted person reads it.")
@click.option(
    "--from", "url", required=True, envvar="TOCSIN_TO", metavar="URL", help="The exchange.  [env: TOCSIN_TO]"
)
@click.option(
    "--key",
    envvar="TOCSIN_KEY",
    metavar="KEY",
    help=KEY_HELP,
)
@click.option("--undo", is_flag=True, help="Let the exchange's lists decide here again.")
def unblock(pattern: str, reason: str, url: str, key: str | None, undo: bool) -> None:
    """Stop blocking PATTERN here at once, and object to it at the exchange.

    `tocsin zone` and `tocsin dns` leave it out of this machine's lists from now on. At the exchange your own
    words on it are taken back; what others stand behind goes to a trusted person, who answers within a
    working day, or it is taken off every list. Needs a key with the scope indicators:write.

    \b
      tocsin unblock shop.example --reason "our customer, cleaned this morning"
    """
    from tocsin.sift import asking

    if undo:
        click.echo(asking.block_again(pattern))
        return
    if not reason.strip():
        raise BadInput("no reason", hint='give --reason "…"; a trusted person reads it')
    click.echo(asking.unblock_here(pattern))
    click.echo(asking.object_to(url, needed(key), pattern, reason))


def needed(key: str | None) -> str:
    """The key. Raises BadInput."""
    if not key:
        raise BadInput("no API key", hint="set TOCSIN_KEY, or give --key; the exchange's operator makes one")
    return key
