"""Standard ports where they are free, otherwise others."""

from __future__ import annotations

import errno
import socket
import sys
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest

from localservices.pipeline import ROOT
from localservices.ports import free_port, is_free
from tests import loopback


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


@pytest.mark.parametrize("address", loopback.addresses())
def test_a_listener_on_loopback_of_either_protocol_counts(address: str) -> None:
    """`localhost` may mean either address, so a browser could meet the other program."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as other:
        assert not is_free(other.getsockname()[1])


def test_a_kernel_without_ipv6_has_free_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    class WithoutIPv6(socket.socket):
        def __init__(self, family: int = socket.AF_INET, *rest: Any) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            super().__init__(family, *rest)

    monkeypatch.setattr(socket, "socket", WithoutIPv6)

    assert is_free(free_port())


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
