"""Standard ports where they are free, otherwise others."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from localservices.pipeline import ROOT
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


CLAIM = "from localservices.ports import free_port; print(free_port({port}), flush=True); input()"


@pytest.mark.usefixtures("programs")
def test_two_starts_at_once_never_get_one_port() -> None:
    """Neither listens yet: `make run` listens seconds after it chose its ports."""
    port = free_port()
    command = [sys.executable, "-c", CLAIM.format(port=port)]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True, cwd=ROOT) as other:
        assert other.stdout
        theirs = int(other.stdout.readline())
        assert theirs != port
        assert free_port(theirs) != theirs
        other.communicate("\n")

    assert free_port(theirs) == theirs, "the claim ended with its process"


def test_no_outgoing_connection_gets_such_a_port() -> None:
    first, _ = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    assert free_port() < int(first)
    assert len({free_port() for _ in range(20)}) == 20
