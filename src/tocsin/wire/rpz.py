"""A response policy zone as text, for BIND, Unbound, Knot Resolver and PowerDNS.

Names as they were reported, each answered with NXDOMAIN (`CNAME .`, draft-vixie-dnsop-dns-rpz section 3.1)
or as `target` says, and nothing below them; a comment says for which class of attack those after it are
listed. Written line by line: a zone of a million names needs no DNS library.
"""

from collections.abc import Iterable, Iterator

from tocsin.wire.lists import class_line

REFRESH, RETRY, EXPIRE, TTL = 60, 30, 604_800, 60  # seconds
NXDOMAIN, PASS = ".", "rpz-passthru."  # targets: there is no such name; answer as though it were not listed
NOBODY = "hostmaster.localhost."
COMMENT = ";"  # RFC 1035 section 5.1

Group = tuple[str, str, Iterable[str]]  # a class of attack, where its names lead, and the names


def zone(groups: Iterable[Group], serial: int, contact: str = NOBODY) -> Iterator[str]:
    """The zone file's parts (RFC 1035 section 5.1), relative to whatever name it is loaded under.

    Names are lower-case host names without final dot; the serial is the list's number. A group's target is
    NXDOMAIN, PASS, or an absolute host name.
    """
    yield f"$TTL {TTL}\n@ IN SOA {soa(serial, contact)}\n@ IN NS localhost.\n"
    for kind, target, names in groups:
        yield class_line(COMMENT, kind)
        answer = record(target)
        for name in names:
            yield name + answer


def record(target: str) -> str:
    """What stands behind a name that leads there, to the end of its line."""
    return f" CNAME {target}\n"


def soa(serial: int, contact: str = NOBODY) -> str:
    """What the zone's SOA record holds (RFC 1035 section 3.3.13); `contact` is its RNAME."""
    return f"localhost. {contact} {serial} {REFRESH} {RETRY} {EXPIRE} {TTL}"
