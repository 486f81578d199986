"""A door for mails (LMTP, RFC 2033): what a mail server delivers, on disk before it is answered for.

A mail that is taken is a file in the spool's `inbox`, forced to the disk, and then read from there; while it
cannot be kept the mail server is told to try again (4xx) and keeps it. Where an answer was lost and the mail
comes again, it is known by its bytes. A mail of many recipients is one mail.
"""

import re
import socket
import threading
from collections.abc import Iterator
from fnmatch import translate
from pathlib import Path
from time import sleep, time
from typing import BinaryIO

import msgspec

from tocsin.sift.engine import Options
from tocsin.sift.live.inbox import MailInbox
from tocsin.sift.live.refusals import Refusals
from tocsin.sift.live.settings import Lmtp
from tocsin.sift.live.sockets import listening, shut
from tocsin.sift.live.windows import Mails

TIMEOUT = 300.0  # seconds that a mail server may be silent
AGAIN = 1.0  # seconds until a socket that failed is asked again
MOST_SESSIONS = 20
MOST_RECIPIENTS = 100
LONGEST_LINE = 4096  # bytes of a command; of a mail's lines, what is read at once
_PATH = re.compile(r'(?:FROM|TO): ?<((?:"(?:\\.|[^"\\])*"|[^<>"])*)>((?: [^ ]+)*)', re.IGNORECASE)
_PARAMETER = re.compile(r"SIZE=([0-9]{1,20})|BODY=(?:7BIT|8BITMIME)|SMTPUTF8", re.IGNORECASE)


class LmtpSource:
    """What one door takes: a source of `Watch`."""

    lost = 0

    def __init__(self, told: Lmtp, options: Options, folder: Path, limit: int, place: bytes | None) -> None:
        self.name = lmtp_name(told)
        self.options = options
        self._trouble = ""
        self._read = msgspec.msgpack.decode(place, type=int) if place else 0
        self.inbox = MailInbox(folder, limit, self._read)
        self.settled()  # a kill may have come between the two
        self.door = Door(told, self.inbox)
        self.door.start()

    @property
    def fault(self) -> str:
        """Why no mail is taken, nothing where it is."""
        return self._trouble or self.door.fault

    @property
    def refused(self) -> Refusals:
        """What was refused or put off, by reason."""
        return self.door.refused

    def read(self, budget: int) -> Mails | None:
        """The next mails."""
        mails, size = [], 0
        self._trouble = ""
        for number, path in self.inbox.mails(after=self._read):
            try:
                mail = path.read_bytes()
            except OSError as error:
                self._trouble = f"{path}: {(error.strerror or 'cannot be read').lower()}"
                break
            mails.append((number, mail))
            self._read, size = number, size + len(mail)
            if size >= budget:
                break
        if not mails:
            return None
        content = b"".join(mail for _, mail in mails)
        return Mails(path=self.name, content=content, changed=time(), mails=tuple(mails))

    def place(self) -> bytes | None:
        """The number of the last mail that was given."""
        return msgspec.msgpack.encode(self._read) if self._read else None

    def settled(self) -> None:
        """Remove the mails that were read."""
        self.inbox.remove(self._read)

    def backlog(self) -> int:
        """Bytes taken and not read."""
        return self.inbox.size(after=self._read)

    def is_behind(self) -> bool:
        """What was taken is given when it is asked for."""
        return False

    def is_gone(self) -> bool:
        """It stays."""
        return False

    def close(self) -> None:
        """Take no more."""
        self.door.stop()


