"""Which TCP ports of this machine are free."""

from __future__ import annotations

import errno
import socket

#: `localhost` may mean either, so a port is only ours when it is free on both.
LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


def is_free(port: int) -> bool:
    """Tell whether nobody listens on this loopback port."""
    return not any(_is_taken(family, address, port) for family, address in LOOPBACK)


def free_port(*preferred: int | None) -> int:
    """Return the first free port of `preferred` (None is passed over), otherwise any free one."""
    for port in preferred:
        if port is not None and is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_taken(family: socket.AddressFamily, address: str, port: int) -> bool:
    with socket.socket(family) as probe:
        # A connection that ended a moment ago does not occupy its port; a listener does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            # A machine without IPv6 has no such address to bind.
            return error.errno in (errno.EADDRINUSE, errno.EACCES)
    return False
