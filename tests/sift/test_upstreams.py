"""What others tell, read at the edge: what leaves, what stays and why, nothing lost by a kill."""

import datetime as dt
import json
import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.sift.mutations import mutate
from tests.sift.upstream_seeds import UPSTREAMS, upstream_documents

from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import now
from tocsin.sift.upstreams import fetching, misp, running, stix, store, table, taxii
from tocsin.sift.upstreams.values import Context
from tocsin.wire import said, stix_in
from tocsin.wire.stix import stamp
from tocsin.wire.taxii import stamp as taxii_stamp

TODAY = int(now().timestamp())
MAKER = {"name": "A CSIRT", "uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f"}
FROM = f"identity--{MAKER['uuid']}"


@pytest.fixture
def kept(tmp_path: Path) -> store.Store:
    """An empty store."""
    return store.Store(tmp_path / "edge")


@pytest.fixture
def feed(tmp_path: Path) -> "Folder":
    """An empty MISP feed in a folder."""
    return Folder(tmp_path / "feed")


class Folder:
    """A MISP feed as files."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir()
        self.manifest: dict[str, Any] = {}

    def event(self, *attributes: dict[str, Any], number: str = "", at: int = TODAY, **more: Any) -> str:
        """Write one event."""
        number = number or str(uuid.uuid4())
        whole = [{"uuid": str(uuid.uuid4()), "timestamp": str(at), **one} for one in attributes]
        event = {"uuid": number, "info": "x", "timestamp": str(at), "Orgc": MAKER, "Attribute": whole, **more}
        (self.place / f"{number}.json").write_text(json.dumps({"Event": event}))
        self.manifest[number] = {"timestamp": str(at), "info": "x"}
        (self.place / "manifest.json").write_text(json.dumps(self.manifest))
        return number

    def read(self, kept: store.Store, **context: Any) -> running.Result:
        """Read what changed."""
        source = misp.Feed("here", Context("misp", **context), fetching.from_folder(self.place))
        return running.read(source, kept, quiet)


def quiet(_: str) -> None:
    """Says nothing."""


def waiting(kept: store.Store) -> dict[str, dict[str, Any]]:
    """What would be sent, by its pattern's value."""
    found = [msgspec.json.decode(body) for _, _, body in kept.waiting(1_000)]
    return {stix_in.values_of(one["pattern"])[0][1]: one for one in found}  # type: ignore[index]


def sent(kept: store.Store) -> None:
    """As though the exchange had taken all."""
    kept.settle(kept.waiting(1_000), {})


def ip(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "ip-src", "value": value, "to_ids": True, **more}


def test_a_feeds_events_become_words_of_who_made_them(feed: Folder, kept: store.Store) -> None:
    """With label, author and version; what says nothing, may not leave or is old stays, each counted."""
    red = [{"name": "tlp:red"}]
    old = str(TODAY - 8 * 86_400)
    feed.event(
        ip("80.94.92.1", Tag=[{"name": "tlp:green"}]),
        {"type": "hostname|port", "value": "Bad.Site.Top|443"},
        ip("80.94.92.2", Tag=red),
        {"type": "sha256", "value": "0" * 64},
        ip("80.94.92.3", timestamp=old),
        ip("80.94.92.4", to_ids=False),
        ip("80.94.92.0/24"),
        Tag=[{"name": "tlp:amber"}, {"name": 'misp:confidence-level="usually-confident"'}],
    )
    result = feed.read(kept)
    assert (result.taken.new, result.taken.left, result.taken.malformed) == (2, 4, 1)
    found = waiting(kept)
    assert set(found) == {"80.94.92.1", "bad.site.top"}
    assert {one["created_by_ref"] for one in found.values()} == {FROM}
    assert {stix_in.tlp_of(one["object_marking_refs"]) for one in found.values()} == {"amber"}
    assert {one["confidence"] for one in found.values()} == {75}
    assert result.reasons["TLP:RED does not leave this organisation"] == 1
    assert result.reasons["older than a word stands"] == 1
    assert [one.reason for one in kept.rejects()] == ["no address: '80.94.92.0/24'"]


