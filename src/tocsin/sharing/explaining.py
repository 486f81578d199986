"""Why something is blocked, or is not: an indicator's whole life for whoever is up at three in the morning.

Never who said it, nor how many did: certainty is told in bands that several numbers of sources share.
"""

import datetime as dt
from dataclasses import dataclass, replace

from tocsin.access.policy import Actor, require
from tocsin.kernel.time import now
from tocsin.sharing import confidence, rules, sightings
from tocsin.sharing.appealing import canonical
from tocsin.sharing.judging import Obstacles, heard_by_all
from tocsin.sharing.models import Appeal, Indicator
from tocsin.sharing.publishing import hour_of
from tocsin.sharing.queries import Event, indicator_view, visible_to
from tocsin.sharing.receipts import Receipt, receipts_of

BANDS = {
    "high": "very likely right",
    "medium": "more likely right than not",
    "low": "unsure",
    "none": "hardly anything speaks for it any more",
}
HIDDEN = "It is on none of the exchange's lists."  # the same whether somebody has said something of it or not


@dataclass(frozen=True)
class Part:
    """One line of what makes up the certainty."""

    what: str
    words: str


@dataclass(frozen=True)
class Explanation:
    """All that may be told of an address or name. `indicator_id` is empty where there is none to be seen.

    `certainty` is a band's words, empty where nothing is shared; `obstacle` is why it may never be shared;
    `receipts` say who has taken a withdrawal, `seen` who met it, both in counts.
    """

    kind: str
    value: str
    sentence: str
    indicator_id: str = ""
    state: str = ""
    reason: str = ""
    tlp: str = ""
    since: dt.datetime | None = None
    valid_until: dt.datetime | None = None
    certainty: str = ""
    parts: tuple[Part, ...] = ()
    reported_by_us: bool = False
    waits: bool = False
    obstacle: str = ""
    appeal: str = ""
    receipts: tuple[Receipt, ...] = ()
    seen: str = ""
    events: tuple[Event, ...] = ()
    attack_kind: str = ""


def explain(actor: Actor, text: str, at: dt.datetime | None = None) -> Explanation:
    """Why, or why not. Raises NotSignedIn, NotAllowed, BadInput for what is neither address nor name."""
    require(actor, "indicator.read")
    at, (kind, value) = at or now(), canonical(text)
    found = visible_to(actor).filter(kind=kind, value=value).first()
    # What is shared meets no obstacle: the sweep sees to that, within seconds of any change.
    is_shared = found is not None and found.state == Indicator.State.SHARED
    obstacle = "" if is_shared else Obstacles().of(kind, value)
    if found is None:
        return Explanation(kind, value, obstacle or HIDDEN, obstacle=obstacle)
    view = indicator_view(actor, found.indicator_id)
    sure, parts = certainty_of(found, at)
    open_appeal = Appeal.objects.filter(indicator=found, ended_at=None).first()
    return Explanation(
        kind=kind,
        value=value,
        sentence=sentence_of(found, view.shared_in),
        indicator_id=found.indicator_id,
        state=found.state,
        reason=found.reason,
        tlp=found.tlp if view.is_shared else "",
        since=view.changed_at,
        valid_until=view.valid_until,
        certainty=BANDS[sure] if view.is_shared else "",
        parts=parts if view.is_shared else (),
        reported_by_us=view.reported_by_us,
        waits=view.waits,
        obstacle=obstacle,
        appeal="an appeal against it waits for an answer" if open_appeal is not None else "",
        receipts=receipts_of(actor, found, at),
        seen=sightings.seen_words(found, at) if view.is_shared else "",
        events=view.events,
        attack_kind=view.attack_kind,
    )


def sentence_of(found: Indicator, shared_in: str = "") -> str:
    """May I block this? In one line; `shared_in` names the communities in which it is shared."""
    if shared_in and found.state != Indicator.State.SHARED:
        return f"It is shared in {shared_in} alone: the machines of its members refuse it."
    return {
        Indicator.State.SHARED: "It is shared: members' machines refuse it.",
        Indicator.State.HELD: "It is held: nobody is asked to block it.",
        Indicator.State.WITHDRAWN: "It was withdrawn: nobody should block it any more.",
        Indicator.State.EXPIRED: "It has expired: it is on no list any more.",
    }[Indicator.State(found.state)]


def certainty_of(found: Indicator, at: dt.datetime) -> tuple[str, tuple[Part, ...]]:
    """The band in which the certainty is, and what makes it up, in words that count nobody.

    As of the last full hour, or of the last change that all have seen: whoever asks every second learns no
    more of when somebody spoke than whoever reads the feed.
    """
    known, at = rules.DEFAULTS, max(hour_of(at), found.changed_at)
    words = [replace(word, at=hour_of(word.at)) for word in heard_by_all(found.pk, at)]
    sure = rules.sureness(words, found.kind, found.basis, at)
    newest = max((word.at for word in words), default=None)
    half = known.half_life_days[found.kind]
    parts = [
        Part("sources", "a trusted person" if found.basis == "person" else "members, each counted once"),
        Part("records", "each weighs by how often it was right before"),
    ]
    if newest is not None:
        days = max((at.date() - newest.date()).days, 0)
        age = "today" if days == 0 else f"{days} day{'s' if days != 1 else ''} ago"
        parts.append(Part("age", f"last said {age}; a word weighs half after {half:g} days"))
    return confidence.band(sure, known), tuple(parts)
