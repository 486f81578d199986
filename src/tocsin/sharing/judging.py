"""Judging indicators by all that is known of them now, and telling the feed what changed."""

import datetime as dt
import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db.models import Max

from tocsin.access.models import Member
from tocsin.journal.acts import Act
from tocsin.kernel.intervals import intervals
from tocsin.sharing import rules
from tocsin.sharing.models import Approval, Assertion, Indicator
from tocsin.sharing.publishing import publish
from tocsin.sharing.warning_lists import warning_lists
from tocsin.store.rows import update_rows

EVENTS = {
    "shared": "sharing:indicator:shared",
    "withdrawn": "sharing:indicator:withdrawn",
    "expired": "sharing:indicator:expired",
}
RENEWED = "sharing:indicator:renewed"
COLUMNS = ("attack_kind", "state", "reason", "changed_at", "valid_until")


class Obstacles:
    """Why an address or a name may never be shared: members' own networks and warning lists, as of now."""

    def __init__(self) -> None:
        listed = Member.objects.order_by("pk").values_list("networks", flat=True)
        texts = [text for networks in listed for text in networks]
        self._own = intervals((text, 0) for text in texts)
        self._pretended = intervals((text, 0) for text in settings.PRETEND_PUBLIC)
        self.fingerprint = (*texts, "/", *settings.PRETEND_PUBLIC, "/", *warning_lists().titles)

    def of(self, kind: str, value: str) -> str:
        """The obstacle in one sentence, or nothing."""
        if kind == "name":
            return _on_list(warning_lists().of_name(value))
        if self._own.find(value) is not None:
            return rules.OWN_WORDS
        if self._pretended.find(value) is not None:
            return ""
        listed = warning_lists().of_address(value)
        if listed is None and not ipaddress.ip_address(value).is_global:
            return rules.NOT_PUBLIC_WORDS
        return _on_list(listed)


def judge_all(recorded: Act, pks: Sequence[int], at: dt.datetime) -> int:
    """Judge these indicators, store what changed and publish what changed outwardly; gives their number."""
    changed, leaving, events = [], [], []
    for indicator, standing in standings(pks):
        verdict = rules.judge(standing, at)
        before = (indicator.state, indicator.reason, indicator.valid_until)
        if before == (verdict.state, verdict.reason, verdict.valid_until):
            continue
        if verdict.state != indicator.state:
            leaving.append(indicator)
            events.append(EVENTS[verdict.state])
        elif verdict.state == "shared" and verdict.valid_until != indicator.valid_until:
            leaving.append(indicator)
            events.append(RENEWED)
        indicator.state, indicator.reason = verdict.state, verdict.reason
        indicator.valid_until, indicator.changed_at = verdict.valid_until, at
        changed.append(indicator)
    update_rows(changed, COLUMNS)
    publish(recorded, leaving, events)
    return len(changed)


def standings(pks: Sequence[int]) -> Iterable[tuple[Indicator, rules.Standing]]:
    """Each indicator with all that is known of it, in four questions whatever their number."""
    obstacles, words, rulings = Obstacles(), words_of(pks), rulings_of(pks)
    for indicator in Indicator.objects.filter(pk__in=pks).order_by("pk"):
        yield (
            indicator,
            rules.Standing(
                kind=indicator.kind,
                state=indicator.state,
                reason=indicator.reason,
                words=tuple(words[indicator.pk]),
                ruling=rulings.get(indicator.pk),
                obstacle=obstacles.of(indicator.kind, indicator.value),
                valid_until=indicator.valid_until,
            ),
        )


def words_of(pks: Sequence[int]) -> dict[int, list[rules.Word]]:
    """The latest word of each member that stands, by indicator. A suspended member's does not."""
    words: dict[int, list[rules.Word]] = defaultdict(list)
    standing = (
        Assertion.objects.filter(indicator__in=pks, withdrawn_at=None, member__suspended_at=None)
        .order_by()
        .values_list("indicator", "member", "unforgeable")
        .annotate(latest=Max("asserted_at"))
    )
    for indicator, member, unforgeable, latest in standing:
        words[indicator].append(rules.Word(member, latest, unforgeable))
    return words


def rulings_of(pks: Sequence[int]) -> dict[int, rules.Ruling]:
    """The latest yes or no of trusted persons, by indicator."""
    rows = Approval.objects.filter(indicator__in=pks).order_by("at", "pk")
    return {row.indicator_id: rules.Ruling(row.is_yes, row.at, row.reason) for row in rows}


def _on_list(title: str | None) -> str:
    return f"It stands on the warning list “{title}”, so it is never shared." if title else ""
