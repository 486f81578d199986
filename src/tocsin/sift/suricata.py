"""The lists as Suricata's datasets, one a class, and the rules that ask them (Suricata 7 or later).

A dataset holds whole values: a name matches as it is listed and not below, in lower case.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from zlib import crc32

RULES = "tocsin.rules"
FIRST_SID = 1_300_000  # of the range for local rules; change it where yours use it
PLACES = 65_536  # a class has always the same ten numbers, by its name
LONGEST = 45  # Suricata names a dataset in 63 characters

_NAMES = (
    ("dns", "$HOME_NET any -> any any", "a shared name was asked for", "dns.query"),
    ("tls", "$HOME_NET any -> any any", "a shared name was called by TLS", "tls.sni"),
    ("http", "$HOME_NET any -> any any", "a shared name was called by HTTP", "http.host"),
)
_ADDRESSES = (
    ("ip", "any any -> $HOME_NET any", "a shared address is calling", "ip.src"),
    ("ip", "$HOME_NET any -> any any", "a shared address is called", "ip.dst"),
)
# Names of Suricata's own classification.config, by RSIT class.
_CLASSTYPES = {
    "fraud": "social-engineering",
    "information-gathering": "attempted-recon",
    "intrusion-attempts": "attempted-admin",
    "intrusions": "successful-admin",
    "malicious-code": "trojan-activity",
}


@dataclass(frozen=True, slots=True)
class Dataset:
    """The values of one class (empty: those that are listed under none)."""

    attack_kind: str
    is_names: bool

    @property
    def name(self) -> str:
        """As rules call it."""
        kind = self.attack_kind.replace("/", "-")
        if len(kind) > LONGEST:
            kind = f"{kind[: LONGEST - 9]}-{crc32(kind.encode()):08x}"
        return "-".join(filter(None, ("tocsin", "names" if self.is_names else "addresses", kind)))

    @property
    def file(self) -> str:
        """Where it stands."""
        return f"{self.name}.lst"

    def body(self, values: Iterable[str]) -> bytes:
        """The file: a value a line, names in Base64."""
        if self.is_names:
            return b"".join(base64.b64encode(value.encode()) + b"\n" for value in values)
        return "".join(f"{value}\n" for value in values).encode()

    def rules(self) -> list[str]:
        """The rules that ask it: each tells once a minute for each host."""
        form = f"type {'string' if self.is_names else 'ip'},load {self.file}"
        first = FIRST_SID + crc32(self.attack_kind.encode()) % PLACES * 10 + (0 if self.is_names else 5)
        classtype = _CLASSTYPES.get(self.attack_kind.partition("/")[0], "bad-unknown")
        of = f" ({self.attack_kind})" if self.attack_kind else ""
        return [
            f'alert {protocol} {direction} (msg:"Tocsin: {words}{of}"; '
            f"{asked}; dataset:isset,{self.name},{form}; "
            "threshold:type limit,track by_src,count 1,seconds 60; "
            f"classtype:{classtype}; sid:{first + place}; rev:1;)\n"
            for place, (protocol, direction, words, asked) in enumerate(
                _NAMES if self.is_names else _ADDRESSES
            )
        ]


def rules_file(sets: Iterable[Dataset]) -> bytes:
    """The rules of all these datasets."""
    return "".join(line for one in sets for line in one.rules()).encode()
