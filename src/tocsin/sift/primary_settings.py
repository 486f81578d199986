"""What `tocsin dns` is told: a TOML file, checked as a whole before anything starts."""

import ipaddress
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.sift import policies
from tocsin.sift.policies import Policy

_zone = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Secondary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name server that transfers the zone, and is told at once when it changes.

    `tsig = false` is for one that knows no TSIG (Unbound): it is known by its address alone.
    """

    address: str
    tsig: bool = True


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything `tocsin dns` is told.

    `folder` holds Knot's configuration, keys, zone and journal; `listen` is where the secondaries find it.
    `action`, `garden` and `classes` say what a listed name gets (`Policy`). `every` is the seconds between
    two looks at the exchange.
    """

    exchange: str
    folder: str
    listen: tuple[str, ...]
    key_file: str = ""
    zone: str = "tocsin.rpz"
    action: str = policies.NXDOMAIN
    garden: str = ""
    classes: dict[str, str] = {}
    every: float = 0.25
    secondary: tuple[Secondary, ...] = ()

    @property
    def home(self) -> Path:
        """The folder."""
        return Path(self.folder).expanduser()

    @property
    def policy(self) -> Policy:
        """What a listed name gets, by its class."""
        return Policy(self.action, self.garden, self.classes)


def load(path: Path) -> Settings:
    """Read and check a settings file. Raises BadInput that names what is wrong."""
    try:
        settings = msgspec.convert(tomllib.loads(path.read_text()), Settings)
    except OSError as error:
        raise BadInput(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {error}", hint="tocsin dns --example prints a file to start from") from error
    settings = msgspec.structs.replace(settings, exchange=settings.exchange.rstrip("/"))
    fault = _fault(settings)
    if fault:
        raise BadInput(f"{path}: {fault}", hint="tocsin dns --example prints a file to start from")
    return settings


def endpoint(text: str) -> tuple[str, int]:
    """`192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:53` as address and port (usually 53). Raises BadInput."""
    host, _, port = text.rpartition(":") if text.count(":") == 1 or "]:" in text else (text, "", "53")
    try:
        address = ipaddress.ip_address(host.strip("[]")).compressed
        number = int(port)
    except ValueError:
        raise BadInput(f"not an address: {text}", hint="write it as 192.0.2.1 or 192.0.2.1:5353") from None
    if not 0 < number < 1 << 16:
        raise BadInput(f"no such port: {text}")
    return address, number


def _fault(settings: Settings) -> str:
    if (
        urlsplit(settings.exchange).scheme not in ("http", "https")
        or not urlsplit(settings.exchange).hostname
    ):
        return f"exchange is not the address of a web server: {settings.exchange}"
    if not settings.listen:
        return "listen names no address"
    for text in (*settings.listen, *(one.address for one in settings.secondary)):
        try:
            endpoint(text)
        except BadInput as problem:
            return f"{problem.detail}; {problem.hint}" if problem.hint else problem.detail
    if not _zone.fullmatch(settings.zone) or len(settings.zone) > 100:
        return f"zone is not a name in lower case: {settings.zone[:60]}"
    if wrong := policies.fault(settings.policy):
        return wrong
    if not settings.every > 0:
        return "every must be more than 0 seconds"
    if any(mark in settings.folder for mark in "\"'\n\\"):
        return "folder holds a quote, a backslash or a line end"
    return ""


EXAMPLE = """\
# tocsin dns --settings dns.toml
exchange = "https://exchange.example"
key_file = "/etc/tocsin/key"         # or set TOCSIN_KEY; scope lists:read
folder = "/var/lib/tocsin-dns"       # Knot's configuration, keys, zone and journal
listen = ["192.0.2.1:5300"]          # where Knot answers its secondaries
zone = "tocsin.rpz"
action = "nxdomain"                  # what a name gets: nxdomain, garden, log (to try it out) or nothing
# garden = "help.provider.example"   # of action "garden": a host of yours that explains
every = 0.25                         # seconds between two looks at the exchange

# [classes]                          # other actions, by class of attack; the most specific rule wins
# "fraud/phishing" = "garden:phishing.provider.example"
# "malicious-code" = "nxdomain"
# "other" = "log"                    # tocsin zone --example prints every class

[[secondary]]                        # BIND, PowerDNS, another Knot
address = "192.0.2.53"

[[secondary]]                        # Unbound knows no TSIG
address = "192.0.2.54"
tsig = false
"""
