"""The same bytes mean the same to both ways of `POST /orders`, and half of them mean nothing.

HYPOTHESIS_EXAMPLES sets how many requests are tried; a failure prints how to see it again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orders.collection import orders
from ordersite.access import keys
from ordersite.access.models import ApiKey
from tests.orders.conftest import products  # noqa: F401
from tests.raw_http import Answer, ask, served

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", 60))

ORDER = b'{"userId": 101, "items": ["book"]}'
TYPE = b"Content-Type: application/json"
HOST = b"Host: localhost"
#: What differs between two orders.
OWN = re.compile(rb'[0-9a-f]{24}|"createdAt":"[^"]*"')

TARGETS = (
    *(b"/orders", b"/orders", b"/orders", b"/%6frders", b"/orders?userId=5", b"//orders"),
    *(b"/orders/", b"http://localhost/orders", b"http://elsewhere.example/orders", b"/orders?\xff"),
    *(b"/orders%00", b"/./orders", b"/Orders", b"/orders;x=1", b"/orders#x", b"*", b"/orders%20"),
)
KEYS = (
    *(b"k", b"k", b"k", b"K", b" k", b"k ", b"\tk\t ", b"k,k", b"k, k", b"a,b", b"", b",", b" "),
    *(b'"k"', b"\xc3\xa9", b"\xe9", b"k" * 255, b"k" * 256, b"k k", b"k;a=1"),
)
TYPES = (
    *(b"application/json", b"application/json", b"application/json; charset=utf-8"),
    *(b"application/json;charset=UTF-8", b"application/json; charset=utf-16", b"Application/JSON"),
    *(b"application/json; charset=hex", b"text/plain", b"", b"application/json ", b"*/*", b";"),
    *(b"application/problem+json", b"application/json; a*=b''c", b"application/json, text/plain"),
)
#: Whose user, which scope, and whether it was revoked.
HOLDERS = (
    *((101, "orders:place", None), (None, "orders:place", None), (102, "orders:place", None)),
    *((101, "orders:read", None), (101, "orders:place", True)),
)


def api_key(number: int) -> bytes:
    return b"ordersite_%016x_%s" % (number, b"A" * 43)


AUTHORIZATIONS = (
    *(b"Authorization: Bearer " + api_key(number) for number in (0, 0, *range(6))),
    *(b"authorization:Bearer " + api_key(0), b"Authorization: bearer " + api_key(0)),
    *(b"Authorization: Bearer  " + api_key(0), b"Authorization: Bearer " + api_key(0) + b" "),
    *(b"Authorization: Bearer", b"Authorization: Bearer " + b"A" * 9_000, b"Authorization:"),
    *(b"Authorization: Bearer e30.e30.AA", b"Authorization: Bearer \xe9", b"Authorization: x"),
)
BODIES = (
    *(ORDER, ORDER, ORDER, b"", b"{", b"\xef\xbb\xbf" + ORDER, ORDER.decode().encode("utf-16")),
    *(b'{"userId": 101, "userId": 102, "items": ["book"]}', b"[" * 3000, b"NaN", b"null", b"[]"),
    *(
        b'{"userId": NaN, "items": ["book"]}',
        b'{"userId": 1' + b"0" * 5000 + b', "items": ["book"]}',
    ),
    *(b'{"userId": 1e2, "items": ["book"]}', b'{"userId": 1, "items": ["\\ud800"]}', ORDER + b"\n"),
    *(b'{"userId": 1, "items": ["\xff"]}', b'{"userId": 1, "items": ["bok"]}', ORDER + ORDER),
    *(b'{"userId": 1, "items": ["pen", "pen"]}', b'{"userId": 1, "items": ["book\\u0000"]}'),
)
OTHERS = (
    *(b"Accept: text/html", b"Idempotency_Key: z", b"Content_Length: 3", b"Content-Encoding: gzip"),
    *(b"Content-Encoding: identity", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip"),
    *(b"X-HTTP-Method-Override: GET", b"X-Forwarded-Host: elsewhere.example", b"Cookie: a=\xff"),
    *(
        b"Upgrade: websocket",
        b"Connection: upgrade",
        b"Connection: close",
        b"Content_Type: text/csv",
    ),
    *(b"Expect: 100-continue", b"X-Forwarded-Proto: https", b"Host: localhost", b"Host: other"),
    *(b"Authorization: Basic %%%", b"Content-Length: 5", b"X-Empty:", b"Range: bytes=0-1"),
)


class Way(NamedTuple):
    """One of the two, listening."""

    port: int

    def outcome(self, request: bytes) -> tuple[Any, ...]:
        """What it answers the first time and the second, and what is stored then."""
        orders().delete_many({})
        answers = [comparable(ask(self.port, request)) for _ in range(2)]
        return *answers, stored()


def comparable(answer: Answer) -> tuple[int, list[tuple[str, bytes]], bytes]:
    headers = [
        (name.lower(), OWN.sub(b"*", value.encode()))
        for name, value in answer.headers
        if name.lower() not in ("date", "x-request-id")
    ]
    return answer.status, sorted(headers), OWN.sub(b"*", answer.body)


def stored() -> list[tuple[Any, ...]]:
    fields = ("user_id", "items", "total", "idempotency_key", "request_fingerprint")
    return [tuple(str(each.get(name)) for name in fields) for each in orders().find({})]


@pytest.fixture
def api_keys(products: None) -> None:  # noqa: F811
    """Of a customer, a shop, another customer, one without the scope, and one that was revoked."""
    from ordersite.access.bearer import remembered

    remembered.forget()
    now = datetime.now(UTC)
    ApiKey.objects.all().delete()
    for number, (user_id, scope, revoked_at) in enumerate(HOLDERS):
        id_, digest = f"{number:016x}", keys.digest(api_key(number).decode())
        changes = {"user_id": user_id, "scopes": [scope], "revoked_at": revoked_at and now}
        ApiKey(id=id_, client=id_, name="x", digest=digest, created_at=now, **changes).save()


@pytest.fixture
def ways(api_keys: None) -> Iterator[tuple[Way, Way]]:
    """The site as it is, and the same with every order by Django's own way."""
    from ordersite.asgi import application, routed, site

    # Whose pages show the server's insides.
    with override_settings(DEBUG=False), served(application) as hot, served(routed(site)) as django:
        yield Way(hot), Way(django)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Bytes that resemble a `POST /orders`, more or less."""
    body = draw(st.sampled_from(BODIES))
    lines = [HOST] * draw(st.sampled_from((1, 1, 1, 1, 0, 2)))
    types = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=2))
    lines += [b"Content-Type:" + draw(st.sampled_from((b" ", b"", b"\t"))) + t for t in types]
    lines += [
        draw(st.sampled_from((b"Idempotency-Key: ", b"idempotency-key:"))) + key
        for key in draw(st.lists(st.sampled_from(KEYS), max_size=3))
    ]
    lines += draw(st.lists(st.sampled_from(AUTHORIZATIONS), max_size=2))
    lines += draw(st.lists(st.sampled_from(OTHERS), max_size=2))
    lines += draw(st.sampled_from(([b"Content-Length: %d" % len(body)],) * 9 + ([],)))
    lines = draw(st.permutations(lines))
    head = draw(st.sampled_from((b"POST",) * 9 + (b"PUT", b"HEAD", b"OPTIONS"))) + b" "
    head += draw(st.sampled_from(TARGETS)) + draw(st.sampled_from((b" HTTP/1.1", b" HTTP/1.0")))
    return b"\r\n".join([head, *lines, b"", body])


def request(*lines: bytes, body: bytes = ORDER, length: int | None = None) -> bytes:
    declared = b"Content-Length: %d" % (len(body) if length is None else length)
    return b"\r\n".join([b"POST /orders HTTP/1.1", HOST, TYPE, *lines, declared, b"", body])


@settings(
    max_examples=EXAMPLES,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(requests(), st.booleans())
@example(request(b"Idempotency-Key: k", b"Idempotency-Key: k"), True)
@example(request(b"Idempotency-Key: k ", b"Idempotency_Key: z"), True)
@example(request(b"Content-Encoding: gzip"), True)
@example(request(b"Host: localhost"), True)
@example(request(b"Content-Type: application/json; charset*=b''x"), True)
@example(request(AUTHORIZATIONS[0], b"Idempotency-Key: k"), False)
@example(request(AUTHORIZATIONS[0], AUTHORIZATIONS[1]), False)
@example(request(AUTHORIZATIONS[0], b"Authorization: Basic x"), False)
def test_both_ways_read_the_same_bytes_alike(
    ways: tuple[Way, Way], request: bytes, is_open: bool
) -> None:
    hot, django = ways

    with override_settings(API_IS_OPEN=is_open):
        outcome = hot.outcome(request)
        assert outcome == django.outcome(request)

    assert all(answer[0] < 500 for answer in outcome[:2])
    is_known = is_open or b"ordersite_" in request
    assert is_known or all(answer[0] != 201 for answer in outcome[:2])
