"""Good input of each kind of upstream feed, to begin bad input from, and how it is read."""

from pathlib import Path

from tocsin.sift.upstreams import misp, stix, table
from tocsin.sift.upstreams.values import Context, Document

UPSTREAMS: dict[str, list[bytes]] = {
    "upstream-misp": [
        b'{"Event":{"uuid":"55f6ea5e-2c60-40e5-964f-47a8950d210f","info":"x","timestamp":"1795000000",'
        b'"Orgc":{"uuid":"55f6ea5e-2c60-40e5-964f-47a8950d2100","name":"x"},"Tag":[{"name":"tlp:green"}],'
        b'"Attribute":[{"uuid":"55f6ea5e-2c60-40e5-964f-47a8950d2101","type":"ip-src","value":"80.94.92.1",'
        b'"to_ids":true,"timestamp":"1795000000"},{"type":"domain|ip","value":"a.bad.top|80.94.92.2"}],'
        b'"Object":[{"Attribute":[{"type":"hostname","value":"b.bad.top","deleted":"1"}]}]}}',
    ],
    "upstream-stix": [
        b'{"type":"bundle","id":"bundle--55f6ea5e-2c60-40e5-964f-47a8950d210f","objects":[{"type":"indicator",'
        b'"spec_version":"2.1","id":"indicator--55f6ea5e-2c60-40e5-964f-47a8950d2101",'
        b'"created":"2026-11-20T00:00:00.000Z","modified":"2026-11-20T00:00:00.000Z","pattern":'
        b"\"[ipv4-addr:value = '80.94.92.1' OR domain-name:value = 'a.bad.top']\","
        b'"pattern_type":"stix","valid_from":"2026-11-20T00:00:00Z","extensions":{}}]}',
    ],
    "upstream-table": [
        b"ip,last_seen,tlp,confidence\n80.94.92.1,2026-11-20 10:00:00,green,50\nbad.top,1795000000,,\n",
        b"# when;ip\n2026-11-20;80.94.92.1\n",
        b"80.94.92.1\n2a0b:6b80::17\nbad.site.top\n",
    ],
}


def upstream_documents(form: str, content: bytes) -> list[Document]:
    """What is read of such bytes. Raises BadInput."""
    context = Context(form, upstream="x", tlp="green", days=3650)
    if form == "upstream-misp":
        return [misp.document("x", "", content, context)]
    if form == "upstream-stix":
        return list(stix.File(Path("x"), context, content).documents(lambda _: ""))
    return list(table.File("x", context, content).documents(lambda _: ""))
