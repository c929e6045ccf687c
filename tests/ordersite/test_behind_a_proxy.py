"""Behind a proxy that ends TLS, on any port and below any path, the admin and the API work."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode, urlsplit

import pytest
from bson import Decimal128
from django.contrib.auth.models import User
from django.db import connection
from environs import ValidationError

from localservices.installing import install
from ordersite.access import keys
from ordersite.web.site_address import origins, path_prefix, site_url
from tests.processes import Processes

HOST = "orders.example"
PASSWORD = "only for this test"


class TLSProxy:
    """Ends TLS, and hands each request to the site in the clear, without saying so."""

    def __init__(self, certificate: Path, *, hides_port: bool, strips: str = "") -> None:
        proxy = self
        self.site = ("", 0)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                headers = dict(self.headers.items())
                if hides_port:
                    headers["Host"] = HOST
                with closing(HTTPConnection(*proxy.site, timeout=30)) as site:
                    path = self.path.removeprefix(strips) or "/"
                    site.request(self.command, path, self.rfile.read(length), headers)
                    answer = site.getresponse()
                    body = answer.read()
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = pass_on  # noqa: N815

            def log_message(self, *args: object) -> None:
                """Nothing on the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Browser:
    """Keeps cookies, follows redirects, and says where its forms come from."""

    def __init__(self, port: int, certificate: Path) -> None:
        self._port = port
        self._context = ssl.create_default_context(cafile=certificate)
        self.cookies: SimpleCookie = SimpleCookie()
        #: Sent with each request, beside the cookies.
        self.headers: dict[str, str] = {}

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """The last status and page, all redirects followed."""
        for _ in range(5):
            answer, page = self._once(method, path, form)
            if answer.status not in (301, 302):
                return answer.status, page
            to = urlsplit(answer.headers["Location"])
            assert not to.netloc or to.netloc == f"{HOST}:{self._port}"
            path, method, form = to.path + (f"?{to.query}" if to.query else ""), "GET", None
        raise AssertionError("redirected for ever")

    def _once(self, method: str, path: str, form: object) -> tuple[HTTPResponse, str]:
        raw = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        server = HTTPSConnection(HOST, self._port)
        server.sock = self._context.wrap_socket(raw, server_hostname=HOST)
        cookies = "; ".join(f"{c.key}={c.value}" for c in self.cookies.values())
        headers = {**self.headers, "Cookie": cookies}
        body = None
        if method == "POST":
            headers["Origin"] = f"https://{HOST}:{self._port}"
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form) if isinstance(form, dict) else None
        with closing(server):
            server.request(method, path, body, headers)
            answer = server.getresponse()
            page = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            assert "; secure" in cookie.lower(), cookie
            self.cookies.load(cookie)
        return answer, page

    def log_in(self, path: str) -> tuple[int, str]:
        _, page = self.ask("GET", f"{path}/admin/")
        [token] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        [action] = re.findall(r'<form action="([^"]*)" method="post" id="login-form"', page)
        [following] = re.findall(r'name="next" value="([^"]*)"', page)
        form = {
            "csrfmiddlewaretoken": token,
            "username": "chief",
            "password": PASSWORD,
            "next": following,
        }
        return self.ask("POST", action, form)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate of that host, in one file."""
    install("openssl")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}",
         "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    both = folder / "both.pem"
    parts = [(folder / name).read_text() for name in ("key.pem", "certificate.pem")]
    both.write_text("".join(parts))
    return both


@pytest.fixture(
    params=[(False, "", ""), (True, "", ""), (True, "/shop", ""), (False, "/shop", "/shop")],
    ids=["port passed on", "port hidden", "path left", "path stripped"],
)
def site(
    request: pytest.FixtureRequest,
    processes: Processes,
    certificate: Path,
    production: dict[str, str],
) -> Iterator[tuple[Browser, str]]:
    """A browser before the proxy before the site, and the path that the site is at."""
    hides_port, path, strips = request.param
    proxy = TLSProxy(certificate, hides_port=hides_port, strips=strips)
    User.objects.create_superuser("chief", password=PASSWORD)
    url = processes.start_web(
        **production,
        ALLOWED_HOSTS=f"{HOST},127.0.0.1",
        SITE_URL=f"https://{HOST}:{proxy.port}{path}",
    )
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    proxy.site = (parts.hostname, parts.port)
    yield Browser(proxy.port, certificate), path
    proxy.stop()


def test_a_person_logs_in_and_works(site: tuple[Browser, str]) -> None:
    browser, path = site

    status, page = browser.log_in(path)

    assert status == 200, page[:500]
    assert "Where every order is" in page
    links = re.findall(r'(?:href|src)="(/[^"]*)"', page)
    assert links
    assert all(link.startswith(f"{path}/") for link in links)
    styles = next(link for link in links if link.endswith(".css"))
    assert browser.ask("GET", styles)[0] == 200
    assert browser.ask("GET", f"{path}/admin/orders/order/")[0] == 200
    # The site's own address is as the setting has it, and as a browser completes it.
    for own in {path or "/", f"{path}/"}:
        assert "Where everything is" in browser.ask("GET", own)[1]


def test_the_apis_links_are_good(site: tuple[Browser, str]) -> None:
    browser, path = site
    scopes = ("orders:place", "orders:read")
    key = keys.create("a test", scopes, by="a test", user_id=1).secret
    browser.headers = {"Authorization": f"Bearer {key}"}
    connection.database["products"].insert_one(
        {"sku": "book", "price": Decimal128("1.00"), "currency": "EUR", "available": 5}
    )
    placed = place(browser, path)
    place(browser, path)
    assert browser.ask("GET", placed)[0] == 200

    first = json.loads(browser.ask("GET", f"{path}/orders?limit=1")[1])
    status, second = browser.ask("GET", first["next"])

    assert status == 200
    assert json.loads(second)["orders"][0]["orderId"] == placed.rpartition("/")[2]


def place(browser: Browser, path: str) -> str:
    """Place an order; its `Location`."""
    raw = socket.create_connection(("127.0.0.1", browser._port), timeout=30)
    server = HTTPSConnection(HOST, browser._port)
    server.sock = browser._context.wrap_socket(raw, server_hostname=HOST)
    order = json.dumps({"userId": 1, "items": ["book"]})
    with closing(server):
        headers = {**browser.headers, "Content-Type": "application/json"}
        server.request("POST", f"{path}/orders", order, headers)
        answer = server.getresponse()
        assert answer.status == 201, answer.read()
        return str(answer.headers["Location"])


@pytest.mark.parametrize(
    ("site", "hosts", "expected"),
    [
        ("http://localhost:8000", ["localhost"], ["http://localhost:8000", "https://localhost"]),
        ("https://o.example", ["o.example"], ["https://o.example"]),
        ("https://O.Example:443/", ["o.example"], ["https://o.example"]),
        ("http://o.example:80", [], ["http://o.example"]),
        ("https://o.example:", [], ["https://o.example"]),
        ("https://o.example:08443", [], ["https://o.example:8443"]),
        # A browser writes its origin in small letters.
        ("https://o.example", ["O.Example"], ["https://o.example"]),
        ("https://o.example:8443", ["o.example"], ["https://o.example:8443", "https://o.example"]),
        (
            "https://o.example:8443",
            [".o.example", "*", ""],
            ["https://o.example:8443", "https://*.o.example", "https://*.o.example:8443"],
        ),
        ("https://[::1]:8443/shop", ["[::1]"], ["https://[::1]:8443", "https://[::1]"]),
    ],
)
def test_the_origins_of_its_forms(site: str, hosts: list[str], expected: list[str]) -> None:
    assert origins(site, hosts) == expected


@pytest.mark.parametrize(
    ("site", "path"),
    [("https://o.example", ""), ("https://o.example/", ""), ("https://o.example/a/b/", "/a/b")],
)
def test_the_path_before_its_own(site: str, path: str) -> None:
    site_url(site)
    assert path_prefix(site) == path


@pytest.mark.parametrize(
    "value",
    [
        "orders.example:8443",
        "ftp://orders.example",
        "https://orders.example:84430",
        "https://orders.example:port",
        "https://orders.example:0",
        "https://:8443",
        "https://me:secret@orders.example",
        "https://orders.example/?a=1",
        "https://orders.example/#top",
        "https://orders.example/a b",
        "https://orders.example//",
        "https://[::1",
    ],
)
def test_what_is_not_an_address_of_a_site(value: str) -> None:
    with pytest.raises(ValidationError):
        site_url(value)
