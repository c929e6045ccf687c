"""Standard ports where they are free, otherwise others."""

from __future__ import annotations

import socket

from localservices.ports import free_port, is_free


def test_a_free_preferred_port_is_taken() -> None:
    port = free_port()
    assert free_port(None, port) == port


def test_a_port_with_a_listener_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        assert not is_free(taken)
        assert free_port(taken) != taken


def test_a_listener_on_every_address_counts_too() -> None:
    with socket.create_server(("0.0.0.0", 0)) as other:
        assert not is_free(other.getsockname()[1])


def test_a_listener_on_ipv6_loopback_counts_too() -> None:
    """`localhost` may mean either address, so a browser could meet the other program."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        assert not is_free(other.getsockname()[1])
