"""A client's address, as limits use it."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

#: Who has one address of IPv6 has all of such a network (RFC 6177).
IPV6_PREFIX = 64


#: Of an IPv6 address with its zone.
MOST_CHARACTERS = 64


def bounded(address: str) -> str:
    """Whose limits count for this address: its own, or its network's.

    All that cannot be read count as one.
    """
    return _bounded(address[:MOST_CHARACTERS])


@lru_cache(maxsize=10_000)
def _bounded(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    # The zone of a link-local address is this machine's own name for a cable.
    return str(ip_network((int(parsed), IPV6_PREFIX), strict=False))
