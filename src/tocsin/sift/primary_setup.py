"""The text to copy for each kind of secondary, with names, addresses and keys filled in."""

from collections.abc import Callable

from tocsin.sift.knot_conf import ALGORITHM, TRANSFER, transfer_secret
from tocsin.sift.primary_settings import Settings, endpoint


def setup(kind: str, settings: Settings) -> str:
    """What to put into the configuration of a resolver of that kind, one of `KINDS`."""
    return KINDS[kind](settings)


def _bind(told: Settings) -> str:
    host, port = endpoint(told.listen[0])
    return f"""\
// BIND 9: a secondary of {told.zone}. The first line joins your own options block.
// What is refused is logged in category rpz, and with action "log" in category rpz-passthru.
// Without min-update-interval 1 it may wait a minute before it applies a change, a withdrawal among them.
options {{ response-policy {{ zone "{told.zone}"; }} min-update-interval 1; }};
key "{TRANSFER}" {{ algorithm {ALGORITHM}; secret "{transfer_secret(told.home)}"; }};
zone "{told.zone}" {{
  type secondary;
  primaries {{ {host} port {port} key "{TRANSFER}"; }};
  file "{told.zone}.secondary";
  allow-query {{ none; }};
}};
"""


def _unbound(told: Settings) -> str:
    host, port = endpoint(told.listen[0])
    return f"""\
# Unbound: a secondary of {told.zone}. It knows no TSIG: in the settings of `tocsin dns` this machine's
# [[secondary]] needs tsig = false, and only networks that you trust may lie between the two.
server:
  module-config: "respip validator iterator"
rpz:
  name: {told.zone}
  primary: {host}@{port}
  zonefile: "/var/lib/unbound/{told.zone}.secondary"
  rpz-log: yes
  rpz-log-name: "tocsin"
"""


def _powerdns(told: Settings) -> str:
    host, port = endpoint(told.listen[0])
    at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"""\
-- PowerDNS Recursor: a secondary of {told.zone}. This goes into the file that lua-config-file names.
-- It hears no NOTIFY for such a zone, so it asks each second for what changed (IXFR). It repeats an answer
-- that it gave before until it leaves its packet cache, so recursor.conf needs (and from version 4.9
-- on packetcache-negative-ttl=1, too):
--   packetcache-ttl=1
rpzPrimary("{at}", "{told.zone}", {{
  tsigname = "{TRANSFER}", tsigalgo = "{ALGORITHM}", tsigsecret = "{transfer_secret(told.home)}",
  refresh = 1,
}})
"""


def _knot(told: Settings) -> str:
    host, port = endpoint(told.listen[0])
    return f"""\
# Knot DNS: a secondary of {told.zone}, to pass it on to resolvers of its own.
key:
  - id: {TRANSFER}
    algorithm: {ALGORITHM}
    secret: "{transfer_secret(told.home)}"
remote:
  - id: tocsin
    address: {host}@{port}
    key: {TRANSFER}
acl:
  - id: tocsin-notify
    key: {TRANSFER}
    action: notify
zone:
  - domain: {told.zone}
    master: tocsin
    acl: tocsin-notify
    semantic-checks: off
"""


def _knot_resolver(told: Settings) -> str:
    where = f"/var/lib/knot-resolver/{told.zone}"
    return f"""\
-- Knot Resolver transfers no zones. Let `tocsin zone` write the list on its machine, each minute:
--   tocsin zone --from {told.exchange} --names {where}
-- These settings' actions it does not read: give `tocsin zone` --policy or --class. It knows no garden, and
-- answers what would lead to one as ever. The package lua-cqueues lets it read the file whenever it changes.
policy.add(policy.rpz(policy.DENY, '{where}', true))
"""


KINDS: dict[str, Callable[[Settings], str]] = {
    "bind": _bind,
    "unbound": _unbound,
    "knot-resolver": _knot_resolver,
    "powerdns": _powerdns,
    "knot": _knot,
}
