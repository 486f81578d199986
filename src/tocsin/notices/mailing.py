"""Sending: one mail for each person and period, never twice, tried again where nobody took it.

A mail is claimed in one transaction with the news that it takes along, marked as being handed over before
the server hears of it, and as sent after. A crash before the handing over repeats nothing; one during it
leaves the mail in doubt: SMTP has no way to ask, so it is not sent again, and the next mail says so.
"""

import datetime as dt
import logging
import smtplib
from collections import defaultdict
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import get_connection

from tocsin.access.models import Person
from tocsin.journal.acts import act
from tocsin.kernel.ids import new_id
from tocsin.kernel.time import now
from tocsin.notices.letters import compose
from tocsin.notices.models import Address, Item, Mail

log = logging.getLogger("tocsin.notices")

PEOPLE_AT_ONCE = 100
LOST_AFTER = dt.timedelta(minutes=10)  # a handing over takes seconds
FIRST_RETRY = dt.timedelta(minutes=1)
GIVES_UP_AFTER = dt.timedelta(days=3)
PERMANENT = 500


def is_on() -> bool:
    """Has the exchange a mail server?"""
    return bool(settings.MAIL_IS_ON)


def send_due(at: dt.datetime | None = None) -> int:
    """Claim and send all that is due; gives how many mails were handed over. The worker runs it."""
    if not is_on():
        return 0
    at = at or now()
    settle(at)
    while claim(at):
        pass
    return sum(hand_over(mail, at) for mail in waiting(at))


def settle(at: dt.datetime) -> int:
    """Mails whose handing over was never heard of again are in doubt; gives how many."""
    lost = Mail.objects.filter(state=Mail.State.SENDING, next_at__lt=at - LOST_AFTER)
    with act():
        return lost.update(state=Mail.State.DOUBT, ended_at=at, error="a crash came between")


def claim(at: dt.datetime) -> int:
    """Make one mail for each person to whom something is due, of all that is; gives how many."""
    with act():
        found = Item.objects.select_for_update().filter(mail__isnull=True, due_at__lte=at)
        people = list(found.order_by("due_at").values_list("person_id", flat=True)[: 10 * PEOPLE_AT_ONCE])
        chosen = list(dict.fromkeys(people))[:PEOPLE_AT_ONCE]
        by_person: dict[int, list[Item]] = defaultdict(list)
        for item in found.filter(person__in=chosen).order_by("entry_seq"):
            by_person[item.person_id].append(item)
        for person, items in by_person.items():
            mail = Mail.objects.create(
                person_id=person, message_id=f"<{new_id('mail')}@{settings.ORIGIN}>", made_at=at, next_at=at
            )
            Item.objects.filter(pk__in=[item.pk for item in items]).update(mail=mail)
        return len(by_person)


def waiting(at: dt.datetime) -> Sequence[Mail]:
    """Mails that are to be handed over now."""
    due = Mail.objects.filter(state=Mail.State.CLAIMED, next_at__lte=at).select_related("person")
    return list(due.order_by("next_at")[: 10 * PEOPLE_AT_ONCE])


def hand_over(mail: Mail, at: dt.datetime) -> bool:
    """Give one mail to the server. True where it took it."""
    items = list(Item.objects.filter(mail=mail))
    if not items or not mail.person.is_active:
        end(mail, Mail.State.FAILED, "nothing to tell any more", at)
        return False
    doubtful = Mail.objects.filter(person=mail.person, state=Mail.State.DOUBT, made_at__lt=mail.made_at)
    in_doubt = doubtful.filter(ended_at__gt=mail.made_at - GIVES_UP_AFTER).count()
    message = compose(mail.person, items, mail.message_id, at, in_doubt)
    server = get_connection()
    try:
        server.open()
    except (OSError, smtplib.SMTPException) as error:
        put_off(mail, f"no mail server: {error}", at)
        return False
    with act():
        taken = Mail.objects.filter(pk=mail.pk, state=Mail.State.CLAIMED)
        if not taken.update(state=Mail.State.SENDING, next_at=at, attempts=mail.attempts + 1):
            return False  # another worker has it
    try:
        server.send_messages([message])
    except smtplib.SMTPRecipientsRefused as error:
        code, reason = next(iter(error.recipients.values()))
        refused(mail, code, reason.decode("utf-8", "replace"), at)
    except smtplib.SMTPResponseException as error:
        put_off(mail, f"{error.smtp_code}", at)
    except (OSError, smtplib.SMTPException) as error:
        end(mail, Mail.State.DOUBT, type(error).__name__, at)
    else:
        end(mail, Mail.State.SENT, "", at)
        return True
    finally:
        server.close()
    return False


def refused(mail: Mail, code: int, reason: str, at: dt.datetime) -> None:
    """The server refused the recipient: for good, and the address is dead, or for now."""
    if code < PERMANENT:
        put_off(mail, f"{code} {reason}", at)
        return
    end(mail, Mail.State.FAILED, f"{code} {reason}", at)
    bury(mail.person, f"{code} {reason}", at)


def put_off(mail: Mail, error: str, at: dt.datetime) -> None:
    """Try again later, each time twice as late, for three days."""
    if at - mail.made_at > GIVES_UP_AFTER:
        end(mail, Mail.State.FAILED, error, at)
        return
    later = at + FIRST_RETRY * 2 ** min(mail.attempts, 8)
    with act():
        Mail.objects.filter(pk=mail.pk).update(
            state=Mail.State.CLAIMED, next_at=later, attempts=mail.attempts + 1, error=error[:200]
        )
    log.warning("mail %s was put off until %s", mail.message_id, later.isoformat(timespec="seconds"))


def end(mail: Mail, state: Mail.State, error: str, at: dt.datetime) -> None:
    """The mail is over, one way or the other."""
    with act():
        Mail.objects.filter(pk=mail.pk).update(state=state, ended_at=at, error=error[:200])


def bury(person: Person, reason: str, at: dt.datetime) -> None:
    """The address takes no mail: noted, shown to its owner and the coordinator, and written to no more."""
    with act():
        Address.objects.update_or_create(person=person, defaults={"dead_at": at, "dead_reason": reason[:200]})
        Item.objects.filter(person=person, mail__isnull=True).delete()
    log.warning("an address takes no mail any more: person_%s", person.pk)
