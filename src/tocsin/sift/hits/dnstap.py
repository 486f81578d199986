"""Blocks in dnstap: what a resolver's own messages tell of the answers that a policy gave.

A message counts where its `policy` field says that a policy stopped somebody, or an extended error (RFC 8914)
that the answer was blocked. Most resolvers write neither: then an answer to a client counts that the resolver
gave out of data of its own, if the name is listed for certain.
"""

import socket
from collections import Counter
from collections.abc import Callable
from functools import lru_cache

import polars as pl

from tocsin.sift.hits.names import Listed
from tocsin.sift.hits.rows import SCHEMA
from tocsin.sift.hits.sql import HOUR
from tocsin.sift.lines import IMPOSSIBLE_TIME
from tocsin.sift.regions import Digest
from tocsin.sift.sources import Stream, Unreadable
from tocsin.sift.stamps import EARLIEST, not_after
from tocsin.sift.values import Balance, Region
from tocsin.wire import dnstap
from tocsin.wire.framestream import START, Frame, Frames

CUT_SHORT = "a frame that is cut short"
NO_TIME = "a message without a time"
ANOTHER = "frames of another content than dnstap"
GROWING = 300  # seconds since a file was written to, for which the rest of its last frame may yet come
MOST_HELD = 200_000  # different sums until they are handed over
_CHUNK = 1 << 20


class Tap:
    """Counts the blocks in one stream of frames; each data frame is one of the balance's lines.

    `known` bytes at its beginning were counted before. While it is growing its last frame may not be whole.
    """

    def __init__(
        self,
        balance: Balance,
        reject: Callable[[int, str, bytes], None],
        listed: Listed,
        known: int = 0,
        *,
        is_growing: bool = False,
    ) -> None:
        self._balance, self._reject, self._listed = balance, reject, listed
        self._known, self._is_growing = known, is_growing
        self._sums: Counter[tuple[str, int, str | None]] = Counter()
        self._not_after = not_after()
        self._value_of = lru_cache(maxsize=100_000)(lambda wire: listed.named(dnstap.name_of(wire)))
        self.elsewhere = self._number = 0

    def read(self, stream: Stream, hold: Callable[[pl.DataFrame], None]) -> Region:
        """Read it to its end; gives the stretch of whole frames that it is.

        Raises Unreadable where its frames hold something else.
        """
        frames, digest, rest, broken = Frames(), Digest(), b"", None
        while broken is None and (data := stream.read(_CHUNK)):
            before = frames.taken
            found, broken = frames.feed(data)
            rest += data
            taken = frames.taken - before
            digest.update(rest[:taken])
            rest = rest[taken:]
            for frame in found:
                self._take(frame)
            if len(self._sums) >= MOST_HELD:
                hold(self._frame())
        if broken or (frames.is_cut_short and not self._is_growing):
            self._reject(self._number + 1, str(broken or CUT_SHORT), b"")
        hold(self._frame())
        return digest.region()

    def _take(self, frame: Frame) -> None:
        if frame.control:
            if frame.control == START and frame.contents and frame.contents[0] != dnstap.CONTENT:
                raise Unreadable(ANOTHER)
            return
        self._number += 1
        if frame.end <= self._known:
            self._balance.duplicate += 1
            return
        try:
            message = dnstap.read(frame.data)
            value = self._blocked(message) if message else None
        except dnstap.BrokenTap as why:
            self._reject(self._number, str(why), b"")  # it names a client, and stays where it is
            return
        if message is None or value is None:
            self._balance.noise += 1
        elif not message.at:
            self._reject(self._number, NO_TIME, b"")
        elif not EARLIEST.timestamp() <= message.at <= self._not_after:
            self._reject(self._number, IMPOSSIBLE_TIME, b"")
        else:
            self._sums[value, message.at // HOUR * HOUR, _address(message.client)] += 1
            self._balance.observed += 1

    def _blocked(self, message: dnstap.Message) -> str | None:
        """The listed value for which a client was refused; None where none was, or for nothing of ours."""
        policy = message.policy
        if policy and policy.action:
            is_told = message.kind == dnstap.CLIENT_RESPONSE or (
                message.kind == dnstap.CLIENT_QUERY and policy.action == dnstap.DROP
            )
            if not is_told or policy.action not in dnstap.STOPPED:
                return None
            name = dnstap.name_of(dnstap.question(message.dns))
            found = (
                self._listed.name_of(name, policy.rule)
                if policy.rule
                else self._listed.named(name, is_told=True)
            )
            self.elsewhere += found is None
            return found
        if message.kind != dnstap.CLIENT_RESPONSE:
            return None
        wire = dnstap.question(message.dns)
        if (value := self._value_of(wire)) and dnstap.is_own_answer(message.dns):
            return value
        if (value or not self._listed.is_known) and dnstap.is_said_to_be_blocked(message.dns):
            return value or dnstap.name_of(wire)
        return None

    def _frame(self) -> pl.DataFrame:
        """What was counted, and begin anew."""
        rows = [(*key, hits) for key, hits in self._sums.items()]
        self._sums.clear()
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@lru_cache(maxsize=100_000)
def _address(client: bytes) -> str | None:
    """A client's address as text; None where none is told."""
    if len(client) not in (4, 16):
        return None
    return socket.inet_ntop(socket.AF_INET if len(client) == 4 else socket.AF_INET6, client)