def test_only_what_changed_is_read_again(feed: Folder, kept: store.Store) -> None:
    """An event with its old timestamp is not opened; what it says no longer is taken back, and said again."""
    first = feed.event(ip("80.94.92.1", uuid=str(uuid.uuid4())))
    feed.event(ip("80.94.92.9"))
    assert feed.read(kept).taken.new == 2
    sent(kept)
    assert feed.read(kept).documents == 0
    again = str(uuid.uuid4())
    feed.event(ip("80.94.92.2", uuid=again), number=first, at=TODAY + 1)
    result = feed.read(kept)
    assert (result.documents, result.taken.new, result.taken.over) == (1, 1, 1)
    assert waiting(kept)["80.94.92.1"]["revoked"] is True
    sent(kept)
    feed.event(number=first, at=TODAY + 2)
    feed.read(kept)
    sent(kept)
    feed.event(ip("80.94.92.2", uuid=again, timestamp=str(TODAY + 1)), number=first, at=TODAY + 3)
    assert feed.read(kept).taken.renewed == 1
    assert "revoked" not in waiting(kept)["80.94.92.2"]


def test_what_is_broken_is_tried_again(feed: Folder, kept: store.Store) -> None:
    """An event that is missing or no JSON holds up no other, and is read once it is mended."""
    broken = feed.event(ip("80.94.92.1"))
    feed.event(ip("80.94.92.2"))
    whole = (feed.place / f"{broken}.json").read_text()
    (feed.place / f"{broken}.json").write_text(whole[:40])
    feed.manifest["../../etc/passwd"] = {"timestamp": "1"}
    (feed.place / "manifest.json").write_text(json.dumps(feed.manifest))
    assert (feed.read(kept).taken.new, len(kept.rejects())) == (1, 2)
    feed.read(kept)
    assert len(kept.rejects()) == 2
    (feed.place / f"{broken}.json").write_text(whole)
    assert (feed.read(kept).taken.new, len(kept.rejects())) == (1, 1)


def test_a_feed_without_a_manifest_is_none(feed: Folder, kept: store.Store) -> None:
    """And says so."""
    with pytest.raises(BadInput, match="no such file"):
        feed.read(kept)
    (feed.place / "manifest.json").write_text("[]")
    with pytest.raises(BadInput, match="manifest cannot be read"):
        feed.read(kept)


def rows(text: str, kept: store.Store, *, whole: bool = False, **context: Any) -> running.Result:
    """Read a table."""
    context = {"upstream": "list.example", **context}
    source = table.File("list.csv", Context("csv", **context), text.encode(), is_whole=whole)
    return running.read(source, kept, quiet)


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        ("ip,when\n80.94.92.1,x\nbad.site.top,y\n", {}),
        ("# made today\n80.94.92.1\nBAD.site.top.\n", {}),
        ("# when;ip\n2026;80.94.92.1\n2026;bad.site.top\n", {}),
        ("a;80.94.92.1\nb;bad.site.top\n", {"value": "2"}),
        ("what\tBlocked\nx\t80.94.92.1\nx\tbad.site.top\n", {"value": "blocked"}),
        ('\ufeff"ip" , "x"\n"80.94.92.1", "1,2"\n"bad.site.top", ""\n', {}),
    ],
)
def test_a_table_is_read_as_lists_are_written(kept: store.Store, text: str, mapping: dict[str, str]) -> None:
    """With and without a line of names, in a comment, by number, by name, with any usual delimiter."""
    assert rows(text, kept, mapping=mapping).taken.new == 2
    found = waiting(kept)
    assert set(found) == {"80.94.92.1", "bad.site.top"}
    assert {stix_in.claim_of(msgspec.json.encode(one)).upstream for one in found.values()} == {"list.example"}


def test_a_tables_columns_say_more(kept: store.Store) -> None:
    """Time, end, label, confidence; each row is judged by itself, and kept with its reason."""
    day = now().date().isoformat()
    ahead = (now() + dt.timedelta(days=2)).isoformat()
    result = rows(
        "ip,time,until,tlp,confidence\n"
        f"80.94.92.1,{day},{ahead},TLP:AMBER,80\n"
        f"80.94.92.2,{day},{day},,\n"
        "80.94.92.3,2020-01-01,,,\n"
        f"80.94.92.4,{day},,red,\n"
        f"80.94.92.5,{day},,purple,\n"
        f"80.94.92.6,{day},,,many\n"
        "80.94.92.7,soon,,,\n"
        f"nonsense,{day},,,\n",
        kept,
    )
    (one,) = waiting(kept).values()
    assert (one["confidence"], one["valid_until"][:10]) == (80, ahead[:10])
    assert stix_in.tlp_of(one["object_marking_refs"]) == "amber"
    assert (result.taken.left, result.taken.malformed) == (3, 4)
    reasons = [one.reason.partition(":")[0] for one in kept.rejects()]
    assert reasons == [
        "no TLP label",
        "confidence is a number from 0 to 100",
        "no time",
        "neither an address nor a name",
    ]


