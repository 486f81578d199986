"""Reading a request's body: JSON, plain or gzipped, within bounds."""

import zlib
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from tocsin.doors.api.problems import BadBody, Fault, TooLarge, UnknownMedia
from tocsin.kernel.problems import BadInput

MAX_SENT = 16 * 1024 * 1024
MAX_UNPACKED = 32 * 1024 * 1024  # what a gzipped body may become
GZIP = 16 + zlib.MAX_WBITS

T = TypeVar("T")


def decoded(request: HttpRequest, shape: type[T]) -> T:
    """The request's body as this shape. Raises BadBody, which points at what is wrong in it.

    An act that needs nothing said may come without a body.
    """
    if not request.body and not request.headers.get("Content-Encoding"):
        return _converted(b"{}", shape)
    body = json_body(request)
    refuse_nul(body)
    return _converted(body, shape)


def refuse_nul(body: bytes) -> None:
    """Raises BadBody, which points at a text with a NUL in it: no database has to keep one."""
    if b"\\u0000" not in body:
        return
    try:
        places = list(_nuls(msgspec.json.decode(body), ""))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return  # its decoder says what is wrong
    if places:
        raise BadBody([Fault("there is a NUL in it", place) for place in places[:20]])


def _nuls(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, str):
        if "\0" in value:
            yield place
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _nuls(one, f"{place}/{number}")
    elif isinstance(value, dict):
        for name, one in value.items():
            inner = f"{place}/{name.replace('~', '~0').replace('/', '~1')}"
            if "\0" in name:
                yield inner
            yield from _nuls(one, inner)


def _converted(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadBody.of(str(error)) from None


def json_body(request: HttpRequest) -> bytes:
    """The bytes of a JSON request. Raises UnknownMedia (415), TooLarge (413), BadInput."""
    if request.content_type != "application/json":
        raise UnknownMedia("send application/json")
    try:
        body = request.body
    except RequestDataTooBig:
        raise TooLarge(f"a request may have {MAX_SENT:,} bytes") from None
    except UnreadablePostError:
        raise BadInput("the request broke off") from None
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in {"identity", ""}:
        return body
    if encoding == "gzip":
        return unpacked(body)
    raise UnknownMedia(f"no such content encoding: {encoding[:40]}", hint="send it plain or gzipped")


def unpacked(body: bytes) -> bytes:
    """A gzipped body (RFC 1952), never more than MAX_UNPACKED of it in memory."""
    stream = zlib.decompressobj(GZIP)
    try:
        plain = stream.decompress(body, MAX_UNPACKED)
    except zlib.error:
        raise BadInput("the body is not gzip, though it says so") from None
    if stream.unconsumed_tail:
        raise TooLarge(f"an unpacked request may have {MAX_UNPACKED:,} bytes")
    if not stream.eof:
        raise BadInput("the gzipped body ends too early")
    if stream.unused_data:
        raise BadInput("there is something behind the gzipped body")
    return plain
