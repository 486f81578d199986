"""Counters of nftables sets: `nft -j list ruleset`, `nft -j list set …` and the same commands' plain text.

The counters run since the set was loaded and say nothing of when. Ranges and prefixes are left out: what an
exchange lists is single addresses.
"""

import ipaddress
import re

import msgspec

from tocsin.sift.sources import Unreadable

_ELEMENTS = re.compile(r"elements = \{(.*?)\}", re.DOTALL)
_COMMENT = re.compile(r'"[^"]*"')
_ELEMENT = re.compile(r"\s*(\S+)\s.*?\bcounter packets (\d+) bytes \d+", re.DOTALL)


def read(content: bytes) -> dict[str, int]:
    """Packets by compressed address, summed over the sets. Raises Unreadable."""
    text = content.decode("utf-8", "replace").strip()
    pairs = _json(text) if text.startswith("{") else _text(text)
    found: dict[str, int] = {}
    for element, packets in pairs:
        try:
            address = ipaddress.ip_address(element).compressed
        except ValueError:
            continue
        found[address] = found.get(address, 0) + packets
    return found


def looks_like(start: bytes) -> bool:
    """Whether a file that begins so came from nft."""
    text = start.lstrip()
    return text.startswith((b'{"nftables"', b"table "))


def _json(text: str) -> list[tuple[str, int]]:
    """From libnftables-json(5): `set` objects whose `elem` are objects with `val` and `counter`."""
    try:
        items = msgspec.json.decode(text)["nftables"]
        sets = [item["set"] for item in items if isinstance(item, dict) and "set" in item]
        elements = [element["elem"] for one in sets for element in one.get("elem", ()) if "elem" in element]
        return [
            (value, int(element["counter"]["packets"]))
            for element in elements
            if isinstance(value := element["val"], str) and element.get("counter")
        ]
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise Unreadable("JSON that nft does not write") from None


def _text(text: str) -> list[tuple[str, int]]:
    if not text.startswith("table "):
        raise Unreadable("nothing that nft prints")
    sets = _ELEMENTS.findall(_COMMENT.sub('""', text))
    elements = (_ELEMENT.match(element) for elements in sets for element in elements.split(","))
    return [(found[1], int(found[2])) for found in elements if found]