def test_a_whole_list_takes_back_what_is_missing(kept: store.Store) -> None:
    """And only with --whole."""
    rows("ip\n80.94.92.1\n80.94.92.2\n", kept, whole=True)
    sent(kept)
    assert rows("ip\n80.94.92.2\n", kept).taken.over == 0
    assert rows("ip\n80.94.92.2\n\n", kept, whole=True).taken.over == 1
    assert waiting(kept)["80.94.92.1"]["revoked"] is True


def test_a_table_without_a_known_column_is_refused(kept: store.Store) -> None:
    """And says how to name one."""
    with pytest.raises(BadInput, match="no column is known"):
        rows("a,b\n1,2\n", kept)
    with pytest.raises(BadInput, match="there is no column when"):
        rows("ip\n80.94.92.1\n", kept, mapping={"value": "ip", "time": "when"})


def an_indicator(value: str, **changes: Any) -> dict[str, Any]:
    """A STIX indicator of somebody else's."""
    at = stamp(now())
    return {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.uuid4()}", "created": at,
        "modified": at, "pattern": f"[ipv4-addr:value = '{value}']", "pattern_type": "stix",
        "valid_from": at, "created_by_ref": FROM, **changes,
    }  # fmt: skip


def test_a_bundle_is_sent_as_it_is(kept: store.Store, tmp_path: Path) -> None:
    """Byte for byte where its author is named; otherwise with who says so; the rest stays, and why."""
    own = said.body(said.Word("address", "80.94.92.8", uuid.uuid4(), now(), "green", FROM))
    nobody = an_indicator("80.94.92.2", created_by_ref="", x_score=0.25)
    del nobody["created_by_ref"]
    others = [
        nobody,
        {"type": "malware", "spec_version": "2.1", "id": f"malware--{uuid.uuid4()}"},
        an_indicator("x", pattern="[file:hashes.MD5 = 'a']"),
        an_indicator("80.94.92.300"),
        an_indicator("80.94.92.3", valid_until="2020-01-01T00:00:00Z"),
        an_indicator("80.94.92.4", revoked=True),
        {"type": "indicator", "id": "indicator--1"},
    ]
    body = (
        b'{"type":"bundle","id":"x","objects":[' + b",".join([own, *map(msgspec.json.encode, others)]) + b"]}"
    )
    source = stix.File(tmp_path / "x.json", Context("stix", upstream="taxii.example/1"), body)
    result = running.read(source, kept, quiet)
    assert (result.taken.new, result.taken.left, result.taken.malformed) == (2, 4, 2)
    assert own in [one for _, _, one in kept.waiting(9)]
    found = waiting(kept)["80.94.92.2"]
    assert found["x_score"] == 0.25
    assert stix_in.claim_of(msgspec.json.encode(found)).upstream == "taxii.example/1"


def test_what_is_malformed_can_be_read_again(feed: Folder, kept: store.Store, tmp_path: Path) -> None:
    """With a name for who says so; what stays malformed stays kept."""
    feed.event(ip("80.94.92.1"), ip("80.94.92.0/24"), Orgc={"name": "x", "uuid": ""})
    assert feed.read(kept).taken.malformed == 2
    rejects = kept.rejects()
    documents = [running.again(one, Context("", upstream="x.example")) for one in rejects]
    assert [len(one.entries) for one in documents] == [1, 0]
    assert kept.mended(rejects[0], documents[0]).new == 1
    assert [one.reason for one in kept.rejects()] == ["no address: '80.94.92.0/24'"]
    assert stix_in.claim_of(msgspec.json.encode(waiting(kept)["80.94.92.1"])).upstream == "x.example"


def test_what_the_exchange_refused_can_be_sent_again(feed: Folder, kept: store.Store) -> None:
    """It is kept with the exchange's reason, as it was sent; what was taken is not touched."""
    feed.event(ip("80.94.92.1"), ip("80.94.92.2"))
    feed.read(kept)
    batch = kept.waiting(9)
    kept.settle(batch, {batch[0][0]: "not today"})
    assert kept.count_waiting() == 0
    (reject,) = kept.rejects()
    assert (reject.source, reject.reason, reject.raw) == ("the exchange", "not today", batch[0][2])
    assert kept.mended(reject, running.again(reject, Context(""))).new == 1
    assert (kept.waiting(9), kept.rejects()) == ([batch[0]], [])


