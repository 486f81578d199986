"""What `tocsin watch` is told: a TOML file, checked as a whole before anything starts."""

import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.sift import minimise, stamps
from tocsin.wire.report import Severity

LONGEST_SOCKET = 107  # bytes of a Unix socket's path
LARGEST_MAIL_MB = 64  # more is read of no mail


class Files(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Logs to follow through their rotation; patterns such as `/var/log/nginx/*.log` meet new files too.

    `tz` and `year` settle times that do not name theirs; `target` stands for a host where lines name none;
    `map` is a file that says what their records mean (docs/records.md).
    """

    paths: tuple[str, ...]
    tz: str | None = None
    year: int | None = None
    target: str = ""
    map: str = ""


class Journal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The systemd journal, all of it or some units'; `directory` names one that is not this machine's own."""

    units: tuple[str, ...] = ()
    directory: str = ""


class Syslog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Addresses (`127.0.0.1:5514`) to receive syslog on: UDP (RFC 5426), TCP (RFC 6587), TLS (RFC 5425).

    `certificate` and `key` are what the door shows over TLS; with `clients`, a file of authorities, senders
    must show a certificate of theirs, and with `names` one of these names or SHA-256 fingerprints.
    """

    udp: str = ""
    tcp: str = ""
    tls: str = ""
    certificate: str = ""
    key: str = ""
    clients: str = ""
    names: tuple[str, ...] = ()
    tz: str | None = None


class Lmtp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A door for mails (RFC 2033): an address, or the path of a Unix socket, and whose mails are taken.

    `recipients` are patterns of addresses, such as `abuse@*`; a mail may have `largest_mb`.
    """

    listen: str
    recipients: tuple[str, ...]
    largest_mb: int = 32


class Mailbox(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An IMAP folder of complaints; nothing in it is changed. The password stands in a file of its own.

    `ca_file` holds the certificate of an authority of your own; `every` is the seconds between looks.
    """

    host: str
    user: str
    password_file: str
    folder: str = "INBOX"
    port: int = 993
    tls: bool = True
    ca_file: str = ""
    every: float = 60.0


class Dnstap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Unix socket to which resolvers write dnstap; `every` is the seconds between counts of its blocks."""

    socket: str
    every: float = 60.0


class Siem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A SIEM that is told of every attack: ECS documents in a file, or syslog (`udp://host:514`, `tcp://…`)."""

    ecs: str = ""
    syslog: str = ""


class Rt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Request Tracker 5, over its REST 2 interface: a ticket for each origin of attacks of that severity."""

    url: str
    token_file: str
    queue: str
    least: Severity = "medium"
    every: float = 60.0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything `tocsin watch` is told.

    Without `to` nothing is reported: attacks are only shown and measured. `every` is how many seconds may
    pass between an attack and its report; `inbox_mb` bounds what each door for syslog or mails may take on
    disk.
    """

    to: str = ""
    key_file: str = ""
    networks: tuple[str, ...] = ()
    least: Severity = "low"
    every: float = 5.0
    kept_days: int | None = None
    inbox_mb: int = 1024
    metrics: str = ""
    files: tuple[Files, ...] = ()
    journal: tuple[Journal, ...] = ()
    syslog: tuple[Syslog, ...] = ()
    mailbox: tuple[Mailbox, ...] = ()
    lmtp: tuple[Lmtp, ...] = ()
    dnstap: tuple[Dnstap, ...] = ()
    siem: tuple[Siem, ...] = ()
    rt: tuple[Rt, ...] = ()


def load(path: Path) -> Settings:
    """Read and check a settings file. Raises BadInput that names what is wrong."""
    try:
        text = path.read_text()
    except OSError as error:
        raise BadInput(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
    try:
        settings = msgspec.convert(tomllib.loads(text), Settings)
        settings = msgspec.structs.replace(settings, to=settings.to.rstrip("/"))
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadInput(
            f"{path}: {error}", hint="tocsin watch --example prints a file to start from"
        ) from error
    _check(settings, path)
    return settings


def _check(settings: Settings, path: Path) -> None:
    doors = settings.syslog or settings.lmtp or settings.dnstap
    if not (settings.files or settings.journal or settings.mailbox or doors):
        raise BadInput(
            f"{path}: nothing to watch",
            hint="add [[files]], [[journal]], [[mailbox]], [[syslog]], [[lmtp]] or [[dnstap]]",
        )
    try:
        minimise.networks(settings.networks)
    except ValueError as error:
        raise BadInput(f"{path}: networks: {error}") from None
    for files in settings.files:
        stamps.zone(files.tz)
    for heard in settings.syslog:
        stamps.zone(heard.tz)
        for address in filter(None, (heard.udp, heard.tcp, heard.tls)):
            endpoint(address)
        if heard.tls and not (heard.certificate and heard.key):
            raise BadInput(f"{path}: syslog.tls needs a certificate and its key")
        if heard.names and not heard.clients:
            raise BadInput(f"{path}: syslog.names needs clients: the authority of the senders' certificates")
    for door in settings.lmtp:
        if not door.listen.startswith("/"):
            endpoint(door.listen)
        if not door.recipients:
            raise BadInput(f"{path}: lmtp takes no mail without recipients")
        if not 1 <= door.largest_mb <= LARGEST_MAIL_MB:
            raise BadInput(f"{path}: lmtp.largest_mb is from 1 to {LARGEST_MAIL_MB}")
    for where in (*(door.listen for door in settings.lmtp), *(tap.socket for tap in settings.dnstap)):
        if len(where.encode()) > LONGEST_SOCKET:
            raise BadInput(f"{path}: the path of a socket has {LONGEST_SOCKET} bytes at most: {where}")
    for tap in settings.dnstap:
        if not tap.socket.startswith("/"):
            raise BadInput(f"{path}: dnstap.socket is the whole path of a Unix socket: {tap.socket}")
        if tap.every <= 0:
            raise BadInput(f"{path}: dnstap.every must be more than 0 seconds")
    for siem in settings.siem:
        if siem.syslog and urlsplit(siem.syslog).scheme not in ("udp", "tcp"):
            raise BadInput(f"{path}: siem.syslog is no udp:// or tcp:// address: {siem.syslog}")
    for url in filter(None, (settings.to, *(rt.url for rt in settings.rt))):
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise BadInput(f"{path}: not the address of a web server: {url}", hint="write it as https://HOST")
    if len(settings.rt) > 1:
        raise BadInput(f"{path}: only one [[rt]] can be told")
    for kind in (settings.journal, settings.mailbox, settings.syslog, settings.lmtp, settings.dnstap):
        if len(set(kind)) < len(kind):
            raise BadInput(f"{path}: the same source twice: its lines would count twice")
    if settings.metrics:
        endpoint(settings.metrics)
    if settings.every <= 0:
        raise BadInput(f"{path}: every must be more than 0 seconds")


def endpoint(text: str) -> tuple[str, int]:
    """`127.0.0.1:5514` or `[::1]:5514` as host and port. Raises BadInput."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) < 1 << 16:
        raise BadInput(f"not an address with a port: {text}", hint="write it as 127.0.0.1:5514")
    return host.strip("[]"), int(port)


EXAMPLE = """\
# tocsin watch --settings watch.toml
to = "https://exchange.example"      # leave out to watch without reporting
key_file = "/etc/tocsin/key"         # or set TOCSIN_KEY
networks = ["203.0.113.0/24"]        # your own: they leave only as tokens
least = "low"
every = 5.0                          # seconds between an attack and its report
metrics = "127.0.0.1:9477"           # Prometheus

[[files]]
paths = ["/var/log/auth.log", "/var/log/nginx/*access.log"]

[[journal]]
units = ["ssh.service"]

[[syslog]]
udp = "127.0.0.1:5514"
tcp = "127.0.0.1:5514"
# tls = "0.0.0.0:6514"
# certificate = "/etc/tocsin/syslog.pem"
# key = "/etc/tocsin/syslog.key"
# clients = "/etc/tocsin/senders-ca.pem"   # senders must show a certificate of this authority
# names = ["gate1.isp.example"]            # and one of these names, or "sha256:" fingerprints

# [[siem]]
# ecs = "/var/log/tocsin/attacks.ndjson"
# syslog = "udp://127.0.0.1:514"

# [[rt]]
# url = "https://rt.example"
# token_file = "/etc/tocsin/rt-token"
# queue = "Abuse"

# [[mailbox]]
# host = "imap.example"
# user = "abuse"
# password_file = "/etc/tocsin/abuse-password"

# [[lmtp]]
# listen = "127.0.0.1:2424"                # or the path of a socket
# recipients = ["abuse@isp.example"]

# [[dnstap]]
# socket = "/run/tocsin/dnstap"            # blocks of your resolvers, counted as by tocsin tally
"""
