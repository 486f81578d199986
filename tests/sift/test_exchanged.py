"""STIX and MISP as evidence: made with stix2 and PyMISP, read by `sift`."""

import json
from pathlib import Path
from typing import Any

import pytest
import stix2
from pymisp import MISPEvent, MISPObject

from tocsin.sift.engine import Options, sift
from tocsin.sift.values import Sifted

FIRST, LAST = "2026-03-01T12:00:00Z", "2026-03-01T12:30:00Z"
ATTACKER, OURS = "192.0.2.7", "198.51.100.1"


def sifted(folder: Path, content: str | bytes, **options: Any) -> Sifted:
    """What a file of this content shows."""
    path = folder / "given.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return sift([str(path)], Options(rejects=folder / "rejected.tsv", **options))


def told(result: Sifted) -> list[tuple[str, str, str, str, int]]:
    """Its attacks."""
    return [
        (one.kind, " ".join(one.origins), " ".join(one.targets), one.service, one.count)
        for one in result.attacks
    ]


def indicator(value: str = ATTACKER, **more: Any) -> stix2.Indicator:
    """Somebody is to be looked for."""
    return stix2.Indicator(
        pattern=f"[ipv4-addr:value = '{value}']", pattern_type="stix", valid_from=FIRST, **more
    )


def traffic(source: str, target: str, **more: Any) -> list[Any]:
    """A connection and what saw it."""
    one, other = stix2.IPv4Address(value=source), stix2.IPv4Address(value=target)
    flow = stix2.NetworkTraffic(
        src_ref=one, dst_ref=other, dst_port=22, protocols=["ipv4", "tcp", "ssh"], is_active=False, end=LAST
    )
    seen = stix2.ObservedData(
        first_observed=FIRST, last_observed=LAST, number_observed=5, object_refs=[flow, one, other], **more
    )
    return [seen, flow, one, other]


def test_a_sighting_with_its_traffic(tmp_path: Path) -> None:
    """Who, whom, on what service, how often and when; the indicator and the observed data are noise."""
    what = indicator(labels=['rsit:intrusion-attempts="brute-force"'])
    seen, *rest = traffic(ATTACKER, OURS)
    met = stix2.Sighting(what, observed_data_refs=[seen], count=17)
    result = sifted(tmp_path, stix2.Bundle(what, seen, *rest, met).serialize())
    assert told(result) == [("intrusion-attempts/brute-force", ATTACKER, OURS, "ssh", 17)]
    (attack,) = result.attacks
    assert (attack.severity, attack.first_seen_at, attack.last_seen_at) == ("low", FIRST, LAST)
    assert (result.balance.observed, result.balance.noise, result.balance.rejected) == (1, 5, 0)


@pytest.mark.parametrize(
    ("named", "kind"),
    [
        (stix2.AttackPattern(name="Password guessing"), "intrusion-attempts/brute-force"),
        (
            stix2.AttackPattern(
                name="x", external_references=[{"source_name": "mitre-attack", "external_id": "T1595.002"}]
            ),
            "information-gathering/scanner",
        ),
        (stix2.Malware(name="x", is_family=True, malware_types=["bot"]), "malicious-code/infected-system"),
        (stix2.Campaign(name="phishing spree"), "other/undetermined"),
    ],
)
def test_what_was_sighted_says_the_kind(tmp_path: Path, named: Any, kind: str) -> None:
    """By labels, STIX's own types, techniques and names; a campaign's name is no kind."""
    seen, *rest = traffic(ATTACKER, OURS)
    met = stix2.Sighting(named, observed_data_refs=[seen])
    (attack,) = sifted(tmp_path, stix2.Bundle(named, seen, *rest, met).serialize()).attacks
    assert (attack.kind, attack.origins, attack.targets) == (kind, (ATTACKER,), (OURS,))


def test_whoever_calls_a_bad_server_is_infected(tmp_path: Path) -> None:
    """The client is the origin, the server its target; of other kinds a client is accused of nothing."""
    for label, expected in (
        ("c2", [("malicious-code/infected-system", OURS, ATTACKER, "ssh", 1)]),
        ("phishing", []),
    ):
        what = indicator(labels=[label])
        seen, *rest = traffic(OURS, ATTACKER)
        met = stix2.Sighting(what, observed_data_refs=[seen])
        assert told(sifted(tmp_path, stix2.Bundle(what, seen, *rest, met).serialize())) == expected


