"""The exchange's lists where a resolver or firewall reads them: fetched, checked, written, kept.

A list is believed only with the exchange's signature over exactly its bytes, and never when it is older than
one seen before. What was good stays when the exchange is out of reach, until its last value expires.
"""

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from tocsin.kernel.problems import BadInput, NotGenuine, Problem, Unreachable
from tocsin.kernel.time import now, parse_rfc3339
from tocsin.proof.lists import check_list
from tocsin.sift import asking, calling, listed, suricata
from tocsin.sift.blockstore import BlockStore, KeptList, opened
from tocsin.sift.listed import ADDRESSES, NAMES
from tocsin.sift.policies import LOG, NOTHING, PLAIN, ClassCount, Policy
from tocsin.wire.lists import SIGNATURE_HEADER, ListStatement

RELOAD_SECONDS = 120

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
    policy: Policy = PLAIN

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
    """One list after a run: its number, how many values stand in the file, and whether that was changed.

    `classes` says for each class that stands on the list how many values it has, what they get, and why.
    """

    list: str
    file: str
    number: int
    count: int
    expires: str
    changed: bool
    classes: tuple[ClassCount, ...] = ()


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
    store.keep_list(name, fresh, (one[:3] for one in listed.values(name, answer.text)))


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


def standing(plan: Plan) -> list[tuple[str, tuple[ClassCount, ...]]]:
    """What the lists that are kept here hold by class, and what the plan's policy gives each."""
    found = []
    with opened(plan.url) as store:
        for name in (plan.named(NAMES), plan.named(ADDRESSES)):
            kept = store.fetch_list(name)
            if kept is not None:
                counts = listed.counts(name, kept.body.decode(), asking.unblocked())
                found.append((name, plan.policy.counted(listed.is_names(name), counts)))
    return found


def _write(store: BlockStore, plan: Plan, name: str, path: Path) -> Written | None:
    kept = store.fetch_list(name)
    if kept is None:
        return None
    statement, has_expired = stated(kept)
    left_out = asking.unblocked()
    if has_expired:
        changed = _put(path, listed.emptied(name, kept.body))
        by_class: tuple[ClassCount, ...] = ()
    else:
        text = kept.body.decode()
        body = listed.obeyed(name, text, plan.policy).encode()
        changed = _put(path, asking.without(name, body, left_out))
        counts = listed.counts(name, text, left_out)
        by_class = plan.policy.counted(listed.is_names(name), counts)
    if changed:
        for command in plan.reloads:
            store.owe(command)
    out = {NOTHING} if listed.is_names(name) else {NOTHING, LOG}
    count = sum(one.values for one in by_class if one.action not in out)
    return Written(name, str(path), statement.number, count, statement.expires, changed, by_class)


def stated(kept: KeptList) -> tuple[ListStatement, bool]:
    """What was signed about a list, and whether its last value has expired."""
    statement = msgspec.json.decode(kept.statement, type=ListStatement)
    return statement, bool(statement.count) and parse_rfc3339(statement.expires) <= now()


def _write_suricata(store: BlockStore, plan: Plan) -> list[Written]:
    """Both lists as datasets, one for each class, and the rules that ask them."""
    names = (plan.named(NAMES), plan.named(ADDRESSES))
    kept = [(name, found) for name in names if (found := store.fetch_list(name)) is not None]
    if plan.suricata is None or len(kept) < len(names):
        return []
    written: list[Written] = []
    sets: list[suricata.Dataset] = []
    for name, found in kept:
        statement, has_expired = stated(found)
        by_class = {} if has_expired else _by_class(name, found.body.decode())
        told = plan.policy.counted(
            listed.is_names(name), {kind: len(values) for kind, values in by_class.items()}
        )
        asked = [one.attack_kind for one in told if one.action != NOTHING]
        mine = [suricata.Dataset(kind, listed.is_names(name)) for kind in asked]
        changed = [_put(plan.suricata / one.file, one.body(by_class[one.attack_kind])) for one in mine]
        count = sum(len(by_class[kind]) for kind in asked)
        folder, sets = str(plan.suricata), sets + mine
        written.append(Written(name, folder, statement.number, count, statement.expires, any(changed), told))
    changes = _put(plan.suricata / suricata.RULES, suricata.rules_file(sets))
    if changes or any(one.changed for one in written):
        for command in plan.reloads:
            store.owe(command)
    for path in plan.suricata.glob("tocsin-*.lst"):  # of a class that is listed no more
        if path.name not in {one.file for one in sets}:
            path.unlink(missing_ok=True)
    return written


def _by_class(name: str, text: str) -> dict[str, list[str]]:
    left_out = asking.unblocked()
    found: dict[str, list[str]] = {}
    for one in listed.values(name, text):
        if one.value not in left_out:
            found.setdefault(one.attack_kind, []).append(one.value)
    return found


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
