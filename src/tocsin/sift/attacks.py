"""The attacks of a run, in order: packed, and on disk when there are many."""

from collections.abc import Iterator, Sequence
from typing import overload

import msgspec

from tocsin.sift.scratch import Scratch
from tocsin.sift.values import Attack
from tocsin.wire.report import SEVERITIES

_PLACE = 8


class Attacks(Sequence[Attack]):
    """Attacks, worst first, then the most often seen, by time and id; each is unpacked when asked for."""

    def __init__(self) -> None:
        self._packed = Scratch()
        self._order: list[bytes] = []
        self._is_sorted = True
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Attack)

    def add(self, attack: Attack) -> None:
        """One more, anywhere."""
        place = self._packed.add(self._encoder.encode(attack))
        worst = len(SEVERITIES) - SEVERITIES.index(attack.severity)
        rare = (1 << 63) - attack.count
        key = f"{attack.first_seen_at} {attack.attack_id}".encode()
        self._order.append(bytes([worst]) + rare.to_bytes(8, "big") + key + place.to_bytes(_PLACE, "big"))
        self._is_sorted = False

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, number: int) -> Attack: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Attack]: ...
    def __getitem__(self, number: int | slice) -> Attack | Sequence[Attack]:
        self._sort()
        if isinstance(number, slice):
            return [self._read(key) for key in self._order[number]]
        return self._read(self._order[number])

    def __iter__(self) -> Iterator[Attack]:
        self._sort()
        return map(self._read, self._order)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # like a list

    def _sort(self) -> None:
        if not self._is_sorted:
            self._order.sort()
            self._is_sorted = True

    def _read(self, key: bytes) -> Attack:
        return self._decoder.decode(self._packed.get(int.from_bytes(key[-_PLACE:], "big")))