def test_a_sighting_without_traffic_is_of_the_indicator(tmp_path: Path) -> None:
    """Its addresses are the origins, at the sighting's own time."""
    what = indicator(labels=["phishing"])
    met = stix2.Sighting(what, first_seen=FIRST, last_seen=LAST, count=2)
    assert told(sifted(tmp_path, stix2.Bundle(what, met).serialize())) == [
        ("fraud/phishing", ATTACKER, "unknown", "unknown", 2)
    ]


@pytest.mark.parametrize(
    ("of", "sighting", "reason"),
    [
        ({}, {"count": 0}, "noise: a sighting that says it was not seen"),
        ({}, {"revoked": True}, "noise: revoked, or an older version"),
        ({}, {"object_marking_refs": [stix2.TLP_RED]}, "noise: TLP:RED and TLP:AMBER+STRICT"),
        ({"object_marking_refs": [stix2.TLP_RED]}, {}, "noise: TLP:RED and TLP:AMBER+STRICT"),
        ({"indicator_types": ["benign"]}, {}, "noise: a sighting of what is called benign"),
    ],
)
def test_what_is_no_evidence_says_why(
    tmp_path: Path, of: dict[str, Any], sighting: dict[str, Any], reason: str
) -> None:
    """Not seen, taken back, not for others, or benign: noise, with its reason in the balance."""
    what = indicator(labels=["phishing"], **of)
    met = stix2.Sighting(what, first_seen=FIRST, last_seen=LAST, **sighting)
    result = sifted(tmp_path, stix2.Bundle(what, met).serialize())
    assert told(result) == []
    assert any(known.startswith(reason) for known in result.balance.reasons)
    assert result.balance.noise == 2


def test_observed_data_needs_a_hostile_word(tmp_path: Path) -> None:
    """Traffic alone accuses nobody."""
    for labels, expected in (
        ([], []),
        (["port-scan"], [("information-gathering/scanner", ATTACKER, OURS, "ssh", 5)]),
    ):
        content = stix2.Bundle(*traffic(ATTACKER, OURS, **({"labels": labels} if labels else {}))).serialize()
        assert told(sifted(tmp_path, content)) == expected


def test_stix_20_keeps_its_objects_inside(tmp_path: Path) -> None:
    """The older form of observed data is read, too."""
    what = stix2.v20.Indicator(labels=["brute-force"], pattern=f"[ipv4-addr:value = '{ATTACKER}']")
    seen = stix2.v20.ObservedData(
        first_observed=FIRST,
        last_observed=LAST,
        number_observed=3,
        objects={
            "0": {"type": "ipv4-addr", "value": ATTACKER},
            "1": {"type": "ipv4-addr", "value": OURS},
            "2": {
                "type": "network-traffic",
                "src_ref": "0",
                "dst_ref": "1",
                "dst_port": 23,
                "protocols": ["tcp"],
            },
        },
    )
    met = stix2.v20.Sighting(what, observed_data_refs=[seen], count=3)
    assert told(sifted(tmp_path, stix2.v20.Bundle(what, seen, met).serialize())) == [
        ("intrusion-attempts/brute-force", ATTACKER, OURS, "tcp/23", 3)
    ]


def test_of_several_versions_the_last_counts(tmp_path: Path) -> None:
    """An older version of a sighting is noise, wherever it stands."""
    what = indicator(labels=["phishing"])
    old = stix2.Sighting(what, first_seen=FIRST, last_seen=LAST, count=2, modified=FIRST, created=FIRST)
    new = old.new_version(count=9)
    for order in ((old, new), (new, old)):
        result = sifted(tmp_path, stix2.Bundle(what, *order).serialize())
        assert [attack.count for attack in result.attacks] == [9]
        assert result.balance.reasons["noise: revoked, or an older version"] == 1


