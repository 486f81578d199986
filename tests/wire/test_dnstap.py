"""dnstap and Frame Streams: what the protobuf library writes is read as it is; what is broken is refused."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sift.dnstap_samples import DROP, NXDOMAIN, Dnstap, answer, framed, message, record, wire_name

from tocsin.wire import dnstap, framestream
from tocsin.wire.dnstap import BrokenTap, Policy
from tocsin.wire.framestream import START, STOP, Frames, control_frame

SOA = record(wire_name("tocsin.rpz"), 6, wire_name("localhost") * 2 + bytes(20))
NAMES = st.from_regex(r"[a-z0-9-]{1,20}(\.[a-z0-9-]{1,20}){0,4}", fullmatch=True)


@given(
    kind=st.integers(1, 14),
    at=st.integers(1, 2**40),
    client=st.sampled_from([b"", b"\xc0\x00\x02\x01", bytes(16)]),
    name=NAMES,
    action=st.integers(1, 6),
    rule=NAMES,
    extra=st.binary(max_size=40),
)
def test_the_librarys_messages_are_read(
    kind: int, at: int, client: bytes, name: str, action: int, rule: str, extra: bytes
) -> None:
    """Every field that is asked for, whatever else is there."""
    data = message(
        answer(name), kind=kind, at=at, client=client, action=action, rule=wire_name(rule), match=1
    )
    told = Dnstap.FromString(data)
    told.extra = extra
    found = dnstap.read(told.SerializeToString())
    assert found == dnstap.Message(kind, client, at, answer(name), Policy(action, rule))
    assert dnstap.name_of(dnstap.question(found.dns)) == name


def test_fields_that_are_not_known_are_passed_over() -> None:
    """Of every form that there is; what is no message is nothing, and no fault."""
    data = message(answer("bad.top"), at=5)
    unknown = b"\xa0\x06\x96\x01" + b"\xa1\x06" + bytes(8) + b"\xa5\x06" + bytes(4) + b"\xa2\x06\x02ab"
    assert dnstap.read(unknown + data) == dnstap.read(data)
    assert dnstap.read(Dnstap(type=1).SerializeToString()) is None
    assert dnstap.read(b"") is None
    assert dnstap.read(b"\x78\x02") is None


@pytest.mark.parametrize(
    "data",
    [
        b"\x72",  # a length that is missing
        b"\x72\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # of more than 64 bits
        b"\x72\xff\xff\xff\x7f",  # of more than there is
        b"\x73",  # a group
        b"\x02\x00",  # field 0
        b"\x70\x05",  # a number where a message is meant
        b"\x72\x02\x7a\x00",  # a message without a type
        b"\x72\x04\x08\x06\x60",  # a time that is cut short
        b"\x72\x05\x08\x06\x62\x01x",  # a time that is none
        b"\xff" * 20,
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    """In words."""
    with pytest.raises(BrokenTap):
        dnstap.read(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """As a protocol buffer, and as a DNS message."""
    for read in (dnstap.read, lambda dns: (dnstap.question(dns), dnstap.is_own_answer(dns))):
        with suppress(BrokenTap):
            read(data)
    whole = answer("bad.top")[:12] + data
    with suppress(BrokenTap):
        dnstap.name_of(dnstap.question(whole))
        dnstap.is_own_answer(whole)
        dnstap.is_said_to_be_blocked(whole)


@pytest.mark.parametrize(
    ("response", "is_own"),
    [
        (answer("bad.top", 0x8183), False),
        (answer("bad.top", 0x8583), True),  # AA: Unbound, Knot Resolver
        (answer("bad.top", 0x8183, additional=SOA), True),  # BIND
        (
            answer("bad.top", 0x8183, authority=SOA),
            False,
        ),  # what a name server says of a name that is not there
        (answer("bad.top", 0x8180, answers=record(b"\xc0\x0c", 5, b"\x01x\xc0\x0c"), additional=SOA), True),
    ],
)
def test_an_answer_of_the_resolvers_own(response: bytes, is_own: bool) -> None:
    """By what real resolvers put into it, and nobody else."""
    assert dnstap.is_own_answer(response) is is_own


@pytest.mark.parametrize(("code", "is_blocked"), [(15, True), (16, True), (17, True), (18, True), (3, False)])
def test_an_extended_error_says_that_it_was_blocked(code: int, is_blocked: bool) -> None:
    """RFC 8914, behind another option."""
    options = struct.pack(">HH4s", 10, 4, b"abcd") + struct.pack(">HHH", 15, 2, code)
    response = answer("bad.top", 0x8183, additional=record(b"\0", 41, options))
    assert dnstap.is_said_to_be_blocked(response) is is_blocked


def test_names_are_one_text_each() -> None:
    """In lower case; a dot in a label is no border."""
    assert dnstap.name_of(b"\x03BaD\x03top\x00") == "bad.top"
    assert dnstap.name_of(b"\x07bad.top\x00") == "bad\\.top"
    assert dnstap.name_of(b"\x00") == dnstap.name_of(b"") == ""
    for broken in (b"\xc0\x0c", b"\x05bad"):
        with pytest.raises(BrokenTap):
            dnstap.name_of(broken)


def test_a_rule_may_be_text() -> None:
    """The description wants it in wire format; a writer may not know."""
    found = dnstap.read(message(answer("bad.top"), at=5, action=DROP, rule=b"Bad.top.tocsin.rpz."))
    assert found
    assert found.policy == Policy(DROP, "bad.top.tocsin.rpz")


@given(
    st.lists(st.binary(min_size=1, max_size=50), max_size=8),
    st.lists(st.integers(1, 40), min_size=1),
    st.booleans(),
)
def test_frames_come_out_whole_however_they_come(messages: list[bytes], cuts: list[int], ends: bool) -> None:
    """Cut anywhere; what was taken is what there is."""
    stream, frames, found, place = framed(*messages, ends=ends), Frames(), [], 0
    while place < len(stream):
        step = cuts[len(found) % len(cuts)]
        taken, broken = frames.feed(stream[place : place + step])
        assert broken is None
        found += taken
        place += step
    assert [frame.data for frame in found if not frame.control] == messages
    assert [frame.control for frame in found if frame.control] == [START, *([STOP] if ends else [])]
    assert found[-1].end == frames.taken == len(stream)
    assert not frames.is_cut_short


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_stream_is_taken_apart_or_refused(data: bytes, cut: int) -> None:
    """Frames never hold more than there was, and nothing is taken behind what is broken."""
    frames = Frames()
    for part in (control_frame(START), data[:cut], data[cut:]):
        found, broken = frames.feed(part)
        assert all(len(frame.data) <= len(data) for frame in found)
        assert frames.taken <= 12 + len(data)
        if broken:
            break


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        (framed()[:-12] + b"\xff\xff\xff\xff", "more than 1 MB"),
        (b"\0\0\0\x05hello", "before the stream has started"),
        (b"\0\0\0\0\xff\xff\xff\xff\0\0\0\x02", "impossible length"),
        (b"\0\0\0\0\0\0\0\x03\0\0\0", "impossible length"),
        (control_frame(STOP), "out of place"),
        (control_frame(START) * 2, "out of place"),
        (control_frame(9), "out of place"),
        (b"\0\0\0\0\0\0\0\x08\0\0\0\x02\0\0\0\x01", "broken"),
        (b"\0\0\0\0\0\0\0\x0c\0\0\0\x02\0\0\0\x01\0\0\0\x09", "broken"),
        (b"\0\0\0\0\0\0\0\x0c\0\0\0\x02\0\0\0\x07\0\0\0\0", "broken"),
    ],
)
def test_what_is_no_stream_is_said(stream: bytes, says: str) -> None:
    """In words, once."""
    _, broken = Frames().feed(stream)
    assert says in str(broken)


def test_streams_may_follow_one_another() -> None:
    """As files do that were joined, and a connection that goes both ways."""
    ready = control_frame(framestream.READY, dnstap.CONTENT)
    stream = framed(b"a") + ready + framed(b"b") + control_frame(framestream.FINISH)
    found, broken = Frames().feed(stream)
    assert broken is None
    assert [frame.data for frame in found if not frame.control] == [b"a", b"b"]
    assert found[0].contents == (dnstap.CONTENT,)
    assert NXDOMAIN in dnstap.STOPPED
