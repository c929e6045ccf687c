"""A request is to Django what it is through asgiref, which documents no way to ask for that."""

from __future__ import annotations

import io
from typing import Any

import pytest
from asgiref.wsgi import WsgiToAsgiInstance

from ordersite.web.environ import environ_of

GET = {
    "method": "GET",
    "path": "/orders",
    "query_string": b"status=placed&limit=2",
    "http_version": "1.1",
    "scheme": "http",
    "server": ("127.0.0.1", 8000),
    "client": ("10.0.0.7", 41000),
    "headers": [(b"host", b"shop.example"), (b"accept", b"application/json")],
}
POST = {
    "method": "POST",
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"12")],
}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        POST,
        {"path": "/orders/\u00e9\u4e2d"},
        {"path": "/shop/orders", "root_path": "/shop"},
        {"path": "/orders", "root_path": "/sh\u00f6p"},
        {"server": None, "client": None, "scheme": "https"},
        {"server": ("/run/web.sock", None), "client": None},
        {"headers": [(b"x-a", b"1"), (b"x_b", b"\xff"), (b"x-a", b"2"), (b"cookie", b"a=1; b=2")]},
    ],
)
def test_it_is_what_asgiref_makes_of_it(asked: dict[str, Any]) -> None:
    scope, body = GET | asked, io.BytesIO(b"")
    theirs = WsgiToAsgiInstance(None, duplicate_header_limit=0)
    theirs.scope = scope

    assert environ_of(scope, body) == theirs.build_environ(scope, body)


def test_a_query_may_have_bytes_that_are_not_ascii() -> None:
    environ = environ_of(GET | {"query_string": b"q=\xff\xc3\xa9"}, io.BytesIO())

    assert environ["QUERY_STRING"] == "q=\xff\xc3\xa9"