def test_stix_comes_in_several_shapes(tmp_path: Path) -> None:
    """A bundle, a TAXII envelope, a list, and an object a line are the same; read again, a duplicate."""
    what = indicator(labels=["phishing"])
    met = stix2.Sighting(what, first_seen=FIRST, last_seen=LAST)
    objects = [json.loads(thing.serialize()) for thing in (what, met)]
    shapes = [{"objects": objects}, objects, "\n".join(map(json.dumps, objects))]
    for shape in shapes:
        content = shape if isinstance(shape, str) else json.dumps(shape)
        result = sifted(tmp_path, content)
        assert len(result.attacks) == 1
        again = sift([str(tmp_path / "given.json")], Options(known=result.regions))
        assert (again.balance.duplicate, again.attacks) == (1, [])


def test_broken_stix_is_kept_with_its_reason(tmp_path: Path) -> None:
    """A wrong object costs itself alone."""
    what = json.loads(indicator(labels=["phishing"]).serialize())
    met = {"type": "sighting", "id": "sighting--1", "sighting_of_ref": what["id"], "created": FIRST}
    objects = [
        what,
        7,
        {**met, "count": -1, "id": "sighting--2"},
        {**met, "first_seen": "yesterday", "id": "sighting--3"},
        {**met, "created": None, "id": "sighting--4"},
        met,
    ]
    result = sifted(tmp_path, json.dumps({"type": "bundle", "id": "bundle--1", "objects": objects}))
    assert len(result.attacks) == 1
    assert result.balance.rejected == 4
    assert {reason for reason in result.balance.reasons if "STIX" in reason} == {
        "JSON that is no STIX object",
        "a STIX sighting whose count is no number below a thousand million",
        "STIX field first_seen is no timestamp",
        "a STIX sighting without a time",
    }


@pytest.mark.parametrize(
    "record",
    [
        {"Event": {"System": {"EventID": 4625}, "EventData": {"info": "x"}}, "message": '"Attribute"'},
        {
            "message": 'got "spec_version": "2.1"',
            "id": "event--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
            "at": 1,
        },
    ],
)
def test_logs_that_only_sound_like_it_are_logs(tmp_path: Path, record: dict[str, Any]) -> None:
    """Windows has events, too, and a log may quote anything: its lines are records of their own."""
    result = sifted(tmp_path, f"{json.dumps(record)}\n" * 3)
    assert (result.balance.noise, result.balance.rejected) == (3, 0)


def event(*tags: str) -> MISPEvent:
    """An event of a MISP of our own."""
    made = MISPEvent()
    made.info, made.date = "what our sensors met", "2026-03-01"
    for tag in tags:
        made.add_tag(tag)
    return made


def test_a_sighted_attribute(tmp_path: Path) -> None:
    """Sightings count; without one an attribute is an indicator."""
    made = event('rsit:fraud="phishing"')
    sighted = made.add_attribute("ip-src", ATTACKER)
    sighted.add_sighting({"type": "0", "date_sighting": "1772366400"})
    sighted.add_sighting({"type": "0", "date_sighting": "1772370000"})
    made.add_attribute("ip-dst", "192.0.2.8")
    made.add_attribute("md5", "0" * 32)
    result = sifted(tmp_path, json.dumps({"Event": json.loads(made.to_json())}))
    assert told(result) == [("fraud/phishing", ATTACKER, "unknown", "unknown", 2)]
    assert (result.attacks[0].first_seen_at, result.attacks[0].last_seen_at) == (
        FIRST,
        "2026-03-01T13:00:00Z",
    )
    assert (result.balance.observed, result.balance.noise) == (1, 2)


@pytest.mark.parametrize(
    ("sightings", "tag", "attacks"),
    [
        ([("0", "1772366400"), ("1", "1772370000")], "", 0),
        ([("1", "1772366400"), ("0", "1772370000")], "", 1),
        ([("2", "1772366400")], "", 0),
        ([("0", "1772366400")], "tlp:red", 0),
        ([("0", "1772366400")], "tlp:amber", 1),
    ],
)
def test_doubts_and_labels(tmp_path: Path, sightings: list[tuple[str, str]], tag: str, attacks: int) -> None:
    """A later false positive takes a sighting back; TLP:RED stays with its readers."""
    made = event(*([tag] if tag else []))
    sighted = made.add_attribute("ip-src", ATTACKER)
    for kind, at in sightings:
        sighted.add_sighting({"type": kind, "date_sighting": at})
    assert len(sifted(tmp_path, made.to_json()).attacks) == attacks


