"""The proxy does to connections what networks do."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from threading import Thread

import pytest

from drills.cluster.network import Network
from drills.cluster.proxy import Direction, Proxy

pytestmark = pytest.mark.usefixtures("slow_clients")

ANSWER_SECONDS = 5
SILENCE_SECONDS = 0.3


class Echo:
    """A server that answers with what it gets, and counts it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.received = b""
        Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            # Also ends an `accept` that waits.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            while data := connection.recv(1024):
                self.received += data
                connection.sendall(data)
        except OSError:
            pass


@pytest.fixture
def echo() -> Iterator[Echo]:
    with closing(Echo()) as server:
        yield server


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Network() as network:
        yield network.proxy(echo.port)


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with connect(proxy) as connected:
        assert ask(connected) == b"hello"
        yield connected


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=ANSWER_SECONDS)


def ask(client: socket.socket) -> bytes:
    client.sendall(b"hello")
    return client.recv(1024)


def is_refused(proxy: Proxy) -> bool:
    try:
        with connect(proxy) as new:
            return ask(new) == b""
    except ConnectionError:
        return True


def is_silent(client: socket.socket) -> bool:
    client.settimeout(SILENCE_SECONDS)
    try:
        client.recv(1024)
    except TimeoutError:
        return True
    finally:
        client.settimeout(ANSWER_SECONDS)
    return False


def gets_no_answer(client: socket.socket) -> bool:
    client.settimeout(SILENCE_SECONDS)
    try:
        client.sendall(b"hello")
        return client.recv(1024) == b""
    except (TimeoutError, ConnectionError):
        return True


def test_a_cut_resets_every_connection_until_it_is_restored(
    proxy: Proxy, client: socket.socket
) -> None:
    proxy.cut()

    with pytest.raises(ConnectionResetError):
        client.recv(1024)
    assert is_refused(proxy)
    proxy.restore()
    with connect(proxy) as later:
        assert ask(later) == b"hello"


def test_a_reset_ends_only_the_connections_that_there_are(
    proxy: Proxy, client: socket.socket
) -> None:
    proxy.reset()

    with pytest.raises(ConnectionResetError):
        client.recv(1024)
    with connect(proxy) as new:
        assert ask(new) == b"hello"


@pytest.mark.parametrize("direction", Direction)
def test_a_half_open_connection_is_silent_for_ever(
    proxy: Proxy, client: socket.socket, echo: Echo, direction: Direction
) -> None:
    """The server hears what is lost on the way back alone."""
    proxy.swallow([direction])
    client.sendall(b"bye")

    assert is_silent(client)
    assert echo.received.endswith(b"bye") == (direction == Direction.TO_CLIENT)
    proxy.restore()
    client.sendall(b"still there?")
    assert is_silent(client)
    with connect(proxy) as new:
        assert ask(new) == b"hello"


def test_what_is_held_arrives_later(proxy: Proxy, client: socket.socket) -> None:
    proxy.hold()
    client.sendall(b"later")

    assert is_silent(client)
    proxy.restore()
    assert client.recv(1024) == b"later"


def test_slow_is_slower_each_way(proxy: Proxy, client: socket.socket) -> None:
    proxy.slow(0.2)
    started = time.monotonic()

    assert ask(client) == b"hello"
    assert time.monotonic() - started >= 0.4


@pytest.mark.parametrize("fault", [Proxy.cut, Proxy.reset, Proxy.hold, Proxy.swallow])
def test_a_fault_may_be_one_clients_alone(
    proxy: Proxy, client: socket.socket, fault: Callable[[Proxy], None]
) -> None:
    with connect(proxy) as other:
        other.sendall(b"I am relay\0 and more")
        assert other.recv(1024)
        before = proxy.hits

        proxy.only("relay")
        fault(proxy)

        assert gets_no_answer(other)
        assert ask(client) == b"hello"
        assert proxy.hits > before


def test_what_no_fault_touched_is_not_counted(proxy: Proxy, client: socket.socket) -> None:
    proxy.only("relay")
    proxy.cut()

    assert ask(client) == b"hello"
    assert proxy.hits == 0


def test_a_server_that_is_down_is_a_reset(proxy: Proxy, echo: Echo) -> None:
    echo.close()

    assert is_refused(proxy)
