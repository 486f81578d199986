"""The exchange's lists where a resolver or firewall reads them: fetched, checked, written, kept.

A list is believed only with the exchange's signature over exactly its bytes, and never when it is older than
one seen before. What was good stays when the exchange is out of reach, until its last value expires.
"""

import ipaddress
import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from tocsin.kernel.problems import BadInput, NotGenuine, Problem, Unreachable
from tocsin.kernel.time import now, parse_rfc3339
from tocsin.proof.lists import check_list
from tocsin.sift import asking, calling, suricata
from tocsin.sift.blockstore import BlockStore, KeptList, opened
from tocsin.wire.lists import SIGNATURE_HEADER, ListStatement

NAMES, ADDRESSES = "names.rpz", "addresses.nft"
RELOAD_SECONDS = 120

_ELEMENTS = re.compile(r"^add element [^{]*\{(.*?)\}\n?", re.MULTILINE | re.DOTALL)

Say = Callable[[str], None]


class ReloadFailed(Problem):
    """The list was written, but the command that loads it failed."""

    slug = "reload-failed"
    hint = "it is tried again by the next run"


@dataclass(frozen=True)
class Plan:
    """What one run of `tocsin zone` was asked to do."""

    url: str
    names: Path | None = None
    addresses: Path | None = None
    reloads: tuple[str, ...] = ()
    suricata: Path | None = None
    community: str = ""

    def named(self, name: str) -> str:
        """The list's name at the exchange: a community's has its slug before it."""
        return f"{self.community}.{name}" if self.community else name

    @property
    def lists(self) -> list[str]:
        """The lists that must be fetched for it."""
        both = (self.named(NAMES), self.named(ADDRESSES))
        return list(both) if self.suricata is not None else [name for name, _ in self.wanted]

    @property
    def wanted(self) -> list[tuple[str, Path]]:
        """The lists that were asked for, by name, and where they go."""
        pairs = ((self.named(NAMES), self.names), (self.named(ADDRESSES), self.addresses))
        return [(name, path) for name, path in pairs if path is not None]


class Written(msgspec.Struct, frozen=True):
    """One list after a run: its number, how many values stand on it, and whether the file was changed."""

    list: str
    file: str
    number: int
    count: int
    expires: str
    changed: bool


def zone(plan: Plan, key: str, say: Say) -> list[Written]:
    """Bring every list that was asked for up to date, then load what changed.

    Raises Unreachable when the exchange is out of reach: then the last good lists stay, and one whose last
    value has expired is emptied. Raises NotGenuine for a list that is not the exchange's word, ReloadFailed.
    """
    with opened(plan.url) as store:
        fault: Problem | None = None
        try:
            with calling.client(plan.url, key) as client:
                origin, public = calling.introduced(client, say)
                for name in plan.lists:
                    refresh(store, client, origin, public, name)
        except Unreachable as problem:
            fault = problem
        written = [done for name, path in plan.wanted if (done := _write(store, plan, name, path))]
        written += _write_suricata(store, plan)
        for command in plan.reloads:
            _reload(store, command)
        if fault is not None:
            stays = ", ".join(f"{one.list} {one.number} stays until {one.expires}" for one in written)
            raise Unreachable(fault.detail, hint=stays or "no list was ever fetched")
        return written


def refresh(store: BlockStore, client: httpx.Client, origin: str, public: bytes, name: str) -> None:
    """Fetch a list where it changed, check it, and keep it. Raises Unreachable, NotGenuine, NotSignedIn."""
    kept = store.fetch_list(name)
    headers = {"If-None-Match": kept.etag} if kept else {}
    answer = calling.ask(lambda: client.get(f"/lists/{name}", headers=headers))
    if answer.status_code == httpx.codes.NOT_MODIFIED:
        return
    _, fresh = genuine(store, answer, origin, public, name)
    store.keep_list(name, fresh, values(name, answer.text))


def genuine(
    store: BlockStore, answer: httpx.Response, origin: str, public: bytes, name: str, since: str = ""
) -> tuple[ListStatement, KeptList]:
    """A list, or what changed on it `since` that date, that is the exchange's word, and no older than known.

    Raises NotGenuine.
    """
    said = answer.headers.get(SIGNATURE_HEADER, "").encode()
    try:
        statement = msgspec.json.decode(said, type=ListStatement)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotGenuine(f"{name} came without a signature that can be read") from None
    check_list(statement, name, answer.content, public)
    if statement.origin != origin:
        raise NotGenuine(f"{name} is of {statement.origin}, not of {origin}")
    if statement.since not in ("", since):
        raise NotGenuine(f"{name} tells what changed since {statement.since}, not since {since or 'ever'}")
    seen = store.newest(name)
    if statement.number < seen:
        raise NotGenuine(f"{name} {statement.number} is older than {seen}, which was seen before")
    return statement, KeptList(statement.number, answer.headers.get("ETag", ""), said, answer.content)