def thing(name: str, **fields: str | list[str]) -> MISPObject:
    """An object by MISP's own template."""
    made = MISPObject(name)
    for relation, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            made.add_attribute(relation.replace("__", ".").replace("_", "-"), value=value)
    return made


def test_objects_that_record_what_happened(tmp_path: Path) -> None:
    """Failed sign-ins, flows under a tag, and a flood with its rates."""
    made = event('rsit:information-gathering="scanner"')
    failures = thing("authentication-failure-report", ip_src=ATTACKER, ip_dst=OURS, type="ssh", total="40")
    failures.first_seen, failures.last_seen = FIRST, LAST
    failures.attributes[0].add_tag('rsit:intrusion-attempts="brute-force"')
    flow = thing("netflow", ip_src="192.0.2.9", ip_dst=OURS, dst_port="445", protocol="TCP",
                 first_packet_seen=FIRST, flow_count="12")  # fmt: skip
    flood = thing("ddos", ip_src=["203.0.113.1", "203.0.113.2"], ip_dst=OURS, protocol="UDP",
                  total_pps="1000", total_bps="8000000", first_seen=FIRST, last_seen=LAST)  # fmt: skip
    for one in (failures, flow, flood):
        made.add_object(one)
    result = sifted(tmp_path, json.dumps([{"Event": json.loads(made.to_json())}]))
    assert sorted(told(result)) == [
        ("availability/ddos", "203.0.113.1 203.0.113.2", OURS, "udp", 1_800_000),
        ("information-gathering/scanner", "192.0.2.9", OURS, "tcp/445", 12),
        ("intrusion-attempts/brute-force", ATTACKER, OURS, "ssh", 40),
    ]
    (attack,) = (one for one in result.attacks if one.kind == "availability/ddos")
    assert attack.measures == {"peak_packets_per_second": 1000, "peak_bits_per_second": 8_000_000}
    assert attack.origin_count == 2


def test_failed_sign_ins_need_no_tag_and_flows_do(tmp_path: Path) -> None:
    """The template itself says what a failed sign-in is; a flow is hostile by a tag alone."""
    made = event()
    made.add_object(thing("authentication-failure-report", ip_src=ATTACKER, type="imap", total="3"))
    made.add_object(thing("netflow", ip_src="192.0.2.9", ip_dst=OURS, first_packet_seen=FIRST))
    for one in made.objects:
        one.first_seen = FIRST
    result = sifted(tmp_path, made.to_json())
    assert told(result) == [("intrusion-attempts/brute-force", ATTACKER, "unknown", "imap", 3)]
    assert result.balance.reasons["noise: observed data that nothing calls hostile"] == 1


def test_broken_misp_is_kept_with_its_reason(tmp_path: Path) -> None:
    """A wrong record costs itself alone; what is no event is rejected."""
    good = {"type": "ip-src", "value": ATTACKER, "Sighting": [{"type": "0", "date_sighting": "1772366400"}]}
    attributes = [
        good,
        7,
        {"type": "ip-src"},
        {**good, "Sighting": [{"date_sighting": "x"}]},
        {**good, "value": "?"},
    ]
    result = sifted(tmp_path, json.dumps({"Event": {"info": "x", "Attribute": attributes}}))
    assert (result.balance.observed, result.balance.rejected) == (1, 4)
    nothing = sifted(tmp_path, '{"Event": {"info": "x", "threat_level_id": "4"}}')
    assert (nothing.balance.rejected, nothing.balance.reasons["an event of MISP that holds nothing"]) == (
        1,
        1,
    )


def test_own_customers_and_names_stay(tmp_path: Path) -> None:
    """Nothing but addresses, kinds and counts comes out: no title, user name or comment."""
    made = event('rsit:intrusion-attempts="brute-force"')
    made.info = "anna@example.net was robbed"
    made.add_object(
        thing("authentication-failure-report", ip_src=ATTACKER, type="anna smith", username="anna")
    )
    made.objects[0].first_seen = FIRST
    made.objects[0].add_attribute("total", value="2")
    result = sifted(tmp_path, made.to_json(), networks=(f"{OURS}/32",))
    assert "anna" not in repr(result.attacks)
    assert len(result.attacks) == 1
