"""Reading notices."""

from tocsin.access.policy import Actor, require
from tocsin.cases.views import NoticeView
from tocsin.notices.models import Notice

SHOWN = 50


def for_member(actor: Actor, limit: int = SHOWN) -> list[NoticeView]:
    """What the actor's members were told, newest first. Raises NotSignedIn, NotAllowed."""
    require(actor, "report.list")
    found = Notice.objects.filter(member__in=actor.members).select_related("report").order_by("-at", "-pk")
    return [
        NoticeView(notice.pk, notice.report.report_id, notice.at, notice.words, notice.seen_at is None)
        for notice in found.only("at", "words", "seen_at", "report__report_id")[:limit]
    ]


def count_new(actor: Actor) -> int:
    """How many of them nobody has seen."""
    require(actor, "report.list")
    return Notice.objects.filter(member__in=actor.members, seen_at__isnull=True).count()
