"""nginx as `deploy/proxy` sets it up, before a web server that tells what it was asked."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drills.cluster.front import CONFIGURATION, nginx_before, nginx_program, written
from tests.certificates import make_certificates
from tests.concurrency import at_once
from tests.raw_http import Answer, ask, served

#: Answers there may have a secret in them.
UNCOMPRESSED = ("/admin/", "/admin/orders/order/", "/api-keys", "/webhooks/endpoints")

HEAD = b"Host: shop.example:8443\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the request's head, and how long its body was."""
    length = 0
    more = True
    while more:
        event = await receive()
        length += len(event.get("body", b""))
        more = event.get("more_body", False)
    told = {name.decode(): value.decode("latin1") for name, value in scope["headers"]}
    told |= {"client": scope["client"][0], "body": str(length), "path": scope["raw_path"].decode()}
    body = json.dumps(told).encode()
    headers = [(b"content-type", b"application/json")]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def front(programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with (
        served(application, trusted_proxies=["127.0.0.1"]) as port,
        nginx_before(port, tmp_path_factory.mktemp("nginx")) as listening,
    ):
        yield listening


def get(path: str = "/", *lines: str, method: str = "GET", body: bytes = b"") -> bytes:
    length = [f"Content-Length: {len(body)}"] if body else []
    head = "".join(f"{line}\r\n" for line in [*lines, *length])
    return f"{method} {path} HTTP/1.1\r\n".encode() + HEAD + head.encode() + b"\r\n" + body


def told(answer: Answer) -> dict[str, str]:
    assert answer.status == 200, answer
    return dict(json.loads(answer.body))


def test_the_site_is_told_who_asks_by_the_proxy_alone(front: int) -> None:
    seen = told(ask(front, get("//orders/%2e?a=1")))

    assert seen["client"] == seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"
    assert (seen["host"], seen["path"]) == ("shop.example:8443", "//orders/%2e")


def test_an_address_that_is_trusted_by_nobody_is_not_believed() -> None:
    with served(application) as port:
        assert told(ask(port, get()))["client"] == "127.0.0.1"
    with served(application, trusted_proxies=["10.0.0.0/8"]) as port:
        assert told(ask(port, get()))["client"] == "127.0.0.1"
    with served(application, trusted_proxies=["127.0.0.1"]) as port:
        assert told(ask(port, get()))["client"] == "6.6.6.6"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get("/admin/login/", method="POST", body=b"x" * 1_100_000), 413),
        (get("/" + "x" * 9_000), 414),
        (get("/", "X: " + "x" * 9_000), 431),
        (get("/", *["X: " + "x" * 8_000] * 5), 431),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
    ],
    ids=["body", "address", "header", "headers", "no host"],
)
def test_what_is_too_long_ends_at_the_proxy_as_a_problem(
    front: int, request_: bytes, status: int
) -> None:
    answer = ask(front, request_)

    assert (answer.status, json.loads(answer.body)["status"]) == (status, status)
    assert ("Content-Type", "application/problem+json") in answer.headers


def test_an_import_may_be_long_and_comes_whole(front: int) -> None:
    body = b"x" * 3_000_000

    seen = told(ask(front, get("/orders/import", method="POST", body=body)))

    assert seen["body"] == seen["content-length"] == str(len(body))


def test_json_is_compressed_but_for_what_has_secrets(front: int) -> None:
    def coding(path: str) -> str | None:
        long = f"X-Long: {'x' * 2_000}"
        answer = ask(front, get(path, "Accept-Encoding: gzip", long))
        return {name.lower(): value for name, value in answer.headers}.get("content-encoding")

    assert coding("/orders") == "gzip"
    assert [coding(each) for each in UNCOMPRESSED] == [None] * len(UNCOMPRESSED)


def test_one_address_has_its_rate_and_hears_when_to_come_back(front: int) -> None:
    """Guesses at the admin's login have a lower one."""
    answers = at_once([lambda: ask(front, get("/admin/login/", method="POST", body=b"x"))] * 20)

    refused = [each for each in answers if each.status == 429]
    assert 5 <= len(refused) <= 12
    assert all(("Retry-After", "1") in each.headers for each in refused)
    assert ask(front, get()).status == 200


@pytest.mark.usefixtures("programs")
def test_a_site_that_is_away_is_a_problem_too(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with nginx_before(port, tmp_path) as listening:
        answer = ask(listening, get())

    assert (answer.status, ("Retry-After", "5") in answer.headers) == (503, True)


@pytest.mark.usefixtures("programs")
def test_the_files_for_tls_are_what_nginx_takes(tmp_path: Path) -> None:
    folder = written(tmp_path / "nginx", 8000, 8001)
    listen = (CONFIGURATION / "listen-tls.conf").read_text()
    made = make_certificates(tmp_path / "tls")
    listen = listen.replace("/etc/ssl/ordersite/tls.crt", str(made.server))
    listen = listen.replace("/etc/ssl/ordersite/tls.key", str(made.server_key))
    # Another user may not listen there.
    listen = listen.replace("80;", "8080;").replace("443 ", "8443 ")
    (folder / "listen.conf").write_text(listen)
    command = [nginx_program(), "-t", "-p", str(folder), "-c", str(folder / "nginx.conf")]

    tried = subprocess.run(command, capture_output=True, text=True, check=False)

    assert tried.returncode == 0, tried.stderr
    assert "warn" not in tried.stderr
