"""A response policy zone as text, for BIND, Unbound, Knot Resolver and PowerDNS.

Names as they were reported, each answered with NXDOMAIN (`CNAME .`, draft-vixie-dnsop-dns-rpz section 3.1)
or as `target` says, and nothing below them. Written line by line: a zone of a million names needs no DNS
library.
"""

from collections.abc import Iterable, Iterator

REFRESH, RETRY, EXPIRE, TTL = 60, 30, 604_800, 60  # seconds
NXDOMAIN, PASS = ".", "rpz-passthru."  # targets: there is no such name; answer as though it were not listed
NOBODY = "hostmaster.localhost."


def zone(names: Iterable[str], serial: int, target: str = NXDOMAIN, contact: str = NOBODY) -> Iterator[str]:
    """The zone file's parts (RFC 1035 section 5.1), relative to whatever name it is loaded under.

    `names` are lower-case host names without final dot; the serial is the list's number. `target` is where
    each leads: NXDOMAIN, PASS, or an absolute host name.
    """
    yield f"$TTL {TTL}\n@ IN SOA {soa(serial, contact)}\n@ IN NS localhost.\n"
    answer = f" CNAME {target}\n"
    for name in names:
        yield name + answer


def soa(serial: int, contact: str = NOBODY) -> str:
    """What the zone's SOA record holds (RFC 1035 section 3.3.13); `contact` is its RNAME."""
    return f"localhost. {contact} {serial} {REFRESH} {RETRY} {EXPIRE} {TTL}"
