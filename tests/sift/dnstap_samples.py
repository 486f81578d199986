"""dnstap as others write it: by the protobuf library, from the description that dnstap publishes."""

import struct
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from tocsin.wire.framestream import START, STOP, control_frame

_BYTES, _UINT32, _UINT64, _FIXED32, _ENUM = 12, 13, 4, 7, 13
_MESSAGE, _STRING = 11, 9
_FIELDS = {
    "Policy": {"type": (1, _STRING), "rule": (2, _BYTES), "action": (3, _ENUM), "match": (4, _ENUM),
               "value": (5, _BYTES)},
    "Message": {"type": (1, _ENUM), "socket_family": (2, _ENUM), "socket_protocol": (3, _ENUM),
                "query_address": (4, _BYTES), "response_address": (5, _BYTES), "query_port": (6, _UINT32),
                "response_port": (7, _UINT32), "query_time_sec": (8, _UINT64),
                "query_time_nsec": (9, _FIXED32), "query_message": (10, _BYTES), "query_zone": (11, _BYTES),
                "response_time_sec": (12, _UINT64), "response_time_nsec": (13, _FIXED32),
                "response_message": (14, _BYTES), "policy": (15, _MESSAGE)},
    "Dnstap": {"identity": (1, _BYTES), "version": (2, _BYTES), "extra": (3, _BYTES), "type": (15, _ENUM),
               "message": (14, _MESSAGE)},
}  # fmt: skip
_INSIDE = {"policy": ".dnstap.Policy", "message": ".dnstap.Message"}


def _described() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="dnstap.proto", package="dnstap", syntax="proto2")
    for name, fields in _FIELDS.items():
        of_it = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            inside = _INSIDE.get(field) if kind == _MESSAGE else None
            of_it.field.add(name=field, number=number, type=kind, label=1, type_name=inside)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClassesForFiles(["dnstap.proto"], pool)


_KINDS = _described()
Dnstap, Message = _KINDS["dnstap.Dnstap"], _KINDS["dnstap.Message"]
NXDOMAIN, NODATA, PASS, DROP, TRUNCATE, LOCAL_DATA = range(1, 7)


def wire_name(name: str) -> bytes:
    """A name on the wire."""
    labels = (label.encode() for label in name.split(".") if label)
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(name: bytes, kind: int, data: bytes) -> bytes:
    """A resource record."""
    return name + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def answer(
    name: str, flags: int = 0x8180, answers: bytes = b"", authority: bytes = b"", additional: bytes = b""
) -> bytes:
    """A DNS message with one question for A, and at most one record in each section."""
    counts = [bool(part) for part in (answers, authority, additional)]
    question = wire_name(name) + struct.pack(">HH", 1, 1)
    return struct.pack(">6H", 7, flags, 1, *counts) + question + answers + authority + additional


def message(
    response: bytes = b"", *, kind: int = 6, at: int = 0, client: bytes = b"\xc0\x00\x02\x63", **policy: Any
) -> bytes:
    """One frame's bytes; `policy` are the fields of its policy."""
    told = {"type": kind, "query_address": client, "response_message": response, "query_port": 4711}
    inside = Message(**told, response_time_sec=at, response_time_nsec=5, query_time_sec=max(at - 1, 0))
    if kind == 5:
        inside = Message(type=kind, query_address=client, query_message=response, query_time_sec=at)
    for field, value in policy.items():
        setattr(inside.policy, field, value)
    return bytes(Dnstap(type=1, identity=b"ns1", version=b"1.17", message=inside).SerializeToString())


def framed(*messages: bytes, ends: bool = True, content: bytes = b"protobuf:dnstap.Dnstap") -> bytes:
    """A file of them."""
    frames = b"".join(struct.pack(">I", len(one)) + one for one in messages)
    return control_frame(START, content) + frames + (control_frame(STOP) if ends else b"")
