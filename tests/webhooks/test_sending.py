"""One attempt: within its time, read to a bound, to the address that was checked."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from runtime.checked_connection import MOST_SENT_BYTES, TimedSocket
from runtime.signed_webhook import new_secret
from tests.webhooks.receivers import receiver, talking
from webhooks import sending
from webhooks.sending import MOST_ANSWER_CHARACTERS, Sent, send

SECRET = new_secret()
BODY = '{"type":"order.placed"}'
#: How long a receiver goes on that is not broken off.
TRICKLES_SECONDS = 30


def sent_to(url: str) -> Sent:
    return send(url, "msg_1", BODY, [SECRET], datetime.now(UTC))


def test_a_receiver_can_verify_what_comes() -> None:
    with receiver() as server:
        sent = sent_to(server.url)

    (request,) = server.requests
    assert Webhook(SECRET).verify(request.body, request.headers) == json.loads(BODY)
    assert request.path == "/hook?a=1"
    assert request.headers["content-type"] == "application/json"
    assert (sent.status, sent.is_success, sent.error) == (204, True, "")
    assert sent.headers["webhook-id"] == "msg_1"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_not_followed(status: int) -> None:
    with receiver() as inside, receiver(status) as outside:
        outside.headers["Location"] = inside.url
        sent = sent_to(outside.url)

    assert not sent.is_success
    assert "redirects are not followed" in sent.error
    assert inside.requests == []


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_anything_but_2xx_is_a_failure_that_says_what_was_answered(status: int) -> None:
    with receiver(status) as server:
        server.answer = b"no \x00 thank you \xff"
        sent = sent_to(server.url)

    assert not sent.is_success
    assert (sent.status, sent.is_gone) == (status, status == 410)
    assert sent.answer == "no \ufffd thank you \ufffd"


def test_of_a_long_answer_the_beginning_is_read() -> None:
    def without_end(peer: socket.socket, over: threading.Event) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(OSError):
            while not over.is_set():
                peer.sendall(b"x" * 10_000)

    with talking(without_end) as url:
        sent = sent_to(url)

    assert sent.is_success
    assert len(sent.answer) == MOST_ANSWER_CHARACTERS


def head(peer: socket.socket, over: threading.Event) -> None:
    until = time.monotonic() + TRICKLES_SECONDS
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    with suppress(OSError):
        while not over.wait(0.02) and time.monotonic() < until:
            peer.sendall(b"X-More: of it\r\n"[:3])


def body(peer: socket.socket, over: threading.Event) -> None:
    until = time.monotonic() + TRICKLES_SECONDS
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    with suppress(OSError):
        while not over.wait(0.02) and time.monotonic() < until:
            peer.sendall(b"x")


def nothing(peer: socket.socket, over: threading.Event) -> None:
    over.wait(TRICKLES_SECONDS)


@pytest.mark.parametrize("say", [head, body, nothing])
def test_who_trickles_gains_no_time(monkeypatch: pytest.MonkeyPatch, say: Any) -> None:
    monkeypatch.setattr(sending, "ANSWER_SECONDS", 0.3)

    began = time.monotonic()
    with talking(say) as url:
        sent = sent_to(url)

    assert time.monotonic() - began < TRICKLES_SECONDS
    assert not sent.is_success
    assert "no whole answer within" in sent.error


def test_what_is_no_http_is_a_failure() -> None:
    def nonsense(peer: socket.socket, over: threading.Event) -> None:
        peer.recv(10_000)
        peer.sendall(b"SSH-2.0-OpenSSH\r\n")

    with talking(nonsense) as url:
        sent = sent_to(url)

    assert (sent.status, sent.is_success) == (None, False)
    assert sent.error


def test_a_resolver_that_does_not_answer_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(sending, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(TRICKLES_SECONDS))

    began = time.monotonic()
    sent = sent_to("https://hooks.example.com/")
    took = time.monotonic() - began
    over.set()

    assert took < TRICKLES_SECONDS
    assert sent.error == "hooks.example.com could not be looked up in time"


def test_who_reads_slowly_over_tls_gains_no_time() -> None:
    """The socket's own `sendall` would wait anew for each record."""
    sent: list[int] = []

    class Slow:
        def settimeout(self, seconds: float) -> None:
            assert seconds <= 0.2

        def send(self, data: memoryview) -> int:
            time.sleep(0.05)
            sent.append(len(data))
            return len(data)

    slow: Any = Slow()
    with pytest.raises(TimeoutError):
        TimedSocket(slow, time.monotonic() + 0.2).sendall(bytes(10 * MOST_SENT_BYTES))
    assert set(sent) == {MOST_SENT_BYTES}


def test_a_name_is_looked_up_once_and_that_address_is_asked(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """DNS rebinding: a good address for the check, and one inside for the connection."""
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = False
    answers = ["93.184.216.34", "127.0.0.1"]
    asked: list[Any] = []
    real = socket.getaddrinfo

    def rebinding(host: Any, *rest: Any, **options: Any) -> Any:
        if host != "hooks.example.com":
            return real(host, *rest, **options)
        return real(answers.pop(0), *rest, **options)

    def connect(address: Any, timeout: float) -> Any:
        asked.append(address)
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket, "create_connection", connect)

    sent = sent_to("https://hooks.example.com/")

    assert asked == [("93.184.216.34", 443)]
    assert sent.error == "refused"


def test_one_address_inside_among_several_is_enough_to_send_nothing(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = False
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in
             ("93.184.216.34", "169.254.169.254")]  # fmt: skip
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("it was asked"))

    sent = sent_to("https://hooks.example.com/")

    assert "169.254.169.254" in sent.error


def test_of_several_addresses_a_dead_one_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    with receiver() as server:
        port = int(server.url.rpartition(":")[2].partition("/")[0])
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in
                 ("127.0.0.9", "127.0.0.1")]  # fmt: skip
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *rest, **o: found if host == "hooks.test" else real(host, *rest, **o),
        )
        sent = sent_to(f"http://hooks.test:{port}/")

    assert sent.is_success


def test_a_secret_is_in_nothing_that_is_kept() -> None:
    with receiver(500) as server:
        server.answer = b"oops"
        sent = sent_to(server.url)

    assert SECRET not in str(sent.document())
    assert SECRET.removeprefix("whsec_") not in str(sent.document())