class Door(threading.Thread):
    """Listens, and serves each mail server in a thread of its own, so that a slow one holds up no other."""

    def __init__(self, told: Lmtp, inbox: MailInbox) -> None:
        super().__init__(daemon=True, name=lmtp_name(told))
        self.inbox, self.largest = inbox, told.largest_mb << 20
        self._recipients = [re.compile(translate(pattern.casefold())) for pattern in told.recipients]
        self._listening = listening(told.listen)
        self.address = self._listening.getsockname()
        self._sessions: set[socket.socket] = set()
        self._is_stopping = False
        self.refused = Refusals()
        self.fault = ""

    def takes(self, recipient: str) -> bool:
        """Whether mails to that address are taken."""
        return any(pattern.match(recipient.casefold()) for pattern in self._recipients)

    def run(self) -> None:
        """Let mail servers in until asked to stop."""
        while not self._is_stopping:
            try:
                connection, _ = self._listening.accept()
            except OSError as error:
                if self._is_stopping:
                    return
                self.fault = f"nobody is let in: {(error.strerror or str(error)).lower()}"
                sleep(AGAIN)
                continue
            connection.settimeout(TIMEOUT)
            if len(self._sessions) >= MOST_SESSIONS:
                self.refused.add(f"{MOST_SESSIONS} connections are open")
                with connection:
                    connection.sendall(b"421 4.3.2 too many connections, try again later\r\n")
                continue
            self._sessions.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True, name=self.name).start()

    def stop(self) -> None:
        """Take no more: a mail server in the middle of a mail gets no answer, and delivers again."""
        self._is_stopping = True
        for sock in (self._listening, *tuple(self._sessions)):
            shut(sock)
        self.join(timeout=5)
        self._listening.close()
        if isinstance(self.address, str):
            Path(self.address).unlink(missing_ok=True)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as stream:
                Session(self, connection, stream).run()
        except OSError:  # it went away, or is silent: what it did not hear of it tries again
            pass
        finally:
            self._sessions.discard(connection)


