"""Serves to Prometheus what this process counts, on a port of its own, if the settings name one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from wsgiref.simple_server import WSGIServer

from django.conf import settings
from prometheus_client import REGISTRY, start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from runtime.metrics.counting import declared

#: Of this process and those that it forks, which must not keep the port.
_server: WSGIServer | None = None


class Counted(Collector):
    """Every counter and histogram of this process that has a value."""

    def collect(self) -> Iterator[Metric]:
        for each in declared:
            family = each.family()
            if family.samples:
                yield family

    def describe(self) -> list[Metric]:
        """None are known yet."""
        return []


def serve() -> None:
    """Answer on `METRICS_ADDRESS` and `METRICS_PORT` from now on; nothing where there is no port.

    Raises:
        SystemExit: another process has the port, or the address is not this machine's.
    """
    global _server
    if not settings.METRICS_PORT or _server is not None:
        return
    address, port = settings.METRICS_ADDRESS, settings.METRICS_PORT
    if address == "::" and not socket.has_dualstack_ipv6():
        # On a machine without IPv6 that is not an address, and every network all the same.
        address = "0.0.0.0"  # noqa: S104
    try:
        _server, _ = start_http_server(port, address, REGISTRY)
    except OSError as error:
        raise SystemExit(
            f"The setting METRICS_PORT is not usable: {error.strerror} ({address}, port {port}).\n"
            "Each process needs a port of its own, for example: METRICS_PORT=9101"
        ) from error
    REGISTRY.register(Counted())


def forget() -> None:
    """Let go of the port that a fork has inherited."""
    if _server is not None:
        _server.socket.close()
