"""`tocsin admin …`: members, people, roles, keys and units, from the exchange's own machine."""

import datetime as dt
import json
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")


@click.group()
def admin() -> None:
    """Administer this machine's exchange: members, people, roles, keys, units."""


@admin.group()
def member() -> None:
    """Organisations on the exchange."""


@member.command("add")
@click.argument("name")
@click.option("--force", "force_id", required=True, help="Force of the registered seat, such as kent.")
@click.option("--kind", default="provider", show_default=True, help="provider, support or operator.")
@click.option("--country", default="GB", show_default=True, help="ISO 3166-1 code of the registered seat.")
@AS_JSON
def add_member(name: str, force_id: str, kind: str, country: str, as_json: bool) -> None:
    """Let the organisation NAME join."""
    services = _services()
    services.fetch_unit(force_id)  # a mistyped force would send the member's cases elsewhere
    added = services.add_member(name, force_id=force_id, kind=kind, country=country.upper())
    _say(as_json, {"member_id": added.member_id, "name": added.name}, f"{added.member_id}  {added.name}")


@member.command("list")
@AS_JSON
def list_members(as_json: bool) -> None:
    """Every member."""
    _services()
    from tocsin.access.models import Member

    _table(
        as_json,
        ("member_id", "name", "kind", "force_id", "state"),
        [
            (m.member_id, m.name, m.kind, m.force_id, "suspended" if m.suspended_at else "active")
            for m in Member.objects.order_by("name")
        ],
    )


@member.command("suspend")
@click.argument("name_or_id")
@click.option("--reason", required=True, help="Recorded in the journal.")
def suspend_member(name_or_id: str, reason: str) -> None:
    """Stop a member's keys and its people's roles at once."""
    services = _services()
    suspended = services.suspend_member(services.fetch_member(name_or_id), reason)
    click.echo(f"{suspended.name} is suspended")


@member.command("resume")
@click.argument("name_or_id")
def resume_member(name_or_id: str) -> None:
    """Let a suspended member act again."""
    services = _services()
    from tocsin.access import leaving

    click.echo(f"{leaving.resume_member(None, services.fetch_member(name_or_id)).name} acts again")


@admin.group()
def person() -> None:
    """People with an account."""


@person.command("add")
@click.argument("email")
@click.argument("name")
@click.option("--generate", is_flag=True, help="Make a password and print it once, instead of asking.")
@AS_JSON
def add_person(email: str, name: str, generate: bool, as_json: bool) -> None:
    """Give NAME an account under EMAIL. The password is asked for, or read from standard input."""
    services = _services()
    password = secrets.token_urlsafe(15) if generate else _asked_password()
    added = services.add_person(email, name, password)
    shown = {"email": added.email, "name": added.name, **({"password": password} if generate else {})}
    _say(as_json, shown, "  ".join(shown.values()))


@person.command("invite")
@click.argument("email")
@click.argument("role_name", metavar="ROLE")
@click.option("--member", "member_name", help="For a reporter or administrator: the member, by name or id.")
@click.option("--unit", "unit_id", help="For an officer or supervisor: the unit's id.")
@AS_JSON
def invite_person(
    email: str, role_name: str, member_name: str | None, unit_id: str | None, as_json: bool
) -> None:
    """Make a one-time link by which whoever has EMAIL joins in a ROLE. It cannot be shown again."""
    services = _services()
    from tocsin.access import joining

    made, token = joining.invite(
        None,
        email,
        role_name,
        member=services.fetch_member(member_name) if member_name else None,
        unit=services.fetch_unit(unit_id) if unit_id else None,
    )
    _tell_link(as_json, made.email, token)


@person.command("link")
@click.argument("email")
@AS_JSON
def link_person(email: str, as_json: bool) -> None:
    """Make a link by which the person with EMAIL sets a new password; second factors go with it."""
    services = _services()
    from tocsin.access import joining

    made, token = joining.invite_back(None, services.fetch_person(email))
    _tell_link(as_json, made.email, token)


@person.command("off")
@click.argument("email")
def turn_off(email: str) -> None:
    """Turn an account off: its sessions end, its roles act no more."""
    services = _services()
    from tocsin.access import leaving

    leaving.turn_off(None, services.fetch_person(email))
    click.echo("off")


@person.command("on")
@click.argument("email")
def turn_on(email: str) -> None:
    """Turn an account on again, with the roles that it had."""
    services = _services()
    from tocsin.access import leaving

    leaving.turn_on(None, services.fetch_person(email))
    click.echo("on")


@admin.group()
def role() -> None:
    """What people may do."""


@role.command("give")
@click.argument("email")
@click.argument("role_name", metavar="ROLE")
@click.option("--member", "member_name", help="For a reporter or administrator: the member, by name or id.")
@click.option("--unit", "unit_id", help="For an officer or supervisor: the unit's id.")
def give_role(email: str, role_name: str, member_name: str | None, unit_id: str | None) -> None:
    """Give EMAIL a ROLE: reporter, administrator, officer, supervisor, coordinator, operator or trusted."""
    services = _services()
    given = services.give_role(
        services.fetch_person(email),
        role_name,
        member=services.fetch_member(member_name) if member_name else None,
        unit=services.fetch_unit(unit_id) if unit_id else None,
    )
    place = given.member or given.unit or "the exchange"
    click.echo(f"{given.person.name} is {given.name} at {place}")


@role.command("take")
@click.argument("email")
@click.argument("role_name", metavar="ROLE")
def take_role(email: str, role_name: str) -> None:
    """Take a ROLE from the person with EMAIL, wherever it is held."""
    services = _services()
    from tocsin.access import leaving

    for held in services.fetch_person(email).roles.filter(name=role_name):
        leaving.take_role(None, held.pk)
    click.echo("taken")


