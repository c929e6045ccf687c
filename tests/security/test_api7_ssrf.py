"""API7: the one address that the site asks by itself leads to that address and nowhere else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from threading import Thread
from typing import Any

import pytest
from environs import ValidationError

from failed_messages.acting.alert_webhook import NotDelivered, fault_of, post
from ordersite.urls_in_settings import web_url
from runtime.checked_connection import NotAsked


class Answering(HTTPServer):
    """Answers every request in the same way, and keeps what was asked."""

    def __init__(self, status: int, location: str = "") -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        answering = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answering.asked.append((self.command, self.path, body))
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.end_headers()

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?a=1"


@pytest.fixture
def inside() -> Iterator[Answering]:
    """What no webhook may lead to."""
    server = Answering(200)
    yield server
    server.shutdown()
    server.server_close()


def test_what_takes_the_alert_gets_it(inside: Answering) -> None:
    post(inside.url, b"{}", {})

    assert inside.asked == [("POST", "/hook?a=1", b"{}")]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(inside: Answering, status: int) -> None:
    outside = Answering(status, inside.url)
    with pytest.raises(NotDelivered, match="redirects are not followed"):
        post(outside.url, b"{}", {})

    assert inside.asked == []
    outside.shutdown()
    outside.server_close()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://h/", "gopher://h/", "//h", "data:,x"])
def test_no_other_scheme_is_asked(url: str) -> None:
    with pytest.raises(NotAsked):
        post(url, b"{}", {})
    with pytest.raises(ValidationError):
        web_url(url)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("169.254.169.254", "metadata.example.com"),
        ("169.254.169.254", "169.254.169.254"),
        ("fe80::1", "h"),
        *((each, "h") for each in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")),
        *((each, "h") for each in ("fd00:ec2::23", "fd20:ce::254")),
        *((each, "h") for each in ("64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "64:ff9b::7f00:1")),
        ("::ffff:169.254.169.254", "h"),
        ("0.0.0.0", "0.0.0.0"),
        ("::", "::"),
        ("224.0.0.1", "h"),
        ("240.0.0.1", "h"),
        ("127.0.0.1", "hooks.example.com"),
        ("::1", "hooks.example.com"),
        ("::ffff:127.0.0.1", "hooks.example.com"),
    ],
)
def test_an_address_that_is_no_webhooks_is_not_asked(address: str, host: str) -> None:
    assert fault_of(ip_address(address), host)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("10.1.2.3", "chat.internal"),
        ("203.0.113.9", "h"),
        ("127.0.0.1", "localhost"),
        ("::1", "::1"),
    ],
)
def test_webhooks_of_ones_own_network_are(address: str, host: str) -> None:
    # 203.0.113.0/24 is for documentation, and so are these tests.
    assert not fault_of(ip_address(address), host)


def test_a_name_that_has_become_this_machines_is_not_asked(
    inside: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, *rest, **o: real("127.0.0.1", *rest, **o))

    with pytest.raises(NotAsked, match="this machine"):
        post(f"http://hooks.example.com:{inside.server_port}/", b"{}", {})
    assert inside.asked == []
