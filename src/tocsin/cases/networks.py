"""Whose an origin is: can a member say which customer had this address?"""

import ipaddress

from tocsin.access.models import Member

# (version, prefix length): the networks of that size, as numbers without their host bits.
Networks = dict[tuple[int, int], set[int]]


def of_members() -> Networks:
    """The networks that members say are theirs."""
    found: Networks = {}
    for texts in Member.objects.exclude(networks=[]).values_list("networks", flat=True):
        for text in texts:
            network = ipaddress.ip_network(text, strict=False)
            shift = network.max_prefixlen - network.prefixlen
            found.setdefault((network.version, network.prefixlen), set()).add(
                int(network.network_address) >> shift
            )
    return found


def is_named(networks: Networks, origin: str) -> bool:
    """Is the origin an own customer of a member, by token or because the address is in its network?"""
    if origin.startswith("token:"):
        return True
    if not networks or not origin:
        return False
    try:
        address = ipaddress.ip_address(origin)
    except ValueError:
        return False
    number = int(address)
    return any(
        version == address.version and number >> (address.max_prefixlen - length) in there
        for (version, length), there in networks.items()
    )
