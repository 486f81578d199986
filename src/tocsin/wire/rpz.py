"""A response policy zone as text, for BIND, Unbound, Knot Resolver and PowerDNS.

Names as they were reported, each answered with NXDOMAIN (`CNAME .`, draft-vixie-dnsop-dns-rpz section 3.1),
and nothing below them. Written line by line: a zone of a million names needs no DNS library.
"""

from collections.abc import Iterable, Iterator

REFRESH, RETRY, EXPIRE, TTL = 60, 30, 604_800, 60  # seconds


def zone(names: Iterable[str], serial: int) -> Iterator[str]:
    """The zone file's parts (RFC 1035 section 5.1), relative to whatever name it is loaded under.

    `names` are lower-case host names without final dot; the serial is the list's number.
    """
    yield (
        f"$TTL {TTL}\n"
        f"@ IN SOA localhost. hostmaster.localhost. {serial} {REFRESH} {RETRY} {EXPIRE} {TTL}\n"
        "@ IN NS localhost.\n"
    )
    for name in names:
        yield name + " CNAME .\n"
