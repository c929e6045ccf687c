"""The configuration of the web server, for `manage.py serve` and its tests."""

from __future__ import annotations

import resource
from collections.abc import Sequence
from typing import Any

from runtime.tried_releases import Tried

UVICORN = Tried(
    "uvicorn",
    "==0.54.0",
    "neither the bytes of a request's head nor the time that it takes nor the number of "
    "connections is bounded by us, so a proxy in front has to have them",
)
if UVICORN.is_installed:
    from ordersite.web.bounded_http import BoundedHTTP

#: For `--host`: of both protocols, or of the one that the machine has.
EVERY_NETWORK = "::"

#: A client that keeps its connection may take so long between two requests.
KEEP_ALIVE_SECONDS = 75
#: Asked to stop, whom the server took is answered; only a stream that stays open longer is cut.
STOP_SECONDS = 5

#: Each may have a head, a body's first 64 KiB and what was read ahead: 300 MiB of all in all.
MAX_CONNECTIONS = 2_000
#: Open files beside the clients' connections: MongoDB's and RabbitMQ's, logs, bodies on disk.
OTHER_FILES = 300


def options(trusted_proxies: Sequence[str] = ()) -> dict[str, Any]:
    """For `uvicorn.run` and `uvicorn.Config`.

    Args:
        trusted_proxies: addresses and networks from which `X-Forwarded-For` says who the client is,
            and `X-Forwarded-Proto` how it came; from other addresses they are ignored.
    """
    return {
        "http": BoundedHTTP if UVICORN.is_installed else "httptools",
        "ws": "none",
        # It would be guessed, and `Traced` is not a coroutine function.
        "interface": "asgi3",
        "proxy_headers": bool(trusted_proxies),
        "forwarded_allow_ips": list(trusted_proxies),
        "server_header": False,
        "access_log": False,
        "log_config": None,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": STOP_SECONDS,
    }


def listening(host: str) -> str:
    """The `host` for `uvicorn.run`, which would take `::` for IPv6 alone."""
    return "" if host == EVERY_NETWORK else host


def bound_connections() -> None:
    """Take as many connections as there may be open files, and leave some for everything else."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + OTHER_FILES
    files = max(now, wanted if most == resource.RLIM_INFINITY else min(wanted, most))
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    if UVICORN.is_installed:
        BoundedHTTP.max_connections = max(1, min(files - OTHER_FILES, MAX_CONNECTIONS))
