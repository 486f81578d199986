"""What `watch` follows, and a window: what a source had to say since it was last asked, in whole lines."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from tocsin.kernel.problems import Problem
from tocsin.sift.sources import Source, Stream

if TYPE_CHECKING:
    from tocsin.sift.engine import Options, Run


@dataclass(frozen=True)
class Window(Source):
    """Whole lines of a source. `head` is the source's own beginning, by which its format is known.

    `is_lines` says that its lines have nothing to do with one another: whatever they look like, together
    they are no mail.
    """

    content: bytes = b""
    changed: float = 0.0
    is_lines: bool = False

    @property
    def is_file(self) -> bool:
        """It cannot be read twice."""
        return False

    @property
    def is_whole(self) -> bool:
        """It is a part of a source that goes on."""
        return False

    @property
    def only_copy(self) -> bytes:
        """All of it: its source goes on."""
        return self.content

    def open(self) -> Stream:
        """Its lines."""
        return Stream(cast(BinaryIO, io.BytesIO(self.content)))

    def changed_at(self) -> float | None:
        """When its source was last changed."""
        return self.changed

    def read_into(self, run: "Run") -> None:
        """Sift it."""
        run.read(self)


@dataclass(frozen=True)
class Mails(Window):
    """Mails of a mailbox, each with its number there."""

    mails: tuple[tuple[int, bytes], ...] = ()

    def read_into(self, run: "Run") -> None:
        """Sift each of them."""
        from tocsin.sift import documents, engine

        run.tally.begin_source()
        for number, mail in self.mails:
            if not mail:
                run.rejects.add(self.path, number, TOO_LARGE)
                continue
            try:
                documents.read_mail(run, self.path, number, mail)
            except Problem as problem:
                run.rejects.add(self.path, number, problem.detail, mail)
            except BaseException as fault:
                run.rejects.add(self.path, number, engine.fault_of(fault), mail)


TOO_LARGE = "a mail of more than 64 MB, or one that the server does not give"


class Followable(Protocol):
    """A source that goes on: it gives windows, and says where it stands.

    `fault` says why it gives nothing, and is empty while it does; `lost` counts the gaps in what it gave.
    """

    name: str
    options: "Options"

    @property
    def fault(self) -> str:
        """Why it cannot be read."""

    @property
    def lost(self) -> int:
        """How often something was gone before it was read."""

    def read(self, budget: int) -> Window | None:
        """The next whole lines, or None when there is nothing new."""

    def place(self) -> bytes | None:
        """Where it stands after the last window, to be kept."""

    def settled(self) -> None:
        """All that was given is kept: what only served to be read again may go."""

    def backlog(self) -> int:
        """How many bytes wait."""

    def is_behind(self) -> bool:
        """Whether it is still fetching what was there at the start."""

    def is_gone(self) -> bool:
        """Whether it will never give anything again."""

    def close(self) -> None:
        """Stop."""
