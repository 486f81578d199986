"""Reading the text of a list: what stands on it and for which class; and the same list under a policy."""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from tocsin.sift.policies import DROP, Policy
from tocsin.wire import nft, rpz
from tocsin.wire.lists import class_of

NAMES, ADDRESSES = "names.rpz", "addresses.nft"

_elements = re.compile(r"^add element [^{]*\{(.*?)\}\n?", re.MULTILINE | re.DOTALL)
_class_lines = re.compile(rf"^(?=[{rpz.COMMENT}{nft.COMMENT}] class )", re.MULTILINE)
_class_line = re.compile(_class_lines.pattern + r".*\n", re.MULTILINE)


class Value(NamedTuple):
    """One value of a list: its kind, itself, are its subdomains meant, and its class (empty: none)."""

    kind: str
    value: str
    is_wild: bool
    attack_kind: str


def values(name: str, text: str) -> Iterator[Value]:
    """What stands on a list, in its order."""
    read = _names if is_names(name) else _addresses
    for attack_kind, part in parts(text):
        yield from read(part, attack_kind)


def is_names(name: str) -> bool:
    """Whether a list with that file name is one of names."""
    return name.endswith(NAMES)


def parts(text: str) -> Iterator[tuple[str, str]]:
    """A list in pieces, each with the class of its values; what stands before the first has none."""
    for part in _class_lines.split(text):
        yield class_of(part.partition("\n")[0]) or "", part


def counts(name: str, text: str, without: frozenset[str] = frozenset()) -> Counter[str]:
    """How many values stand on a list for each class; some are left out."""
    return Counter(one.attack_kind for one in values(name, text) if one.value not in without)


def obeyed(name: str, text: str, policy: Policy) -> str:
    """The list as that policy has it: a name leads where its class does, addresses of some are left out."""
    obey = _names_obeyed if is_names(name) else _addresses_obeyed
    return "".join(obey(part, kind, policy) for kind, part in parts(text))


def emptied(name: str, body: bytes) -> bytes:
    """A list without its values: what a resolver or firewall needs to hold no stale ones."""
    text = body.decode()
    if is_names(name):
        left = "".join(line for line in text.splitlines(keepends=True) if " CNAME " not in line)
    else:
        left = _elements.sub("", text)
    return _class_line.sub("", left).encode()


def _names(part: str, attack_kind: str) -> Iterator[Value]:
    for line in part.splitlines():
        owner, _, rest = line.partition(" ")
        if rest.split()[:1] == ["CNAME"] or " CNAME " in f" {rest} ":
            value = owner.lower().removeprefix("*.").removesuffix(".")
            yield Value("name", value, owner.startswith("*."), attack_kind)


def _addresses(part: str, attack_kind: str) -> Iterator[Value]:
    for block in _elements.findall(part):
        for element in block.split(","):
            try:
                value = ipaddress.ip_address(element.split()[0]).compressed
            except (ValueError, IndexError):
                continue
            yield Value("address", value, False, attack_kind)


def _names_obeyed(part: str, attack_kind: str, policy: Policy) -> str:
    target = policy.name(attack_kind).target
    if target is None:
        return "".join(line for line in part.splitlines(keepends=True) if " CNAME " not in line)
    return part if target == rpz.NXDOMAIN else part.replace(rpz.record(rpz.NXDOMAIN), rpz.record(target))


def _addresses_obeyed(part: str, attack_kind: str, policy: Policy) -> str:
    return part if policy.address(attack_kind).action == DROP else _elements.sub("", part)
