"""Frame Streams: frames in a file or on a connection, as dnstap is carried (farsightsec/fstrm).

A data frame is its length (32 bits, big-endian) and that many bytes. Length 0 announces a control frame: its
own length, its type, and fields of a type, a length and a value. A file is START, data, STOP. On a connection
that goes both ways READY is answered by ACCEPT before START, and STOP by FINISH.
"""

import struct
from typing import NamedTuple

ACCEPT, START, STOP, READY, FINISH = range(1, 6)
CONTENT_TYPE = 1  # the only field that there is
LARGEST_CONTROL = 512
LARGEST_FRAME = 1 << 20  # a dnstap message holds two DNS messages of 64 KiB at most

_HEADER = struct.Struct(">I")
_ANNOUNCED = struct.Struct(">II")


class BrokenStream(ValueError):  # noqa: N818 (it is about what was read)
    """What follows cannot be told apart any more: the reason in words."""


class Frame(NamedTuple):
    """One frame: where it ends in the stream, its bytes; a control frame has a type and contents instead."""

    end: int
    data: bytes
    control: int = 0
    contents: tuple[bytes, ...] = ()


class Frames:
    """Takes a stream apart, however its bytes come; `taken` is how many of them were whole frames."""

    def __init__(self) -> None:
        self._rest = b""
        self.taken = 0
        self._is_started = False

    @property
    def is_cut_short(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._rest)

    def feed(self, data: bytes) -> tuple[list[Frame], BrokenStream | None]:
        """The frames that are whole now, and why there can be no more of them, where that is so."""
        data = self._rest + data
        frames: list[Frame] = []
        place, size = 0, len(data)
        try:
            while size - place >= 4:
                (length,) = _HEADER.unpack_from(data, place)
                if length == 0:
                    end = self._control_end(data, place)
                    if end is None:
                        break
                    frames.append(self._control(data[place + 8 : end], self.taken + end))
                else:
                    end = place + 4 + length
                    if length > LARGEST_FRAME:
                        raise BrokenStream(f"a frame of more than {LARGEST_FRAME >> 20} MB")
                    if not self._is_started:
                        raise BrokenStream("a frame before the stream has started")
                    if end > size:
                        break
                    frames.append(Frame(self.taken + end, data[place + 4 : end]))
                place = end
        except BrokenStream as why:
            self.taken += place
            self._rest = b""
            return frames, why
        self.taken += place
        self._rest = data[place:]
        return frames, None

    def _control_end(self, data: bytes, place: int) -> int | None:
        """Where the control frame ends that begins there; None where that has not come yet."""
        if len(data) - place < 8:
            return None
        _, length = _ANNOUNCED.unpack_from(data, place)
        if not 4 <= length <= LARGEST_CONTROL:
            raise BrokenStream("a control frame of an impossible length")
        end = place + 8 + int(length)
        return end if end <= len(data) else None

    def _control(self, body: bytes, end: int) -> Frame:
        kind, contents = control(body)
        if kind == START and not self._is_started:
            self._is_started = True
        elif kind == STOP and self._is_started:
            self._is_started = False
        elif kind not in (READY, ACCEPT, FINISH) or self._is_started:
            raise BrokenStream("a control frame that is out of place")
        return Frame(end, b"", kind, contents)


def control(body: bytes) -> tuple[int, tuple[bytes, ...]]:
    """The type of a control frame and its content types. Raises BrokenStream."""
    (kind,) = _HEADER.unpack_from(body)
    contents, place = [], 4
    while place < len(body):
        if len(body) - place < 8:
            raise BrokenStream("a control frame that is broken")
        field, length = _ANNOUNCED.unpack_from(body, place)
        place += 8
        if field != CONTENT_TYPE or length > len(body) - place:
            raise BrokenStream("a control frame that is broken")
        contents.append(body[place : place + length])
        place += length
    return kind, tuple(contents)


def control_frame(kind: int, *contents: bytes) -> bytes:
    """A control frame as it is sent."""
    fields = b"".join(_ANNOUNCED.pack(CONTENT_TYPE, len(one)) + one for one in contents)
    return _HEADER.pack(0) + _HEADER.pack(4 + len(fields)) + _HEADER.pack(kind) + fields


def data_frame(data: bytes) -> bytes:
    """A data frame as it is sent."""
    return _HEADER.pack(len(data)) + data


def looks_like(start: bytes) -> bool:
    """Whether something that begins so is a stream of frames."""
    if len(start) < 12:
        return False
    zero, length, kind = struct.unpack_from(">III", start)
    return zero == 0 and 4 <= length <= LARGEST_CONTROL and kind in (START, READY)
