"""What a TAXII request asks for: filters, page size and cursor (sections 3.4 and 3.5), judged strictly."""

import datetime as dt
import re
import uuid
from dataclasses import dataclass, replace
from typing import Any

from django.core import signing
from django.http import HttpRequest, QueryDict

from tocsin.access.policy import Actor
from tocsin.kernel.hashing import sha256_hex
from tocsin.kernel.problems import BadInput, NotFound
from tocsin.kernel.time import parse_rfc3339
from tocsin.sharing.feed import Wanted

MOST = 10_000
USUAL = 1_000
SALT = "tocsin.taxii.next"
SPEC_VERSION = "2.1"
FILTERS = ("added_after", "match[id]", "match[type]", "match[version]", "match[spec_version]")

_stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
_type = re.compile(r"[a-z0-9][a-z0-9-]{1,248}[a-z0-9]")
_spec = re.compile(r"\d{1,4}\.\d{1,4}")
_limit = re.compile(r"[1-9]\d{0,17}")


@dataclass(frozen=True)
class Asked:
    """One request: what is wanted, how much of it at once, and by which question a cursor is known."""

    wanted: Wanted
    limit: int
    question: str
    added_after: str | None

    def cursor(self, last: int) -> str:
        """The `next` of a page that ended with that number: good for this key and these filters alone."""
        return signing.dumps([last, self.question], salt=SALT)


def asked(request: HttpRequest, actor: Actor, allowed: tuple[str, ...] = FILTERS, **fixed: Any) -> Asked:
    """What a request asks for. `fixed` are parts of Wanted that the address itself says.

    Raises BadInput for any parameter that is malformed, or there twice.
    """
    query = request.GET
    wanted = Wanted(**fixed)
    if "match[id]" in allowed and (ids := _many(query, "match[id]")):
        wanted = replace(wanted, ids=tuple(stix_id(text) for text in ids))
    if "match[type]" in allowed and (types := _many(query, "match[type]")):
        wanted = replace(wanted, types=_all_fit(types, _type, "match[type]"))
    if "match[version]" in allowed and (versions := _many(query, "match[version]")):
        wanted = replace(wanted, versions=_versions(versions))
    if "match[spec_version]" in allowed and (specs := _many(query, "match[spec_version]")):
        known = SPEC_VERSION in _all_fit(specs, _spec, "match[spec_version]")
        wanted = replace(wanted, nothing=wanted.nothing or not known)
    added_after = _one(query, "added_after")
    if added_after is not None:
        wanted = replace(wanted, added_after=_instant(added_after, "added_after"))
    question = _question(request, actor)
    if (cursor := _one(query, "next")) is not None:
        wanted = replace(wanted, after=_after(cursor, question))
    return Asked(wanted, _page_size(_one(query, "limit")), question, added_after)


def stix_id(text: str) -> uuid.UUID:
    """The UUID of a STIX identifier. Raises BadInput."""
    kind, _, number = text.partition("--")
    try:
        if _type.fullmatch(kind) and len(number) == 36:
            return uuid.UUID(number)
    except ValueError:
        pass
    raise BadInput(f"no STIX identifier: {text[:60]!r}")


def object_id(text: str) -> uuid.UUID:
    """The UUID in an address. Raises NotFound for what is no identifier."""
    try:
        return stix_id(text)
    except BadInput:
        raise NotFound() from None


def _question(request: HttpRequest, actor: Actor) -> str:
    """A digest of who asks for what: a cursor is not trusted with another (appendix B)."""
    parts = [request.path.rstrip("/"), actor.key.prefix if actor.key else ""]
    parts += [f"{name}={request.GET.get(name, '')}" for name in FILTERS]
    return sha256_hex("\n".join(parts).encode())[:16]


def _after(cursor: str, question: str) -> int:
    try:
        number, of_question = signing.loads(cursor, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise BadInput("next is no cursor of this server") from None
    if of_question != question:
        raise BadInput("next belongs to another question")
    return int(number)


def _page_size(limit: str | None) -> int:
    if limit is None:
        return USUAL
    if not _limit.fullmatch(limit):
        raise BadInput("limit must be a positive number")
    return min(int(limit), MOST)


def _one(query: QueryDict, name: str) -> str | None:
    values = query.getlist(name)
    if len(values) > 1:
        raise BadInput(f"{name} may be there once")
    return values[0] if values else None


def _many(query: QueryDict, name: str) -> list[str]:
    value = _one(query, name)
    if value is None:
        return []
    values = value.split(",")
    if not all(values) or len(values) > MOST or len(set(values)) < len(values):
        raise BadInput(f"{name} must be one or several different values, between commas")
    return values


def _all_fit(values: list[str], shape: re.Pattern[str], name: str) -> tuple[str, ...]:
    for value in values:
        if not shape.fullmatch(value):
            raise BadInput(f"{name} is not as expected: {value[:60]!r}")
    return tuple(values)


def _versions(values: list[str]) -> tuple[str | dt.datetime, ...]:
    if "all" in values and len(values) > 1:
        raise BadInput("match[version]=all goes with nothing else")
    words = {"all", "first", "last"}
    return tuple(value if value in words else _instant(value, "match[version]") for value in values)


def _instant(text: str, name: str) -> dt.datetime:
    try:
        if _stamp.fullmatch(text):
            return parse_rfc3339(text)
    except (ValueError, OverflowError):
        pass
    raise BadInput(f"{name} is no timestamp: {text[:40]!r}")
