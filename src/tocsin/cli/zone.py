"""`tocsin zone`: the exchange's lists where a resolver or firewall reads them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tocsin.kernel.problems import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tocsin.sift.policies import ClassCount, Policy
    from tocsin.sift.zones import Plan


def _print_example(context: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        from tocsin.sift.policies import example

        click.echo(example(), nl=False)
        context.exit()


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
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What each class of attack gets (TOML); the settings of `tocsin dns` do, too.",
)
@click.option("--action", metavar="ACTION", help="What names get: nxdomain (usual), garden, log, nothing.")
@click.option("--garden", metavar="HOST", help="The host of action garden, which explains and offers help.")
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="CLASS=ACTION",
    help="What names of one class get, such as fraud/phishing=garden or fraud=log; repeat it.",
)
@click.option("--address-action", metavar="ACTION", help="What addresses get: drop (usual), log, nothing.")
@click.option(
    "--address-class",
    "address_classes",
    multiple=True,
    metavar="CLASS=ACTION",
    help="What addresses of one class get; repeat it.",
)
@click.option(
    "--example",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_example,
    help="Print a policy to start from, with all classes and actions, and stop.",
)
@click.option("--check", is_flag=True, help="Say what each class gets by the lists kept here, and stop.")
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
    policy_file: Path | None,
    action: str | None,
    garden: str | None,
    classes: tuple[str, ...],
    address_action: str | None,
    address_classes: tuple[str, ...],
    check: bool,
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
      tocsin zone --from https://exchange.example --names /etc/bind/tocsin.rpz --action log \\
          --class malicious-code=nxdomain --class fraud/phishing=garden --garden help.provider.example

    The most specific class wins. An option overrides what the --policy says. A policy that was changed takes
    effect at the next run, from the list that is kept here.
    """
    from tocsin.sift import zones

    given = {
        "action": action,
        "garden": garden,
        "classes": _rules(classes, "--class"),
        "address_action": address_action,
        "address_classes": _rules(address_classes, "--address-class"),
    }
    policy = _policy(policy_file, given)
    if check:
        _tell(zones.Plan(url.rstrip("/"), community=community, policy=policy))
        return
    if names is None and addresses is None and suricata is None:
        hint = "give --names FILE, --addresses FILE, --suricata FOLDER or several"
        raise BadInput("no list was asked for", hint=hint)
    if not key:
        raise BadInput("no API key", hint="set TOCSIN_KEY, or give --key; the exchange's operator makes one")
    plan = zones.Plan(url.rstrip("/"), names, addresses, reloads, suricata, community, policy)
    for written in zones.zone(plan, key, say=lambda text: click.echo(text, err=True)):
        if as_json:
            import msgspec

            click.echo(msgspec.json.encode(written).decode())
        else:
            state = "written" if written.changed else "unchanged"
            click.echo(f"{written.file}: {state}, list {written.number}, {written.count:,} values")
            if written.changed and not policy.is_plain:
                _tell_classes(written.classes)


def _rules(said: tuple[str, ...], option: str) -> dict[str, str]:
    """Rules by class. Raises BadInput for what is no CLASS=ACTION."""
    pairs = [text.partition("=") for text in said]
    if any(not equals for _, equals, _ in pairs):
        raise BadInput(f"{option} needs CLASS=ACTION", hint=f"such as {option} fraud/phishing=log")
    return {kind: action for kind, _, action in pairs}


def _policy(path: Path | None, given: dict[str, str | dict[str, str] | None]) -> "Policy":
    """The file's policy, and over it what was given as options. Raises BadInput."""
    from msgspec.structs import replace

    from tocsin.sift import policies

    policy = policies.load(path) if path is not None else policies.Policy()
    over: dict[str, object] = {}
    for field, value in given.items():
        if isinstance(value, dict):
            over[field] = {**getattr(policy, field), **value}
        elif value is not None:
            over[field] = value
    return policies.checked(replace(policy, **over))


def _tell(plan: "Plan") -> None:
    from tocsin.sift import zones

    found = zones.standing(plan)
    if not found:
        click.echo("No list was fetched so far.")
    for name, rows in found:
        count = sum(row.values for row in rows)
        click.echo(f"{name}: {count:,} value{'s' if count != 1 else ''}")
        _tell_classes(rows)
    for is_name, what in ((True, "names"), (False, "addresses")):
        click.echo(f"any other class of {what}: {plan.policy.chosen(is_name, '').words}")


def _tell_classes(rows: "Iterable[ClassCount]") -> None:
    from tocsin.sift import policies

    for line in policies.explained(rows):
        click.echo(f"  {line}")
