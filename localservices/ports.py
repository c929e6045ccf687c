"""TCP ports of this machine for what we start.

Between choosing a port and listening on it others may take it. Our own starts never do, as each
claims the port on this machine first. Outgoing connections don't either: they get ports of another
range. Another program still may, so that who starts something tries again then (`Service`).
"""

from __future__ import annotations

import errno
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

from localservices.errors import NoFreePort

#: `localhost` may mean either, so a port is only ours when it is free on both.
LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))

#: Above what programs are known for, below what Linux gives to outgoing connections.
#: https://docs.kernel.org/networking/ip-sysctl.html, ip_local_port_range
RANGE = range(20_000, 32_000)

#: One file a port, locked by the process that claims it; a user's own, for all checkouts.
CLAIMS = Path(tempfile.gettempdir(), f"ordersite-ports-{os.getuid()}")

#: The claims of this process, with the files that hold their locks.
_claimed: dict[int, int] = {}


def is_free(port: int) -> bool:
    """Whether no process listens on this loopback port."""
    return not any(_is_taken(family, address, port) for family, address in LOOPBACK)


def free_port(*preferred: int | None) -> int:
    """Claim the first free port of `preferred` (None is passed over), otherwise any free one.

    The claim lasts as long as this process; what it claimed itself it may prefer again.

    Raises:
        NoFreePort: there is none.
    """
    for port in preferred:
        if port is not None and _claim(port):
            return port
    for port in random.sample(RANGE, len(RANGE)):
        if port not in _claimed and _claim(port):
            return port
    raise NoFreePort(f"Every port from {RANGE[0]} to {RANGE[-1]} is taken.")


def _claim(port: int) -> bool:
    """Claim the port unless it is claimed or in use."""
    if port in _claimed:
        return is_free(port)
    CLAIMS.mkdir(mode=0o700, exist_ok=True)
    file = os.open(CLAIMS / str(port), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    if not is_free(port):
        os.close(file)
        return False
    _claimed[port] = file
    return True


def _is_taken(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            # A connection that ended a moment ago does not occupy its port; a listener does.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        # A machine without IPv6 has no such address to bind, or not even sockets of it.
        return error.errno in (errno.EADDRINUSE, errno.EACCES)
    return False