def values(name: str, text: str) -> Iterator[tuple[str, str, bool]]:
    """What stands on a list: (kind, value, are its subdomains meant?)."""
    if name.endswith(NAMES):
        for line in text.splitlines():
            owner, _, rest = line.partition(" ")
            if rest.split()[:1] == ["CNAME"] or " CNAME " in f" {rest} ":
                yield "name", owner.lower().removeprefix("*.").removesuffix("."), owner.startswith("*.")
        return
    for block in _ELEMENTS.findall(text):
        for element in block.split(","):
            try:
                yield "address", ipaddress.ip_address(element.split()[0]).compressed, False
            except (ValueError, IndexError):
                continue


def emptied(name: str, body: bytes) -> bytes:
    """A list without its values: what a resolver or firewall needs to hold no stale ones."""
    if name.endswith(NAMES):
        return b"".join(line for line in body.splitlines(keepends=True) if b" CNAME " not in line)
    return _ELEMENTS.sub("", body.decode()).encode()


def _write(store: BlockStore, plan: Plan, name: str, path: Path) -> Written | None:
    kept = store.fetch_list(name)
    if kept is None:
        return None
    statement, has_expired = stated(kept)
    left_out = asking.unblocked()
    body = emptied(name, kept.body) if has_expired else asking.without(name, kept.body, left_out)
    changed = _put(path, body)
    if changed:
        for command in plan.reloads:
            store.owe(command)
    gone = sum(value in left_out for _, value, _ in values(name, kept.body.decode())) if left_out else 0
    count = 0 if has_expired else statement.count - gone
    return Written(name, str(path), statement.number, count, statement.expires, changed)


def stated(kept: KeptList) -> tuple[ListStatement, bool]:
    """What was signed about a list, and whether its last value has expired."""
    statement = msgspec.json.decode(kept.statement, type=ListStatement)
    return statement, bool(statement.count) and parse_rfc3339(statement.expires) <= now()


def _write_suricata(store: BlockStore, plan: Plan) -> list[Written]:
    """Both lists as datasets, and the rules that ask them."""
    if plan.suricata is None:
        return []
    written, forms = (
        [],
        {
            plan.named(NAMES): (suricata.NAMES, suricata.names_file),
            plan.named(ADDRESSES): (suricata.ADDRESSES, suricata.addresses_file),
        },
    )
    left_out = asking.unblocked()
    for name, (file, form) in forms.items():
        kept = store.fetch_list(name)
        if kept is None:
            continue
        statement, has_expired = stated(kept)
        found = [] if has_expired else [value for _, value, _ in values(name, kept.body.decode())]
        standing = [value for value in found if value not in left_out]
        path = plan.suricata / file
        changed = _put(path, form(standing))
        written.append(Written(name, str(path), statement.number, len(standing), statement.expires, changed))
    if len(written) == len(forms) and (
        _put(plan.suricata / suricata.RULES, suricata.rules_file()) or any(one.changed for one in written)
    ):
        for command in plan.reloads:
            store.owe(command)
    return written


def _put(path: Path, body: bytes) -> bool:
    """Write a file in one step, readable by the daemon that loads it; False where it is so already."""
    try:
        if path.read_bytes() == body:
            return False
    except FileNotFoundError:
        pass
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
            part.write(body)
            part.flush()
            os.fsync(part.fileno())
        Path(part.name).chmod(0o644)
        Path(part.name).replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from None
    return True


def _reload(store: BlockStore, command: str) -> None:
    """Run a command that is owed since a list was written. Raises ReloadFailed; then it stays owed."""
    if not store.owes(command):
        return
    try:
        done = subprocess.run(  # noqa: S603 (the operator's own command, and no shell reads it)
            shlex.split(command), capture_output=True, text=True, timeout=RELOAD_SECONDS, check=False
        )
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
        raise ReloadFailed(f"{command}: {error}") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip() or f"exit status {done.returncode}"
        raise ReloadFailed(f"{command}: {said.splitlines()[-1]}")
    store.paid(command)