@admin.group()
def key() -> None:
    """Machine keys of members, of units and of the exchange itself."""


@key.command("make")
@click.argument("place_name", metavar="MEMBER")
@click.argument("label")
@click.option("--unit", "is_unit", is_flag=True, help="MEMBER is the id of a police unit instead.")
@click.option("--exchange", "is_exchange", is_flag=True, help="MEMBER is the word `exchange`: its own key.")
@click.option(
    "--scope", "scopes", multiple=True, help="reports:read, cases:write, …: every one where none is given."
)
@click.option("--days", type=click.IntRange(1, 3650), help="Expires after so many days.")
@AS_JSON
def make_key(
    place_name: str,
    label: str,
    is_unit: bool,
    is_exchange: bool,
    scopes: Sequence[str],
    days: int | None,
    as_json: bool,
) -> None:
    """Make a key of MEMBER, named LABEL, and print it: it cannot be shown again."""
    services = _services()
    from tocsin.access import keys
    from tocsin.kernel.time import now

    expires_at = now() + dt.timedelta(days=days) if days else None
    owner = None
    if is_exchange != (place_name == "exchange"):
        raise click.UsageError("the exchange's own key: tocsin admin key make --exchange exchange LABEL")
    if not is_exchange:
        owner = services.fetch_unit(place_name) if is_unit else services.fetch_member(place_name)
    wanted = scopes or sorted(keys.scopes_at(owner))
    made, text = keys.make_key(owner, label, wanted, expires_at=expires_at)
    _say(as_json, {"key": text, "prefix": made.prefix, "scopes": made.scopes}, text)


@key.command("revoke")
@click.argument("prefix")
def revoke_key(prefix: str) -> None:
    """End the key that begins with tocsin_PREFIX_, at once."""
    _services()
    from tocsin.access import keys

    keys.revoke_key(prefix.removeprefix("tocsin_").split("_")[0])
    click.echo("revoked")


@key.command("list")
@click.argument("member_name", metavar="[MEMBER]", required=False)
@AS_JSON
def list_keys(member_name: str | None, as_json: bool) -> None:
    """Keys by their public beginning; secrets are not kept."""
    services = _services()
    from tocsin.access import keys
    from tocsin.access.models import ApiKey
    from tocsin.kernel.time import now, rfc3339

    found = ApiKey.objects.select_related("member", "unit")
    found = found.order_by("member__name", "unit__name", "created_at")
    if member_name:
        found = found.filter(member=services.fetch_member(member_name))
    at = now()
    _table(
        as_json,
        ("prefix", "member", "label", "scopes", "last_used_at", "state"),
        [
            (
                k.prefix,
                k.place_name,
                k.label,
                " ".join(k.scopes),
                rfc3339(k.last_used_at) if k.last_used_at else "never",
                "current" if keys.is_current(k, at) else "ended",
            )
            for k in found
        ],
    )


@admin.group()
def unit() -> None:
    """Police forces, regional units, national agencies, the hotline."""


@unit.command("join")
@click.argument("unit_id")
def join_unit(unit_id: str) -> None:
    """Note that a unit has joined the exchange."""
    joined = _services().join_unit(unit_id)
    click.echo(f"{joined.name} has joined")


@unit.command("list")
@click.option("--joined", is_flag=True, help="Only units that have joined.")
@AS_JSON
def list_units(joined: bool, as_json: bool) -> None:
    """Every unit of the country pack, joined or not."""
    _services()
    from tocsin.access.models import Unit

    found = Unit.objects.order_by("kind", "name")
    if joined:
        found = found.filter(joined_at__isnull=False)
    rows = [(u.unit_id, u.name, u.kind, "joined" if u.has_joined else "not joined") for u in found]
    _table(as_json, ("unit_id", "name", "kind", "state"), rows)


@admin.command("bounces")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@AS_JSON
def read_bounces(path: Path, as_json: bool) -> None:
    """Read mails that came back (a mail, an mbox or a Maildir), and write to dead addresses no more."""
    _services()
    from tocsin.notices import bounces

    read, dead = bounces.read_bounces(path)
    _say(as_json, {"read": read, "dead": dead}, f"{read} mails read, {dead} addresses take none any more")


def _services() -> Any:
    """`access.services`, with everything prepared that it needs."""
    from tocsin.doors.admin.setup import prepare

    prepare()
    from tocsin.access import services

    return services


def _tell_link(as_json: bool, email: str, token: str) -> None:
    from django.conf import settings

    address = f"{settings.PUBLIC_URL}/join/{token}"
    _say(as_json, {"email": email, "link": address}, address)


def _asked_password() -> str:
    from tocsin.kernel.problems import BadInput

    if sys.stdin.isatty():
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    if len(password) < 12:
        raise BadInput(
            "a password needs 12 characters", hint="three or four words do well; or use --generate"
        )
    return password


def _say(as_json: bool, value: dict[str, Any], text: str) -> None:
    click.echo(json.dumps(value) if as_json else text)


def _table(as_json: bool, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if as_json:
        click.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows]))
        return
    widths = [max(len(cell) for cell in cells) for cells in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@admin.group()
def search() -> None:
    """What cases are found by."""


@search.command("rebuild")
def rebuild_search() -> None:
    """Make the words, names and addresses of every case anew; the exchange may go on meanwhile."""
    _services()
    from tocsin.cases import terms

    click.echo(f"{terms.rebuild():,} cases can be found again")


@admin.command("rescore")
def rescore() -> None:
    """Count every open case anew: its score, its first duty, what is held. The worker does so once a day."""
    _services()
    from tocsin.cases import triage

    click.echo(f"{triage.refresh_all():,} open cases are scored")
