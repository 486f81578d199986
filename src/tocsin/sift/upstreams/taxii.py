"""A TAXII 2.1 collection, followed from where the last run stopped.

Within a run the server's `next` leads on. Between runs `added_after` does, a second back, because another
server may give several objects one date: what comes twice is known by its identifier and version.
"""

import datetime as dt
from collections.abc import Callable, Iterator

import httpx
import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import parse_rfc3339
from tocsin.sift.upstreams import fetching, stix
from tocsin.sift.upstreams.values import LONGEST_UPSTREAM, Context, Document
from tocsin.wire import taxii

AT_ONCE = 1_000
LAST = "X-TAXII-Date-Added-Last"
BACK = dt.timedelta(seconds=1)


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a run stopped: the date that it asked behind, the server's cursor, the last date it was told."""

    added_after: str = ""
    next: str = ""
    last: str = ""


class Envelope(msgspec.Struct):
    """Section 3.7; everything may be missing."""

    more: bool = False
    next: str | None = None
    objects: list[msgspec.Raw] = []


class Collection:
    """One collection of an API root."""

    def __init__(
        self, root: str, collection: str, context: Context, client: httpx.Client, since: str = ""
    ) -> None:
        self.name = f"taxii {root.rstrip('/')}/{collection}"
        host = httpx.URL(root).host
        named = context.upstream or f"{host}/{collection}"[:LONGEST_UPSTREAM]
        self.context = msgspec.structs.replace(context, upstream=named)
        self._path, self._client, self._since = f"collections/{collection}/objects/", client, since

    def documents(self, known: Callable[[str], str]) -> Iterator[Document]:
        """One for each page, stamped with where the next one begins."""
        told = known("place")
        place = msgspec.json.decode(told, type=Place) if told else Place(self._since)
        while True:
            answer = self._page(place)
            if answer is None:  # the server has forgotten its cursor
                place = Place(place.added_after)
                continue
            page = decoded(answer)
            last = answer.headers.get(LAST, "") or place.last
            by_date = page.more and not page.next and last not in ("", place.added_after)
            follows = bool(page.more and page.next) or by_date
            if by_date:  # a server without cursors (section 3.4): its dates lead on
                place = Place(last, "", last)
            elif follows:
                place = Place(place.added_after, page.next or "", last)
            else:
                place = Place(behind(place, last))
            stamp = msgspec.json.encode(place).decode()
            made = stix.document("place", stamp, page.objects, self.context)
            made.is_page = True
            yield made
            if not follows:
                return

    def _page(self, place: Place) -> httpx.Response | None:
        asked = {"limit": str(AT_ONCE), "match[type]": "indicator"}
        if place.added_after:
            asked["added_after"] = place.added_after
        if place.next:
            asked["next"] = place.next
        request = self._client.build_request("GET", self._path, params=asked, headers={"Accept": taxii.MEDIA})
        try:
            return fetching.asked(lambda: self._client.send(request), self.name)
        except BadInput:
            if place.next:
                return None
            raise


def decoded(answer: httpx.Response) -> Envelope:
    """A page. Raises BadInput."""
    try:
        return msgspec.json.decode(answer.content or b"{}", type=Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadInput(f"no TAXII envelope: {problem}", hint="is this a TAXII 2.1 API root?") from None


def behind(place: Place, last: str) -> str:
    """From which date on the next run asks."""
    try:
        return taxii.stamp(parse_rfc3339(last) - BACK)
    except ValueError:
        return place.added_after  # a server that tells no dates is read from there again
