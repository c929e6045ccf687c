"""Pages of the sites that a setting names may use the API in a browser, and no others."""

from __future__ import annotations

from typing import Any

import pytest
from environs import ValidationError

from ordersite.web.cross_origin import CrossOrigin
from ordersite.web.site_address import browser_origins
from tests.asgi_client import AsgiClient
from tests.orders.conftest import client, products  # noqa: F401

SHOP = "https://shop.example.com"
ORDER = '{"userId": 101, "items": ["book"]}'


class Way(AsgiClient):
    """The site with these origins, by the fast path or by Django's own way alone."""

    def __init__(self, origins: list[str], *, is_fast: bool = True) -> None:
        from ordersite.asgi import routed, site
        from ordersite.web.fast_path import FastPath

        place = FastPath(site) if is_fast else site
        self._application = routed(place, cross_origin=CrossOrigin(origins))


def cors(answer: Any) -> dict[str, str]:
    named = {name.lower(): value for name, value in answer.headers.items()}
    return {name: value for name, value in named.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("is_fast", [True, False])
@pytest.mark.parametrize(
    ("body", "status"), [(ORDER, 201), ("{", 400), ('{"userId": 1, "items": ["bok"]}', 422)]
)
def test_a_page_of_a_named_site_reads_every_answer(
    client: Any,  # noqa: F811
    is_fast: bool,
    body: str,
    status: int,
) -> None:
    way = Way([SHOP], is_fast=is_fast)

    mine = way.post("/orders", body, "application/json", {"origin": SHOP})
    other = way.post("/orders", body, "application/json", {"origin": "https://elsewhere.example"})

    assert (mine.status_code, other.status_code) == (status, status)
    assert cors(mine)["access-control-allow-origin"] == SHOP
    assert "X-Request-Id" in cors(mine)["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in cors(mine)
    assert cors(other) == {}
    assert "Origin" in other.headers["vary"]


def preflight(way: Way, origin: str, path: str = "/orders") -> Any:
    headers = {"origin": origin, "access-control-request-method": "POST"}
    return way.request("OPTIONS", path, headers=headers)


def test_a_browser_may_ask_before_it_sends() -> None:
    answer = preflight(Way([SHOP]), SHOP)

    assert (answer.status_code, answer.content) == (204, b"")
    assert cors(answer)["access-control-allow-origin"] == SHOP
    assert "POST" in cors(answer)["access-control-allow-methods"]
    assert "Idempotency-Key" in cors(answer)["access-control-allow-headers"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("origins", "origin", "path"),
    [
        ([], SHOP, "/orders"),
        ([SHOP], "https://shop.example.com.evil.example", "/orders"),
        ([SHOP], "http://shop.example.com", "/orders"),
        ([SHOP], "null", "/orders"),
        ([SHOP], SHOP, "/admin/"),
    ],
)
def test_nobody_else_is_told_anything(
    client: Any,  # noqa: F811
    origins: list[str],
    origin: str,
    path: str,
) -> None:
    assert cors(preflight(Way(origins), origin, path)) == {}


def test_without_the_setting_no_answer_differs(client: Any) -> None:  # noqa: F811
    answer = AsgiClient().post("/orders", ORDER, "application/json", {"origin": SHOP})

    assert answer.status_code == 201
    assert cors(answer) == {}
    assert "vary" not in {name.lower() for name in answer.headers}


def test_the_setting_takes_origins() -> None:
    browser_origins([SHOP, "http://localhost:3000", "https://[::1]:8443"])


@pytest.mark.parametrize(
    "value",
    [
        *("*", "shop.example.com", "https://shop.example.com/", "https://*.example.com", "null"),
        *("https://Shop.example.com", "https://shop.example.com:443", "ftp://a", "https://u@a", ""),
        *("http://a b", "https://a:99999", "https://a:0", "https://é.example", "https://a:"),
    ],
)
def test_what_is_no_origin_stops_the_start(value: str) -> None:
    with pytest.raises(ValidationError):
        browser_origins([value])
