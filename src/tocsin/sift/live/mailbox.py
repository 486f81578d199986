"""An IMAP folder of complaints as a source: mails that were not fetched yet, and nothing there is changed.

The folder is only examined (RFC 9051 section 6.3.3), mails are fetched with BODY.PEEK. UIDVALIDITY and the
last UID are the place (section 2.3.1.1), kept with what was found; where a server counts anew everything is
fetched again, and what was read before is known by its bytes. A thread fetches, so that a slow server holds
up nothing else, and waits when enough mails wait to be read.
"""

import contextlib
import re
import ssl
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.sift.engine import LARGEST_DOCUMENT, Options
from tocsin.sift.live.settings import Mailbox
from tocsin.sift.live.windows import Mails

if TYPE_CHECKING:
    from imap_tools.mailbox import BaseMailBox

MOST_WAITING = 16 << 20  # bytes of mails that wait to be read before more are fetched
TIMEOUT = 30.0
PATIENCE = (5.0, 15.0, 60.0, 300.0)  # seconds until a server that failed is asked again
STRETCH = 5_000  # numbers asked about at once
GROUP, GROUP_BYTES = 50, 4 << 20  # mails fetched at once
MOST_TRIES = 5  # of a mail that the server does not give
_UID = re.compile(rb"\bUID ([0-9]+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE ([0-9]+)")


class Seen(msgspec.Struct, frozen=True):
    """The last mail that was taken from a folder."""

    validity: int = 0
    uid: int = 0


class MailSource:
    """One folder: a source of `Watch`. Without `follow`, what is there and no more."""

    lost = 0

    def __init__(
        self, settings: Mailbox, options: Options, place: bytes | None, *, follow: bool = True
    ) -> None:
        self.name = mailbox_name(settings)
        self.options = options
        self._seen = msgspec.msgpack.decode(place, type=Seen) if place else Seen()
        self._follow = follow
        self.fetcher = Fetcher(settings, self._seen, follow=follow)
        self.fetcher.start()

    @property
    def fault(self) -> str:
        """Why nothing can be fetched, nothing where it can."""
        return self.fetcher.fault

    def read(self, budget: int) -> Mails | None:
        """Mails that came since."""
        taken = self.fetcher.take()
        if taken is None:
            return None
        self._seen, mails = taken
        content = b"".join(mail for _, mail in mails)
        return Mails(path=self.name, content=content, changed=time(), mails=tuple(mails))

    def place(self) -> bytes | None:
        """The last mail that was given."""
        return msgspec.msgpack.encode(self._seen) if self._seen.validity else None

    def settled(self) -> None:
        """Nothing to do: the mails are the mailbox's."""

    def backlog(self) -> int:
        """Bytes fetched and not given."""
        return self.fetcher.waiting

    def is_behind(self) -> bool:
        """Whether what was there at the start is still coming."""
        return not self._follow and (self.fetcher.is_alive() or self.fetcher.waiting > 0)

    def is_gone(self) -> bool:
        """It stays."""
        return False

    def close(self) -> None:
        """Fetch no more."""
        self.fetcher.stop()


Batch = tuple[Seen, list[tuple[int, bytes]]]


class Fetcher(threading.Thread):
    """Fetches mails, in order of their numbers; of a mail that is too large, its number alone."""

    def __init__(self, settings: Mailbox, seen: Seen, *, follow: bool) -> None:
        super().__init__(daemon=True, name=mailbox_name(settings))
        self._settings, self._seen, self._follow = settings, seen, follow
        self._stop_asked = threading.Event()
        self._room = threading.Condition()
        self._batches: deque[Batch] = deque()
        self._tries: dict[int, int] = {}
        self.waiting = 0
        self.fault = ""

    def take(self) -> Batch | None:
        """The next mails, and the place behind them."""
        with self._room:
            if not self._batches:
                return None
            batch = self._batches.popleft()
            self.waiting -= _size(batch)
            self._room.notify()
            return batch

    def stop(self) -> None:
        """Fetch no more; gives when the thread has ended, or will not."""
        self._stop_asked.set()
        with self._room:
            self._room.notify()
        self.join(timeout=2)

    def run(self) -> None:
        """Look again and again, until asked to stop; without `follow`, once."""
        failures = 0
        while not self._stop_asked.is_set():
            try:
                with connected(self._settings) as mailbox:
                    while not self._stop_asked.is_set():
                        self._look(mailbox)
                        failures, self.fault = 0, ""
                        if not self._follow:
                            return
                        self._stop_asked.wait(self._settings.every)
            except Exception as error:  # whatever a server says: it is asked again, and the fault is shown
                if self._stop_asked.is_set():
                    return
                self.fault = _reason(error)
            if not self._follow:
                return
            self._stop_asked.wait(PATIENCE[min(failures, len(PATIENCE) - 1)])
            failures += 1

    def _look(self, mailbox: "BaseMailBox") -> None:
        """Fetch everything that is new."""
        mailbox.folder.set(self._settings.folder, readonly=True)
        validity, following = _number(mailbox, "UIDVALIDITY"), _number(mailbox, "UIDNEXT")
        if validity != self._seen.validity:
            self._seen = Seen(validity, 0)
            self._put([])
        while not self._stop_asked.is_set() and (not following or self._seen.uid + 1 < following):
            first = self._seen.uid + 1
            last = min(first + STRETCH, following) - 1 if following else "*"
            numbers = sorted(uid for uid in map(int, mailbox.uids(f"UID {first}:{last}")) if uid >= first)
            for start in range(0, len(numbers), GROUP):
                self._fetch(mailbox, numbers[start : start + GROUP])
            if last == "*":
                return
            self._seen = Seen(validity, int(last))

    def _fetch(self, mailbox: "BaseMailBox", numbers: Sequence[int]) -> None:
        sizes = {
            uid: int(found[1])
            for head, _ in _answers(mailbox, numbers, "(RFC822.SIZE)")
            if (uid := _uid(head)) and (found := _SIZE.search(head))
        }
        group: list[int] = []
        for uid in numbers:
            if group and sum(sizes.get(one, 0) for one in group) + sizes.get(uid, 0) > GROUP_BYTES:
                self._fetch_group(mailbox, group, sizes)
                group = []
            group.append(uid)
        self._fetch_group(mailbox, group, sizes)

    def _fetch_group(self, mailbox: "BaseMailBox", group: Sequence[int], sizes: dict[int, int]) -> None:
        if self._stop_asked.is_set():
            return
        small = [uid for uid in group if sizes.get(uid, 0) <= LARGEST_DOCUMENT]
        mails = {uid: b"" for uid in group if uid not in small}
        try:
            mails |= _mails(mailbox, small)
        except Refused:
            if len(group) > 1:
                for uid in group:
                    self._fetch_group(mailbox, [uid], sizes)
                return
            (uid,) = group
            self._tries[uid] = self._tries.get(uid, 0) + 1
            if self._tries[uid] < MOST_TRIES:
                raise
            del self._tries[uid]
            mails[uid] = b""
        self._seen = Seen(self._seen.validity, group[-1])
        self._put(sorted(mails.items()))

    def _put(self, mails: list[tuple[int, bytes]]) -> None:
        """Let these be taken, once there is room."""
        batch = self._seen, mails
        with self._room:
            self._room.wait_for(lambda: self.waiting < MOST_WAITING or self._stop_asked.is_set())
            if not self._stop_asked.is_set():
                self._batches.append(batch)
                self.waiting += _size(batch)


