"""Which addresses of itself this machine has, for tests of what listens on both protocols."""

from __future__ import annotations

import socket


def has_ipv6() -> bool:
    """Whether it has `::1`.

    A container without IPv6 may make sockets of it all the same, so that
    `socket.has_dualstack_ipv6` says nothing of the address.
    """
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def addresses() -> list[str]:
    return ["127.0.0.1", *(["::1"] if has_ipv6() else [])]