class Session:
    """What one mail server says and hears."""

    def __init__(self, door: Door, connection: socket.socket, stream: BinaryIO) -> None:
        self._door, self._connection, self._stream = door, connection, stream
        self._is_greeted = self._has_sender = self._is_over = False
        self._recipients = 0

    def run(self) -> None:
        """Answer until it says good-bye. Raises OSError where it goes away."""
        self._say("220 tocsin LMTP")
        verbs = {
            "LHLO": self._greet, "MAIL": self._mail, "RCPT": self._recipient, "DATA": self._data,
            "RSET": self._reset, "NOOP": self._nothing, "VRFY": self._verify, "QUIT": self._quit,
        }  # fmt: skip
        while not self._is_over and (line := self._stream.readline(LONGEST_LINE)):
            if not line.endswith(b"\n"):
                self._skip_line()
                self._say("500 5.5.2 a line that is too long")
                continue
            try:
                verb, _, rest = line.decode().rstrip("\r\n").partition(" ")
            except UnicodeDecodeError:
                self._say("500 5.5.2 neither ASCII nor UTF-8")
                continue
            act = verbs.get(verb.upper())
            if act is None:
                self._say("500 5.5.1 not a command of LMTP")
            elif act in (self._mail, self._recipient, self._data) and not self._is_greeted:
                self._say("503 5.5.1 LHLO first")
            else:
                act(rest.strip())

    def _greet(self, _: str) -> None:
        self._forget()
        self._is_greeted = True
        offers = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", f"SIZE {self._door.largest}")
        self._say("\r\n".join([*(f"250-{offer}" for offer in ("tocsin", *offers[:-1])), f"250 {offers[-1]}"]))

    def _mail(self, rest: str) -> None:
        found = _PATH.fullmatch(rest)
        if self._has_sender:
            self._say("503 5.5.1 one mail after the other")
        elif not found or rest[:5].upper() != "FROM:":
            self._say("501 5.5.4 MAIL FROM:<address>")
        else:
            told = [_PARAMETER.fullmatch(parameter) for parameter in found[2].split()]
            size = max([int(one[1]) for one in told if one and one[1]], default=0)
            if not all(told):
                self._say("555 5.5.4 a parameter that is not known")
            elif size > self._door.largest:
                self._refuse("552 5.3.4 the mail is too large")
            elif self._door.inbox.is_full():
                self._refuse("452 4.3.1 the inbox is full, try again later")
            else:
                self._has_sender = True
                self._say("250 2.1.0 go on")

    def _recipient(self, rest: str) -> None:
        found = _PATH.fullmatch(rest)
        if not self._has_sender:
            self._say("503 5.5.1 MAIL first")
        elif not found or rest[:3].upper() != "TO:" or found[2]:
            self._say("501 5.5.4 RCPT TO:<address>")
        elif self._recipients >= MOST_RECIPIENTS:
            self._refuse("452 4.5.3 too many recipients")
        elif not self._door.takes(found[1]):
            self._refuse("550 5.1.1 no such recipient here")
        else:
            self._recipients += 1
            self._say("250 2.1.5 go on")

    def _data(self, _: str) -> None:
        if not self._recipients:
            self._say("503 5.5.1 no recipient")
            return
        self._say("354 the mail, then a line with a dot")
        answer, count = self._take(), self._recipients
        self._forget()
        if not answer.startswith("250"):
            self._door.refused.add(answer[10:])
        self._say("\r\n".join([answer] * count))

    def _take(self) -> str:
        """Keep the mail that comes now; gives what each recipient is answered. Raises OSError at its end."""
        part: BinaryIO | None = None
        answer = ""
        try:
            part = self._door.inbox.begin()
        except OSError as error:
            answer = self._not_kept(error)
        try:
            size = 0
            for piece in self._pieces():
                size += len(piece)
                if not answer and size > self._door.largest:
                    answer = "552 5.3.4 the mail is too large"
                if part and not answer:
                    try:
                        part.write(piece)
                    except OSError as error:
                        answer = self._not_kept(error)
            if part and not answer:
                try:
                    self._door.inbox.keep(part)
                except OSError as error:
                    answer = self._not_kept(error)
                else:
                    part, self._door.fault = None, ""
        finally:
            if part:
                self._door.inbox.discard(part)
        return answer or "250 2.0.0 kept"

    def _pieces(self) -> Iterator[bytes]:
        """The mail, without its dots (RFC 5321 section 4.5.2). Raises ConnectionError where it breaks off.

        Only CRLF ends a line here: a mail cannot end itself by a dot between two other line ends.
        """
        is_line_start = True
        while piece := self._stream.readline(LONGEST_LINE):
            if is_line_start and piece == b".\r\n":
                return
            while piece.endswith(b"\r") and (more := self._stream.read(1)):  # cut within the line's end
                piece += more
            dots, is_line_start = is_line_start and piece.startswith(b"."), piece.endswith(b"\r\n")
            yield piece[dots:]
        raise ConnectionError

    def _not_kept(self, error: OSError) -> str:
        self._door.fault = f"a mail cannot be kept: {(error.strerror or str(error)).lower()}"
        return "451 4.3.0 it cannot be kept, try again later"

    def _reset(self, _: str) -> None:
        self._forget()
        self._say("250 2.0.0 forgotten")

    def _nothing(self, _: str) -> None:
        self._say("250 2.0.0 done")

    def _verify(self, _: str) -> None:
        self._say("252 2.5.2 send it, and see")

    def _quit(self, _: str) -> None:
        self._is_over = True
        self._say("221 2.0.0 good-bye")

    def _forget(self) -> None:
        self._has_sender, self._recipients = False, 0

    def _skip_line(self) -> None:
        while (rest := self._stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
            pass

    def _refuse(self, answer: str) -> None:
        self._door.refused.add(answer[10:])
        self._say(answer)

    def _say(self, answer: str) -> None:
        self._connection.sendall(answer.encode() + b"\r\n")


def lmtp_name(told: Lmtp) -> str:
    """How the door is called among the sources."""
    return f"lmtp {told.listen}"
