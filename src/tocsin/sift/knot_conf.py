"""Knot's configuration as a hidden primary, and the keys that it shares with its secondaries and with us."""

import base64
import os
import secrets
from pathlib import Path

from tocsin.kernel.problems import BadInput
from tocsin.sift.primary_settings import Settings, endpoint

ALGORITHM = "hmac-sha256"
TRANSFER, UPDATE = "tocsin-transfer", "tocsin-update"  # the secondaries' key, and the one by which we change
JOURNAL = "2G"  # room for what changed; Knot lets the oldest go
DEPTH = 10_000  # changes that are kept. Letting go writes the whole zone anew: 2.5 s at a million names


def transfer_secret(folder: Path) -> str:
    """The secondaries' TSIG secret, made when it is first needed and readable by nobody else."""
    return _secret(folder / "transfer.key", TRANSFER)


def update_key(folder: Path) -> Path:
    """The file that `knsupdate -k` reads: the key by which the zone is changed stays on this machine."""
    _secret(folder / "update.key", UPDATE)
    return folder / "update.key"


def written(settings: Settings) -> bool:
    """Write Knot's configuration where it is not so already; says whether it changed. Raises BadInput."""
    folder = settings.home
    try:
        for part in (folder, folder / "journal"):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = _keys((TRANSFER, transfer_secret(folder)), (UPDATE, _secret(update_key(folder), UPDATE)))
        return _put(folder / "keys.conf", keys) | _put(folder / "knot.conf", _conf(settings))
    except OSError as error:
        raise BadInput(f"{folder}: {error.strerror}", hint="the folder must be yours to write in") from None


def _conf(settings: Settings) -> str:
    folder = settings.home.absolute()
    secondaries = list(enumerate(settings.secondary, 1))
    open_to = sorted({endpoint(one.address)[0] for one in settings.secondary if not one.tsig})
    own = sorted({"127.0.0.1", "::1", *(endpoint(text)[0] for text in settings.listen)})
    remotes = "".join(
        f"  - id: secondary-{n}\n    address: {_at(one.address)}\n" + f"    key: {TRANSFER}\n" * one.tsig
        for n, one in secondaries
    )
    by_address = f"  - id: transfer-by-address\n    address: [{', '.join(open_to)}]\n    action: transfer\n"
    notify = ", ".join(f"secondary-{n}" for n, _ in secondaries)
    rules = ["transfer", "update", *(["transfer-by-address"] if open_to else [])]
    return f"""\
# Written by `tocsin dns` from its settings: change those.
include: "{folder}/keys.conf"

server:
    rundir: "{folder}"
    listen: [{", ".join(_at(text) for text in settings.listen)}]
    version: ""
    identity: ""

control:
    listen: "{folder}/knot.sock"

database:
    storage: "{folder}/journal"
    journal-db-max-size: {JOURNAL}

{"remote:" if remotes else "# No secondary is named, so nobody is notified."}
{remotes}
acl:
  - id: transfer
    key: {TRANSFER}
    action: transfer
  - id: update
    key: {UPDATE}
    address: [{", ".join(own)}]
    action: update
{by_address if open_to else ""}
zone:
  - domain: {settings.zone}
    storage: "{folder}"
    file: "zone"
    zonefile-load: difference-no-serial
    zonefile-sync: -1
    journal-content: all
    journal-max-usage: {JOURNAL}
    journal-max-depth: {DEPTH}
    serial-policy: increment
    semantic-checks: off
    acl: [{", ".join(rules)}]
{f"    notify: [{notify}]" if notify else ""}

log:
  - target: stderr
    any: warning
"""


def _keys(*pairs: tuple[str, str]) -> str:
    each = "".join(f'  - id: {name}\n    algorithm: {ALGORITHM}\n    secret: "{s}"\n' for name, s in pairs)
    return f"key:\n{each}"


def _at(text: str) -> str:
    host, port = endpoint(text)
    return f"{host}@{port}"


def _secret(file: Path, name: str) -> str:
    """The secret in a file of the form ALGORITHM:NAME:SECRET."""
    try:
        said = file.read_text().strip().rpartition(":")[2]
        if len(base64.b64decode(said, validate=True)) < 16:
            raise ValueError
    except FileNotFoundError:
        said = base64.b64encode(secrets.token_bytes(32)).decode()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _put(file, f"{ALGORITHM}:{name}:{said}\n")
    except ValueError:
        raise BadInput(f"{file} holds no key", hint="remove it: a new one is made") from None
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}") from None
    return said


def _put(path: Path, text: str) -> bool:
    """Write a file in one step that nobody else may read; False where it is so already."""
    if path.exists() and path.read_text() == text:
        return False
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return True
