"""Asking the exchange why something is blocked, objecting to it, and not blocking it on this machine."""

import ipaddress
import os
import re
from pathlib import Path

import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.sift import calling
from tocsin.sift.home import edge_home
from tocsin.sift.policies import Policy
from tocsin.wire.indicators import Explained, Near, Objected, Objection, lookup_of

_name = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{1,63}")
WIDTH = 16
DIGITS = 3
NOT_THERE = "The exchange shares nothing of it."
YOU = {
    (False, False): "",
    (True, False): "reported it, too",
    (False, True): "reported it; your word waits for its batch",
    (True, True): "reported it; your word waits for its batch",
}
STATES = {
    "shared": "It is shared: members' machines refuse it.",
    "withdrawn": "It was withdrawn.",
    "expired": "It has expired.",
    "held": "It is held: you reported it.",
}


def explain(url: str, key: str, pattern: str) -> Explained:
    """What the exchange tells of an address or name. Raises Unreachable, NotSignedIn, BadInput."""
    with calling.client(url.rstrip("/"), key) as client:
        given = client.build_request("GET", "/indicators", params={"value": pattern})
        answer = calling.ask(lambda: client.send(given))
    return msgspec.json.decode(answer.content, type=Explained)


def ask_privately(url: str, key: str, pattern: str) -> str:
    """Whether the exchange shares it, without telling it what was asked for; gives a sentence.

    Three hex digits of the value's digest are sent: one of 4,096 parts. Raises Unreachable, NotSignedIn,
    BadInput.
    """
    value = canonical(pattern)
    digest = lookup_of(value)
    with calling.client(url.rstrip("/"), key) as client:
        answer = calling.ask(lambda: client.get(f"/indicators/near/{digest[:DIGITS]}"))
    found = msgspec.json.decode(answer.content, type=Near)
    state = found.states.get(digest[DIGITS:])
    said = f"{value}  {STATES.get(state or '', NOT_THERE)}"
    return f"{said}\n  sent: {digest[:DIGITS]}, under which the exchange told {len(found.states)} digests"


def object_to(url: str, key: str, pattern: str, reason: str) -> str:
    """Object at the exchange; gives what came of it. Raises Unreachable, NotSignedIn, BadInput."""
    with calling.client(url.rstrip("/"), key) as client:
        body = msgspec.json.encode(Objection(pattern, reason))
        headers = {"Content-Type": "application/json"}
        answer = calling.ask(lambda: client.post("/indicators/objections", content=body, headers=headers))
    done = msgspec.json.decode(answer.content, type=Objected)
    own = f"{done.taken_back} of your own words taken back. " if done.taken_back else ""
    if not done.is_listed:
        return f"at the exchange: {own}It is off every list."
    others = f"Others stand behind it, too: a person answers by {done.due_at}, or it is taken off."
    return f"at the exchange: {own}{others}"


def told(found: Explained, policy: Policy | None = None) -> str:
    """An explanation as a terminal shows it, what matters first; with what it gets here by a policy."""
    lines = [f"{found.value}  {found.sentence}"]
    facts = {
        "because": found.reason if found.reason != found.sentence else "",
        "since": found.since,
        "until": found.valid_until,
        "certainty": found.certainty,
        "listed for": found.attack_kind,
        "marked": f"TLP:{found.tlp.upper()}" if found.tlp else "",
        "never shared": found.obstacle if found.obstacle != found.sentence else "",
        "you": YOU[found.reported_by_us, found.waits],
        "stopped": found.stopped.removeprefix("stopped "),
        "seen": found.seen.removeprefix("seen "),
        "taken": "; ".join(filter(None, (found.taken, found.taken_by_us))),
        "appeal": found.appeal,
    }
    lines += [f"  {what:<{WIDTH}}{words}" for what, words in facts.items() if words]
    lines += [f"  {'from ' + part.what:<{WIDTH}}{part.words}" for part in found.parts]
    if found.events:
        lines.append("  its life")
        lines += [
            f"    {event.at}  {' '.join(filter(None, (event.words + '.', event.why)))}"
            for event in found.events
        ]
    if found.value in unblocked():
        undo = f"tocsin unblock {found.value} --undo"
        lines.append(f"  {'here':<{WIDTH}}not blocked, by `tocsin unblock`; undo it with: {undo}")
    elif policy is not None and found.state == "shared":
        choice = policy.chosen(found.kind == "name", found.attack_kind)
        lines.append(f"  {'here':<{WIDTH}}{choice.words}")
    if found.value not in unblocked() and found.state == "shared":
        lines.append(f'  → wrong? tocsin unblock {found.value} --reason "…"')
    return "\n".join(lines)


def as_json(found: Explained) -> str:
    """The same for a program."""
    return msgspec.json.encode(found).decode()


def unblock_here(pattern: str) -> str:
    """Leave it out of the lists that this machine writes from now on; gives a sentence."""
    value = canonical(pattern)
    _keep(unblocked() | {value})
    return f"here: {value} is left out of the lists that `tocsin zone` and `tocsin dns` write from now on."


def block_again(pattern: str) -> str:
    """Let the exchange's lists decide again; gives a sentence."""
    value, known = canonical(pattern), unblocked()
    if value not in known:
        return f"here: {value} was not left out."
    _keep(known - {value})
    return f"here: the exchange's lists decide on {value} here again."


def unblocked() -> frozenset[str]:
    """What is left out of this machine's lists."""
    try:
        return frozenset(filter(None, _file().read_text("utf-8").splitlines()))
    except FileNotFoundError:
        return frozenset()


def canonical(pattern: str) -> str:
    """The value as a list spells it. Raises BadInput."""
    value = pattern.strip().lower().removesuffix(".")
    try:
        return ipaddress.ip_address(value).compressed
    except ValueError:
        if not _name.fullmatch(value):
            raise BadInput(f"neither an address nor a name: {pattern[:60]!r}") from None
        return value


def without(name: str, body: bytes, left_out: frozenset[str]) -> bytes:
    """A list's bytes without these values: lines of a zone, elements of a set."""
    if not left_out:
        return body
    if name.endswith(".rpz"):
        kept = (line for line in body.splitlines(keepends=True)
                if line.partition(b" ")[0].decode("utf-8", "replace") not in left_out)  # fmt: skip
        return b"".join(kept)
    text = body.decode()
    for value in left_out:
        text = re.sub(rf"^{re.escape(value)} timeout \d+s,?\n", "", text, flags=re.MULTILINE)
    text = re.sub(r",\n\}", "\n}", text)
    return re.sub(r"^add element [^{]*\{\n\s*\}\n", "", text, flags=re.MULTILINE).encode()


def _file() -> Path:
    return edge_home() / "unblocked"


def _keep(values: frozenset[str]) -> None:
    path = _file()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text("".join(f"{value}\n" for value in sorted(values)), "utf-8")
    fresh.replace(path)