@pytest.mark.parametrize("at", range(1, 8))
def test_a_document_is_taken_whole_or_not_at_all(
    feed: Folder, kept: store.Store, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever write it dies at, it is read again, and what it says is there once."""
    feed.event(*(ip(f"80.94.92.{last}") for last in range(1, 6)), ip("x"))
    writes = 0
    real: Callable[..., None] = kept._keep
    reject: Callable[..., None] = kept._reject

    def counted(do: Callable[..., None]) -> Callable[..., None]:
        def doing(*args: Any) -> None:
            nonlocal writes
            writes += 1
            if writes == at:
                raise KeyboardInterrupt
            do(*args)

        return doing

    monkeypatch.setattr(kept, "_keep", counted(real))
    monkeypatch.setattr(kept, "_reject", counted(reject))
    if at <= 6:
        with pytest.raises(KeyboardInterrupt):
            feed.read(kept)
        assert (kept.count_waiting(), kept.rejects()) == (0, [])
    feed.read(kept)
    assert (kept.count_waiting(), len(kept.rejects())) == (5, 1)


class Pages:
    """A TAXII server of five indicators, two a page, with cursors or without."""

    def __init__(self, *, cursors: bool = True) -> None:
        self.cursors = cursors
        self.asked: list[dict[str, str]] = []
        self.forgets = False
        start = now().replace(microsecond=0) - dt.timedelta(minutes=5)
        self.dates = [start + dt.timedelta(seconds=10 * place) for place in range(5)]
        self.objects = [an_indicator(f"80.94.92.{place + 1}") for place in range(5)]

    def answer(self, request: httpx.Request) -> httpx.Response:
        """One page."""
        asked = dict(request.url.params)
        self.asked.append(asked)
        if "next" in asked and self.forgets:
            self.forgets = False
            return httpx.Response(400)
        after = asked.get("added_after")
        found = [place for place in range(5) if after is None or taxii_stamp(self.dates[place]) > after]
        found = found[int(asked.get("next", 0)) :]
        page, more = found[:2], len(found) > 2
        body: dict[str, Any] = {"objects": [self.objects[place] for place in page], "more": more}
        if more and self.cursors:
            body["next"] = str(int(asked.get("next", 0)) + 2)
        headers = {"X-TAXII-Date-Added-Last": taxii_stamp(self.dates[page[-1]])} if page else {}
        return httpx.Response(200, json=body if page else {}, headers=headers)

    def read(self, kept: store.Store) -> running.Result:
        """Follow it."""
        client = httpx.Client(base_url="https://t.example/r/", transport=httpx.MockTransport(self.answer))
        source = taxii.Collection("https://t.example/r/", "c", Context("stix"), client)
        return running.read(source, kept, quiet)


@pytest.mark.parametrize("cursors", [True, False])
def test_a_collection_is_followed_to_its_end_and_from_there(kept: store.Store, cursors: bool) -> None:
    """By the server's cursor or by its dates; the next run asks from a second before the last date on."""
    pages = Pages(cursors=cursors)
    assert pages.read(kept).taken.new == 5
    assert len(pages.asked) == 3
    sent(kept)
    pages.objects[4] = {**pages.objects[4], "modified": stamp(now() + dt.timedelta(seconds=1))}
    again = pages.read(kept)
    assert (again.taken.renewed, again.taken.known, len(pages.asked)) == (1, 0, 4)
    assert pages.asked[-1]["added_after"] == taxii_stamp(pages.dates[4] - dt.timedelta(seconds=1))


def test_a_cursor_that_the_server_forgot_begins_anew(kept: store.Store) -> None:
    """Nothing is lost, and what comes twice is known."""
    pages = Pages()
    pages.forgets = True
    result = pages.read(kept)
    assert (result.taken.new, result.taken.known) == (5, 2)


def test_a_killed_run_goes_on_behind_the_page_that_it_kept(kept: store.Store) -> None:
    """With the same date and the server's cursor."""
    pages = Pages()
    real = kept.take
    taken = []

    def once(*args: Any) -> store.Taken:
        if taken:
            raise KeyboardInterrupt
        taken.append(real(*args))
        return taken[0]

    kept.take = once  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        pages.read(kept)
    kept.take = real  # type: ignore[method-assign]
    assert (taken[0].new, pages.read(kept).taken.new) == (2, 3)
    assert pages.asked[2]["next"] == "2"


@pytest.mark.parametrize("form", UPSTREAMS)
def test_bad_input_is_refused_or_left_with_a_reason(form: str) -> None:
    """A thousand broken files of each kind: what would be sent is STIX that the exchange takes."""
    chance, refused = random.Random(11), 0
    for place in range(1_000):
        content = mutate(UPSTREAMS[form][place % len(UPSTREAMS[form])], chance)
        try:
            found = upstream_documents(form, content)
        except BadInput:
            refused += 1
            continue
        for made in found:
            for entry in made.entries:
                assert stix_in.read(entry.body).modified == entry.version
                assert stix_in.values_of(stix_in.claim_of(entry.body).pattern)
            assert all(left.reason for left in made.left)
    assert refused < 1_000