@contextlib.contextmanager
def connected(told: Mailbox) -> "Iterator[BaseMailBox]":
    """A session on a server. Raises whatever goes wrong on the way."""
    from imap_tools import MailBox, MailBoxUnencrypted

    password = Path(told.password_file).read_text().strip()
    mailbox: BaseMailBox
    if told.tls:
        context = ssl.create_default_context(cafile=told.ca_file or None)
        mailbox = MailBox(told.host, told.port, timeout=TIMEOUT, ssl_context=context)
    else:
        mailbox = MailBoxUnencrypted(told.host, told.port, timeout=TIMEOUT)
    try:
        login = mailbox.login if password.isascii() and told.user.isascii() else mailbox.login_utf8
        login(told.user, password, initial_folder=None)
        yield mailbox
    finally:
        with contextlib.suppress(Exception):  # it is gone already, most often
            mailbox.logout()
        with contextlib.suppress(Exception):
            mailbox.client.shutdown()


def look(told: Mailbox) -> int:
    """How many mails there are in a folder. Raises BadInput that says why that cannot be known."""
    try:
        with connected(told) as mailbox:
            mailbox.folder.set(told.folder, readonly=True)
            return _number(mailbox, "EXISTS")
    except Exception as error:
        raise BadInput(_reason(error)) from error


class Refused(Exception):  # noqa: N818 (a server's answer, no error of ours)
    """The server does not give a mail."""


def mailbox_name(settings: Mailbox) -> str:
    """How the folder is called among the sources."""
    return f"mailbox {settings.user} at {settings.host}:{settings.port}/{settings.folder}"


def _size(batch: Batch) -> int:
    return sum(len(mail) + 1 for _, mail in batch[1])


def _number(mailbox: "BaseMailBox", name: str) -> int:
    """A number that the server told when the folder was examined; 0 where it told none."""
    _, values = mailbox.client.response(name)
    return int(values[-1]) if values and values[-1] else 0


def _answers(mailbox: "BaseMailBox", numbers: Sequence[int], what: str) -> Iterator[tuple[bytes, bytes]]:
    """What a FETCH gives: for each mail what is said of it, and its bytes where they were asked for."""
    kind, answers = mailbox.client.uid("FETCH", ",".join(map(str, numbers)), what)
    if kind != "OK":
        raise Refused(f"the server does not give mail {numbers[0]}: {answers[-1]!r}")
    for place, answer in enumerate(answers):
        if isinstance(answer, tuple):
            after: Any = answers[place + 1] if place + 1 < len(answers) else b""
            yield answer[0] + (after if isinstance(after, bytes) else b""), answer[1]
        elif answer:
            yield answer, b""


def _mails(mailbox: "BaseMailBox", numbers: Sequence[int]) -> dict[int, bytes]:
    """The mails of these numbers that are still there."""
    if not numbers:
        return {}
    found = _answers(mailbox, numbers, "(BODY.PEEK[])")
    return {uid: mail for head, mail in found if mail and (uid := _uid(head))}


def _uid(head: bytes) -> int:
    found = _UID.search(head)
    return int(found[1]) if found else 0


def _reason(error: Exception) -> str:
    if type(error).__name__ == "MailboxLoginError":
        return "the server refuses the user or the password"
    said = " ".join(str(error).split())[:200]
    if type(error).__name__ == "MailboxFolderSelectError":
        return "the server has no such folder, or does not open it"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return where + (error.strerror or str(error) or type(error).__name__).lower()
    return said or type(error).__name__
