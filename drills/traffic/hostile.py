"""Clients that mean harm: each takes of the web server what it gets, as long as it is let."""

from __future__ import annotations

import base64
import multiprocessing
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from threading import Thread

MIB = 1024 * 1024
#: How long one of them waits for anything.
PATIENCE_SECONDS = 60
#: No act is repeated more often than this, however soon it ends.
MOST_TIMES = 20
REST_SECONDS = 0.5


@dataclass(slots=True)
class Target:
    """Whom they attack, and from where."""

    port: int
    #: Their own addresses, so that a bound for each address is theirs alone.
    addresses: list[str]
    #: An order that there is.
    order_id: str
    chance: random.Random

    def connect(self) -> socket.socket:
        source = (self.chance.choice(self.addresses), 0)
        return socket.create_connection(
            ("127.0.0.1", self.port), PATIENCE_SECONDS, source_address=source
        )


def head(method: str, path: str, *lines: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def posted(path: str, length: int, type_: str, *lines: str) -> bytes:
    return head("POST", path, f"Content-Type: {type_}", f"Content-Length: {length}", *lines)


def hold(target: Target, count: int, sent: bytes) -> None:
    """Open so many connections, send this over each, and keep them."""
    with ExitStack() as held:
        for _ in range(count):
            with suppress(OSError):
                connection = held.enter_context(target.connect())
                connection.sendall(sent)
        time.sleep(PATIENCE_SECONDS)


def send(target: Target, sent: bytes, rest: bytes = b"", times: int = 0) -> None:
    """Send it, and so often the rest; read the answer as far as it comes at once."""
    with suppress(OSError), target.connect() as connection:
        connection.sendall(sent)
        for _ in range(times):
            connection.sendall(rest)
        connection.settimeout(PATIENCE_SECONDS)
        connection.recv(64 * 1024)


def at_once(target: Target, count: int, sent: bytes) -> None:
    """Send it over so many connections at the same time."""
    threads = [Thread(target=send, args=(target, sent), daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def basic(user: str, password: str) -> str:
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def say_nothing(target: Target) -> None:
    hold(target, 100, b"")


def send_half_a_head(target: Target) -> None:
    hold(target, 50, b"POST /orders HTTP/1.1\r\nHost: localhost\r\nX-Half: ")


def send_half_a_body(target: Target) -> None:
    hold(target, 50, posted("/orders", 100, "application/json") + b'{"userId": 1')


def begin_imports(target: Target) -> None:
    hold(target, 32, posted("/orders/import", 1_000, "application/x-ndjson") + b"{")


def read_no_stream(target: Target) -> None:
    hold(target, 40, head("GET", f"/orders/{target.order_id}/events"))


def read_no_answer(target: Target) -> None:
    hold(target, 10, head("GET", "/orders?limit=200") * 50)


def send_an_endless_header(target: Target) -> None:
    send(target, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"x" * MIB, 64)


def send_an_endless_chunk(target: Target) -> None:
    send(target, head("POST", "/orders", "Transfer-Encoding: chunked") + b"5;", b"x" * MIB, 64)


def import_empty_lines(target: Target) -> None:
    long = posted("/orders/import", 30 * MIB, "application/x-ndjson")
    send(target, long, b"\n" * MIB, 30)


def import_what_is_refused(target: Target) -> None:
    lines = b"{}\n" * 270_000
    send(target, posted("/orders/import", len(lines), "application/x-ndjson"), lines, 1)


def send_a_long_form(target: Target) -> None:
    form = posted("/admin/login/", 30 * MIB, "multipart/form-data; boundary=x")
    send(target, form, b"x" * MIB, 30)


def guess_passwords(target: Target) -> None:
    guess = basic("admin", f"wrong-{target.chance.random()}")
    at_once(target, 24, head("GET", "/failed-messages", guess))


def print_the_same_invoice(target: Target) -> None:
    at_once(target, 24, head("GET", f"/orders/{target.order_id}/invoice.pdf"))


def ask_without_pause(target: Target) -> None:
    at_once(target, 24, head("GET", "/orders?limit=200"))


ACTS: tuple[Callable[[Target], None], ...] = (
    say_nothing,
    send_half_a_head,
    send_half_a_body,
    begin_imports,
    read_no_stream,
    read_no_answer,
    send_an_endless_header,
    send_an_endless_chunk,
    import_empty_lines,
    import_what_is_refused,
    send_a_long_form,
    guess_passwords,
    print_the_same_invoice,
    ask_without_pause,
)


@contextmanager
def all_at_once(port: int, addresses: list[str], order_id: str, seed: int) -> Iterator[None]:
    """Each act goes on until the block ends, in a process that takes no time from who measures."""
    asked = (port, addresses, order_id, seed)
    process = multiprocessing.get_context("spawn").Process(target=attack, args=asked, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def attack(port: int, addresses: list[str], order_id: str, seed: int) -> None:
    """Each act again and again, in a thread of its own."""
    target = Target(port, addresses, order_id, random.Random(seed))
    threads = [Thread(target=repeat, args=(act, target)) for act in ACTS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def repeat(act: Callable[[Target], None], target: Target) -> None:
    for _ in range(MOST_TIMES):
        time.sleep(REST_SECONDS)
        act(target)
