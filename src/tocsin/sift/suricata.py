"""The lists as Suricata's datasets, and the rules that ask them (Suricata 7 or later: its type `ip`).

A dataset holds whole values: a name matches as it is listed and not below, in lower case.
"""

import base64
from collections.abc import Iterable

NAMES, ADDRESSES, RULES = "tocsin-names.lst", "tocsin-addresses.lst", "tocsin.rules"
FIRST_SID = 1_334_001  # of the range for local rules; change it where yours use it

_NAME_SET = f"dataset:isset,tocsin-names,type string,load {NAMES}"
_ADDRESS_SET = f"dataset:isset,tocsin-addresses,type ip,load {ADDRESSES}"
_WHERE = (
    ("dns", "$HOME_NET any -> any any", "a shared name was asked for", f"dns.query; {_NAME_SET};"),
    ("tls", "$HOME_NET any -> any any", "a shared name was called by TLS", f"tls.sni; {_NAME_SET};"),
    ("http", "$HOME_NET any -> any any", "a shared name was called by HTTP", f"http.host; {_NAME_SET};"),
    ("ip", "any any -> $HOME_NET any", "a shared address is calling", f"ip.src; {_ADDRESS_SET};"),
    ("ip", "$HOME_NET any -> any any", "a shared address is called", f"ip.dst; {_ADDRESS_SET};"),
)


def names_file(names: Iterable[str]) -> bytes:
    """A dataset of strings: each in Base64, one a line."""
    return b"".join(base64.b64encode(name.encode()) + b"\n" for name in names)


def addresses_file(addresses: Iterable[str]) -> bytes:
    """A dataset of addresses, one a line."""
    return "".join(f"{address}\n" for address in addresses).encode()


def rules_file() -> bytes:
    """The rules: each tells once a minute for each host."""
    lines = [
        f'alert {protocol} {direction} (msg:"Tocsin: {words}"; {asked} '
        "threshold:type limit,track by_src,count 1,seconds 60; "
        f"classtype:trojan-activity; sid:{FIRST_SID + place}; rev:1;)\n"
        for place, (protocol, direction, words, asked) in enumerate(_WHERE)
    ]
    return "".join(lines).encode()
