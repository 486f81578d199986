"""What is listed now by class of attack, what that stopped in one's own network, and a policy to copy.

What a network does with a class, its own machines decide; the exchange neither sets it nor knows it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Sum

from tocsin.access.policy import Actor, require
from tocsin.blocking.models import Tally
from tocsin.cases.units import current_pack
from tocsin.figures.networks import WINDOW
from tocsin.kernel.time import now
from tocsin.reference.loader import known_kinds
from tocsin.sharing import lists
from tocsin.sharing.models import Indicator

DEFAULTS = """\
action = "nxdomain"          # names of every other class: nxdomain, garden, log or nothing
# garden = "help.provider.example"
address_action = "drop"      # addresses of every other class: drop, log or nothing
"""


@dataclass(frozen=True)
class ClassRow:
    """One class: how many names and addresses everybody's lists have for it; what the own logs stopped."""

    attack_kind: str
    words: str
    names: int
    addresses: int
    stopped: int


@dataclass(frozen=True)
class ClassesView:
    """The classes, the most listed first. `for_dns` and `for_zone` are TOML for the two commands."""

    sentence: str
    rows: tuple[ClassRow, ...]
    is_member: bool
    has_told: bool
    for_dns: str
    for_zone: str


def classes(actor: Actor, at: dt.datetime | None = None) -> ClassesView:
    """What is listed for which class, and what the actor's members stopped of it in the last 30 days.

    Raises NotSignedIn, NotAllowed.
    """
    require(actor, "network.read")
    names, addresses = (lists.by_class_now(kind) for kind in (Indicator.Kind.NAME, Indicator.Kind.ADDRESS))
    members = [member.pk for member in actor.members]
    tallies = Tally.objects.filter(member__in=members, hour__gt=(at or now()) - WINDOW).order_by()
    stopped = dict(tallies.values_list("indicator__attack_kind").annotate(Sum("hits")))
    pack = current_pack()
    rows = [
        ClassRow(
            kind, pack.kind_words(kind), names.get(kind, 0), addresses.get(kind, 0), stopped.get(kind, 0)
        )
        for kind in sorted({*names, *addresses, *stopped})
    ]
    rows.sort(key=lambda row: -(row.names + row.addresses))
    known = [row for row in rows if row.attack_kind in known_kinds()]  # as the edge tool asks for
    return ClassesView(
        sentence=sentence(rows),
        rows=tuple(rows),
        is_member=bool(members),
        has_told=bool(stopped),
        for_dns=name_rules(known),
        for_zone=f"{DEFAULTS}\n{name_rules(known)}\n{address_rules(known)}",
    )


def sentence(rows: Sequence[ClassRow]) -> str:
    """What is listed, in one line."""
    names, addresses = sum(row.names for row in rows), sum(row.addresses for row in rows)
    listed = sum(bool(row.names or row.addresses) for row in rows)
    if not listed:
        return "Nothing is listed now."
    each = ((names, "name", "names"), (addresses, "address", "addresses"))
    said = " and ".join(_some(*one) for one in each if one[0])
    verb = "is" if names + addresses == 1 else "are"
    return f"{said} {verb} listed now, for {_some(listed, 'class', 'classes')} of attack."


def name_rules(rows: Sequence[ClassRow]) -> str:
    """A policy's table for names: every class that is listed now, with the usual action."""
    rules = [f'"{row.attack_kind}" = "nxdomain"  # {row.words}' for row in rows if row.names]
    return "\n".join(["[classes]", *(rules or ['# "fraud/phishing" = "log"'])]) + "\n"


def address_rules(rows: Sequence[ClassRow]) -> str:
    """A policy's table for addresses."""
    rules = [f'"{row.attack_kind}" = "drop"  # {row.words}' for row in rows if row.addresses]
    return "\n".join(["[address_classes]", *(rules or ['# "information-gathering" = "log"'])]) + "\n"


def _some(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
