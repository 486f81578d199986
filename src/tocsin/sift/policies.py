"""What a listed name or address gets here, by the class of attack for which it is listed: policy as data.

A rule names one class as RSIT does (`fraud/phishing`) or all whose name begins so (`fraud`). The most
specific rule wins; what no rule names, also a class that nobody here has heard of, gets the default.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.reference.loader import known_kinds
from tocsin.wire import rpz

NXDOMAIN, GARDEN, LOG, NOTHING, DROP = "nxdomain", "garden", "log", "nothing", "drop"
NAMES: dict[str, str] = {
    NXDOMAIN: "there is no such name",
    GARDEN: "the name leads to a host of yours that explains",
    LOG: "answered as ever, and written to the resolver's log",
    NOTHING: "left out",
}
ADDRESSES: dict[str, str] = {
    DROP: "in nftables' sets and in Suricata's",
    LOG: "in Suricata's sets alone, which tell and drop nothing",
    NOTHING: "left out",
}
HINT = "tocsin zone --example prints every class and action"

_host = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a class gets, and by which rule (empty: the default); `host` is a garden's."""

    action: str
    rule: str
    host: str = ""

    @property
    def target(self) -> str | None:
        """Where its names lead, as a response policy zone spells it; None: they are left out."""
        if self.action == GARDEN:
            return f"{self.host}."
        return {NXDOMAIN: rpz.NXDOMAIN, LOG: rpz.PASS}.get(self.action)

    @property
    def words(self) -> str:
        """The action and why, in words."""
        where = f" at {self.host}" if self.host else ""
        return f"{self.action}{where}, by {f'the rule for {self.rule}' if self.rule else 'the default'}"


@dataclass(frozen=True, slots=True)
class ClassCount:
    """So many values of one class, what they get, by which rule (empty: the default) and in which garden."""

    attack_kind: str
    values: int
    action: str
    rule: str
    host: str


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What names and addresses get: a default of each, and rules by class.

    `action` and `classes` are about names and say one of NAMES; `garden` is the host of action `garden`, and
    `garden:HOST` leads to another one. `address_action` and `address_classes` say one of ADDRESSES.
    """

    action: str = NXDOMAIN
    garden: str = ""
    classes: dict[str, str] = {}
    address_action: str = DROP
    address_classes: dict[str, str] = {}

    @property
    def is_plain(self) -> bool:
        """Does everything get the same, and what it usually gets?"""
        return self == PLAIN

    def name(self, kind: str) -> Choice:
        """What names of that class get."""
        rule, said = _most_specific(kind, self.classes, self.action)
        action, _, host = said.partition(":")
        host = (host or self.garden).removesuffix(".") if action == GARDEN else ""
        return Choice(action, rule, host)

    def address(self, kind: str) -> Choice:
        """What addresses of that class get."""
        rule, action = _most_specific(kind, self.address_classes, self.address_action)
        return Choice(action, rule)

    def chosen(self, is_name: bool, kind: str) -> Choice:
        """What values of that class get."""
        return self.name(kind) if is_name else self.address(kind)

    def counted(self, is_name: bool, counts: Mapping[str, int]) -> tuple[ClassCount, ...]:
        """What each of these classes gets, with how many values it has."""
        rows = ((kind, counts[kind], self.chosen(is_name, kind)) for kind in sorted(counts))
        return tuple(ClassCount(kind, n, one.action, one.rule, one.host) for kind, n, one in rows)


PLAIN = Policy()


def load(path: Path) -> Policy:
    """Read a policy: a TOML file of its own, or the settings of `tocsin dns`; checked. Raises BadInput."""
    try:
        told = tomllib.loads(path.read_text())
        if "exchange" in told:
            told = {name: told[name] for name in Policy.__struct_fields__ if name in told}
        policy = msgspec.convert(told, Policy)
    except OSError as error:
        raise BadInput(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {error}", hint=HINT) from error
    return checked(policy, f"{path}: ")


def checked(policy: Policy, where: str = "") -> Policy:
    """The policy, where nothing is wrong with it. Raises BadInput that names what is, and what is known."""
    wrong = fault(policy)
    if wrong:
        raise BadInput(where + wrong, hint=HINT)
    return policy


def fault(policy: Policy) -> str:
    """What is wrong with a policy, in one sentence, or nothing."""
    said = [("action", policy.action), *policy.classes.items()]
    for rule, words in said:
        action, colon, host = words.partition(":")
        if action not in NAMES or (colon and action != GARDEN):
            return f"{rule}: there is no action {words!r} for names; known: {', '.join(NAMES)}, garden:HOST"
        if action == GARDEN and not _host.fullmatch((host if colon else policy.garden).removesuffix(".")):
            return f"{rule} is {words}, so {'it' if colon else 'garden'} must name a host of yours"
    if policy.garden and GARDEN not in (words for _, words in said):
        return f"garden is named, but action is {policy.action} and no class leads there"
    for rule, action in (("address_action", policy.address_action), *policy.address_classes.items()):
        if action not in ADDRESSES:
            return f"{rule}: there is no action {action!r} for addresses; known: {', '.join(ADDRESSES)}"
    return next(filter(None, map(_unknown, (*policy.classes, *policy.address_classes))), "")


def explained(rows: Iterable[ClassCount]) -> list[str]:
    """A line for each class: how many values it has here, what they get, and why."""
    table = [(one.attack_kind or "(no class)", f"{one.values:,}", one) for one in rows]
    wide = max((len(kind) for kind, _, _ in table), default=0)
    return [f"{kind:<{wide}}  {n:>9}  {Choice(o.action, o.rule, o.host).words}" for kind, n, o in table]


def example() -> str:
    """A policy to start from, with every class and action that is known."""
    actions = "".join(f"#   {name:<10}{words}\n" for name, words in NAMES.items())
    drops = "".join(f"#   {name:<10}{words}\n" for name, words in ADDRESSES.items())
    return EXAMPLE.format(
        actions=actions, drops=drops, kinds="".join(f"#   {k:<62}{w}\n" for k, w in known_kinds().items())
    )


def _most_specific(kind: str, rules: Mapping[str, str], default: str) -> tuple[str, str]:
    for rule in (kind, kind.partition("/")[0]):
        if rule in rules:
            return rule, rules[rule]
    return "", default


def _unknown(rule: str) -> str:
    kinds = known_kinds()
    whole = sorted({kind.partition("/")[0] for kind in kinds})
    if rule in kinds or rule in whole:
        return ""
    near = difflib.get_close_matches(rule, [*kinds, *whole], 1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"there is no class {rule!r}{meant}; known: {', '.join(whole)}, and {len(kinds)} types of them"


EXAMPLE = """\
# tocsin zone --policy policy.toml; names' part goes into the settings of `tocsin dns`, too.
# What a name gets:
{actions}action = "nxdomain"                      # all that no rule below names
garden = "help.provider.example"         # of action garden; garden:HOST leads to another host
# What an address gets:
{drops}address_action = "drop"

[classes]                                # names; the most specific rule wins
"fraud/phishing" = "garden"
"other" = "log"

[address_classes]                        # addresses
"information-gathering/scanner" = "log"

# The classes (RSIT), each also by what stands before its stroke, such as "fraud":
{kinds}"""
