"""What is known of addresses that somebody else chose, wherever the site sends something."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

Address = IPv4Address | IPv6Address

#: Where clouds keep a machine's credentials beside what is link-local. Of AWS it is a whole
#: network, of a machine and of a pod in it; then Oracle, Alibaba, Azure, Google.
_OF_CREDENTIALS = [
    ip_network(each)
    for each in (
        "fd00:ec2::/32",
        "192.0.0.192",
        "100.100.100.200",
        "168.63.129.16",
        "fd20:ce::254",
    )
]

#: What a network without IPv4 has for the addresses of IPv4 (RFC 6052).
_NAT64 = ip_network("64:ff9b::/96")


def inner(address: Address) -> Address:
    """The address of IPv4 that one of IPv6 leads to; any other one as it is."""
    if not isinstance(address, IPv6Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return (
        address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address
    )


def has_credentials(address: Address) -> bool:
    """Whether a cloud may keep the machine's credentials at what `inner` told."""
    return address.is_link_local or any(address in each for each in _OF_CREDENTIALS)
