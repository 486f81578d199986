"""A mail in words: what is new, most urgent kind first, where to act, and how to stop it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from email.utils import format_datetime
from html import escape

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives

from tocsin.access.models import Person
from tocsin.cases.words import many
from tocsin.notices.kinds import KINDS
from tocsin.notices.models import Item

SALT = "tocsin.notices.stop"
SHOWN = 30  # pieces of news of one kind that are spelled out


def compose(
    person: Person, items: Sequence[Item], message_id: str, at: dt.datetime, in_doubt: int = 0
) -> EmailMultiAlternatives:
    """The mail that tells these items. `in_doubt` says how many earlier mails may not have arrived."""
    token = signing.dumps({"person": person.pk, "kinds": sorted({item.kind for item in items})}, salt=SALT)
    stop = f"{settings.PUBLIC_URL}/notices/stop/{token}"
    mail = EmailMultiAlternatives(
        subject=subject(items),
        body=text(items, stop, in_doubt),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[person.email],
        headers={
            "Message-ID": message_id,
            "Date": format_datetime(at),
            "Auto-Submitted": "auto-generated",  # RFC 3834: nobody's holiday notice should answer
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        },
    )
    mail.attach_alternative(html(items, stop, in_doubt), "text/html")
    return mail


def subject(items: Sequence[Item]) -> str:
    """`Tocsin: an answer is overdue, and 3 more`; never an address or a name."""
    first = KINDS[sorted_by_kind(items)[0].kind]
    words = first.words[:1].lower() + first.words[1:]
    rest = len(items) - 1
    return f"Tocsin: {words}" + (f", and {rest} more" if rest else "")


def sorted_by_kind(items: Sequence[Item]) -> list[Item]:
    """In the order in which the kinds stand in the table, oldest news first."""
    order = {kind: number for number, kind in enumerate(KINDS)}
    return sorted(items, key=lambda item: (order[item.kind], item.entry_seq))


def address_of(item: Item) -> str:
    """Where to read more and act: a case, a report, who said what, or the page that it names."""
    places = {
        "case": f"cases/{item.about}",
        "report": f"reports/{item.about}",
        "opening": "network/source",
    }
    return f"{settings.PUBLIC_URL}/{places.get(item.about.partition('_')[0], item.about)}"


def _parts(items: Sequence[Item]) -> list[tuple[str, list[Item], int]]:
    by_kind: dict[str, list[Item]] = defaultdict(list)
    for item in sorted_by_kind(items):
        by_kind[item.kind].append(item)
    return [(KINDS[kind].words, found[:SHOWN], max(0, len(found) - SHOWN)) for kind, found in by_kind.items()]


def _line(item: Item) -> str:
    more = f" ({many(item.count, 'report')} of yours)" if item.count > 1 else ""
    return f"{item.words}{more}"


def _doubt(in_doubt: int) -> str:
    if not in_doubt:
        return ""
    return (
        f"{many(in_doubt, 'earlier mail')} may not have arrived: the exchange stopped while sending. "
        f"Everything stands at {settings.PUBLIC_URL}/notices."
    )


def text(items: Sequence[Item], stop: str, in_doubt: int = 0) -> str:
    """The plain text."""
    lines = [f"{many(len(items), 'piece')} of news from {settings.PUBLIC_URL}", ""]
    if in_doubt:
        lines += [_doubt(in_doubt), ""]
    for title, found, more in _parts(items):
        lines += [title.upper(), ""]
        for item in found:
            lines += [f"- {_line(item)}", f"  {address_of(item)}", ""]
        if more:
            lines += [f"and {more:,} more, at {settings.PUBLIC_URL}", ""]
    lines += [
        "You have this mail because you chose so, or did not choose otherwise.",
        f"Choose what you are told: {settings.PUBLIC_URL}/notices",
        f"No more mail of these kinds: {stop}",
    ]
    return "\n".join(lines) + "\n"


def html(items: Sequence[Item], stop: str, in_doubt: int = 0) -> str:
    """The same words with links; no picture, no style sheet, nothing from elsewhere."""
    parts = [f"<p>{escape(many(len(items), 'piece'))} of news</p>"]
    if in_doubt:
        parts.append(f"<p>{escape(_doubt(in_doubt))}</p>")
    for title, found, more in _parts(items):
        rows = "".join(
            f'<li>{escape(_line(item))} <a href="{escape(address_of(item))}">Open</a></li>' for item in found
        )
        rows += f"<li>and {more:,} more</li>" if more else ""
        parts.append(f"<h2>{escape(title)}</h2><ul>{rows}</ul>")
    parts.append(
        f'<p><a href="{escape(settings.PUBLIC_URL)}/notices">Choose what you are told</a> · '
        f'<a href="{escape(stop)}">No more mail of these kinds</a></p>'
    )
    return f'<!doctype html><html lang="en"><body>{"".join(parts)}</body></html>'
