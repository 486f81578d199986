"""The kinds of news: few, so that a person can choose; and which entry of the journal is which, for whom.

Every event that the exchange records stands here or in QUIET: a test compares both with the code.
"""

from dataclasses import dataclass
from typing import Literal

Audience = Literal["member", "unit", "exchange"]


@dataclass(frozen=True)
class Kind:
    """A kind of news: what it is called where it is chosen, whom it concerns, how it is told by default."""

    kind: str
    words: str
    audience: Audience
    default: Literal["at once", "digest", "none"]


KINDS: dict[str, Kind] = {
    kind.kind: kind
    for kind in (
        Kind("questions", "Somebody asks me something about a report", "member", "at once"),
        Kind("answers", "A person decided about a report, or it ended", "member", "digest"),
        Kind("overdue", "An answer to a report of mine is overdue", "member", "digest"),
        Kind("logs", "A log that we hold about a report will be destroyed", "member", "at once"),
        Kind("readers", "A machine of ours has not taken a withdrawal in time", "member", "at once"),
        Kind("opened", "Two people were told that a warning was mine", "member", "at once"),
        Kind("progress", "Where a report is now, and who has it", "member", "none"),
        Kind("new-cases", "A case comes to my unit", "unit", "digest"),
        Kind("due", "My unit missed a duty", "unit", "at once"),
        Kind("replies", "A provider answered a question of my unit", "unit", "at once"),
        Kind("evidence", "Evidence of a case of my unit will be destroyed", "unit", "at once"),
        Kind("sealed", "Somebody broke the seal that I set on a case", "unit", "at once"),
        Kind("seals", "Somebody broke the seal of a case", "exchange", "at once"),
        Kind("silence", "A case waits where nobody has joined, or went a desk higher", "exchange", "digest"),
    )
}

# Event: the kinds of news it is, each for the audience of its kind.
EVENTS: dict[str, tuple[str, ...]] = {
    "cases:report:diverted": ("answers",),
    "cases:case:split": ("progress",),
    "cases:case:opened": ("progress", "new-cases", "silence"),
    "cases:case:routed": ("progress", "new-cases"),
    "cases:case:pointed": ("progress", "new-cases"),
    "cases:case:alarmed": ("progress", "new-cases"),
    "cases:case:succeeded": ("progress", "new-cases"),
    "cases:case:redirected": ("progress", "new-cases"),
    "cases:case:accepted": ("progress",),
    "cases:case:reassigned": ("progress", "new-cases"),
    "cases:case:assessed": ("answers",),
    "cases:case:answered": ("answers",),
    "cases:case:withdrawn": ("answers",),
    "cases:case:reopened": ("answers", "new-cases"),
    "cases:crime:recorded": ("answers",),
    "cases:case:updated": ("progress",),
    "cases:question:asked": ("questions",),
    "cases:question:withdrawn": ("questions",),
    "cases:question:answered": ("replies",),
    "cases:question:lapsed": ("questions", "replies"),
    "cases:duty:breached": ("overdue",),
    "cases:link:made": ("progress",),
    "cases:clock:breached": ("overdue", "due", "silence"),
    "cases:clock:escalated": ("overdue", "due", "silence"),
    "cases:holding:expiring": ("logs", "evidence"),
    "cases:seal:broken": ("sealed", "seals"),
    "sharing:source:told": ("opened",),  # told by `sharing.opening`, which knows whose it was
    "sharing:reader:late": ("readers",),  # told by `sharing.watching`, which knows whose machine it is
}

# Told to people by mail, and to no machine: what is sealed is a few people's.
OF_PEOPLE = frozenset({"cases:seal:broken"})

# Recorded, and no news to anybody by mail: pages and timelines show them.
QUIET = frozenset(
    {
        "cases:report:linked",
        "cases:report:detached",
        "cases:case:absorbed",
        "cases:case:imported",
        "cases:case:gathered",
        "cases:case:parted",
        "cases:case:restored",
        "cases:case:merged",
        "cases:case:undone",
        "cases:suggestion:decided",
        "cases:weights:set",
        "cases:weights:undone",
        "cases:case:sealed",  # those whom it names, and whoever sealed it, are told by `access.alerts`
        "cases:case:unsealed",
        "cases:link:used",
        "cases:link:withdrawn",
        "cases:room:closed",
        "cases:room:extended",
        "cases:room:looked",
        "cases:room:opened",
        "cases:answer:rated",
        "cases:report:aware",
        "cases:duty:met",
        "cases:duty:expired",
        "intake:report:received",
        "intake:report:updated",
        "sharing:reader:back",
        "sharing:reader:forgotten",
    }
)
