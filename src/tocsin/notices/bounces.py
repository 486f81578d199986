"""Mail that came back: delivery status notifications (RFC 3464) name the mail, and so the dead address."""

import email
import email.policy
import mailbox
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from email.message import Message
from pathlib import Path

from tocsin.kernel.time import now
from tocsin.notices.mailing import bury
from tocsin.notices.models import Mail

_message_id = re.compile(r"<mail_[0-9A-Z]+@[^<>\s]+>")
PERMANENT = "5."


def read_bounces(path: Path) -> tuple[int, int]:
    """Read a mail, an mbox or a Maildir; gives how many mails there were, and how many addresses were dead.

    A mail that is no notice, or is about a mail that this exchange never sent, changes nothing.
    """
    read = dead = 0
    for message in messages(path):
        read += 1
        dead += note(message)
    return read, dead


def messages(path: Path) -> Iterator[Message]:
    """The mails in a file or folder."""
    if not path.is_dir() and not path.read_bytes().startswith(b"From "):
        yield email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        return
    box = mailbox.Maildir(path, create=False) if path.is_dir() else mailbox.mbox(path, create=False)
    with closing(box):
        yield from box


def note(message: Message) -> bool:
    """Bury the address that a notice says is dead; False where it says nothing of the kind."""
    if not any(_has_failed(part) for part in message.walk()):
        return False
    for message_id in _message_id.findall(message.as_bytes().decode("utf-8", "replace")):
        mail = Mail.objects.select_related("person").filter(message_id=message_id).first()
        if mail is not None:
            bury(mail.person, "the mail came back", now())
            return True
    return False


def _has_failed(part: Message) -> bool:
    """Does a delivery-status part say that a recipient failed for good?"""
    if part.get_content_type() != "message/delivery-status":
        return False
    fields: Iterable[Message] = part.get_payload() if part.is_multipart() else []  # type: ignore[assignment]
    return any(
        str(one.get("Action", "")).strip().lower() == "failed"
        and str(one.get("Status", "")).strip().startswith(PERMANENT)
        for one in fields
    )
