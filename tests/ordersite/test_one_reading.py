"""What a request's bytes mean, whichever way it takes: its head, its key, and its whole body."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.contrib.auth.models import User
from django.db import connection

from failed_messages.acting.discard import discard
from failed_messages.acting.policies import set_policy
from inventory.reserving import reserve
from orders.collection import orders
from tests.failed_messages.letters import failed, record
from tests.failed_messages.stored_orders import place
from tests.inventory.catalogue import order as reserved
from tests.inventory.catalogue import stock, stocked
from tests.orders.conftest import products  # noqa: F401
from tests.raw_http import ask, hang_up_after, served

ORDER = b'{"userId": 101, "items": ["book"]}'
JSON = b"application/json"
LOGIN = b"Authorization: Basic " + b64encode(b"operator:secret")


@pytest.fixture
def web(products: None) -> Iterator[int]:  # noqa: F811
    """The port of the web server."""
    from ordersite.asgi import application

    with served(application) as port:
        yield port


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def plain(products: None) -> Iterator[int]:  # noqa: F811
    """The port of a server that speaks WSGI, and passes on what it got, as `runserver` does."""
    from ordersite.wsgi import application

    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def ask_for(
    path: bytes,
    *lines: bytes,
    body: bytes = ORDER,
    length: int | None = None,
    type_: bytes = JSON,
    method: bytes = b"POST",
) -> bytes:
    """The bytes of a request; `length` is what it declares, where that is not its body's."""
    declared = len(body) if length is None else length
    head = [method + b" " + path + b" HTTP/1.1", b"Host: localhost", b"Content-Type: " + type_]
    return b"\r\n".join([*head, b"Content-Length: %d" % declared, *lines, b"", body])


def stored() -> int:
    return orders().count_documents({})


KEY = b"Idempotency-Key: k"


@pytest.mark.parametrize(
    "lines",
    [
        [KEY, KEY],
        [KEY, b"X-Other: 1", b"idempotency-key: k"],
        [b"Idempotency-Key: k "],
        [b"Idempotency-Key:\tk\t "],
        [b"Idempotency-Key: k, k"],
        [b"Idempotency-Key: k,k ", KEY],
        # WSGI would read this line as one more key.
        [KEY, b"Idempotency_Key: z"],
    ],
    ids=str,
)
def test_however_a_proxy_writes_a_key_it_is_the_same(web: int, lines: list[bytes]) -> None:
    first = ask(web, ask_for(b"/orders", KEY))
    again = [ask(web, ask_for(b"/orders", *lines)) for _ in range(2)]

    assert [each.status for each in again] == [201, 201]
    assert {each.body for each in again} == {first.body}
    assert stored() == 1


@pytest.mark.parametrize("lines", [[KEY, b"Idempotency-Key: m"], [b"Idempotency-Key: k,m"]])
def test_two_different_keys_are_refused_by_name(web: int, lines: list[bytes]) -> None:
    refused = ask(web, ask_for(b"/orders", *lines))

    assert refused.status == 400
    assert b'"field": "Idempotency-Key"' in refused.body
    assert stored() == 0


@pytest.mark.parametrize("lines", [[KEY, KEY], [b"Idempotency-Key: k "], [b"Idempotency-Key: k,k"]])
def test_a_delivery_has_one_key_however_it_is_written(web: int, lines: list[bytes]) -> None:
    hired()
    answers = [
        ask(web, ask_for(b"/inventory/products/cup/restock", LOGIN, *each, body=b'{"quantity": 5}'))
        for each in ([KEY], lines)
    ]
    different = ask_for(
        b"/inventory/products/cup/restock",
        *(LOGIN, KEY, b"Idempotency-Key: m"),
        body=b'{"quantity": 5}',
    )

    assert [each.status for each in answers] == [200, 200]
    assert ask(web, different).status == 400
    assert stock("cup") == (15, 0)


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("way", ["web", "plain"])
def test_half_a_body_that_makes_sense_is_not_taken(
    way: str, request: pytest.FixtureRequest
) -> None:
    port = request.getfixturevalue(way)
    acting = requests_that_act()
    before = everything()

    for path, body, type_, method in acting:
        cut_off = ask_for(path, LOGIN, body=body, length=60, type_=type_, method=method)
        answer = hang_up_after(port, cut_off)
        assert answer.status in (0, 400), path
        eventually_idle(port)
        assert everything() == before, path

    for path, body, type_, method in acting:
        whole = ask_for(path, LOGIN, body=body, type_=type_, method=method)
        assert ask(port, whole).status < 300, path


def requests_that_act() -> list[tuple[bytes, bytes, bytes, bytes]]:
    """One for each route that changes anything: path, body, content type, method."""
    hired()
    ids = [str(failed(message_id=each).pk).encode() for each in ("a", "b", "c")]
    group = str(record(ids[0].decode()).fingerprint).encode()
    # Of a shipment and a cancellation the first one wins.
    order_id, shipped = str(place()["_id"]), str(place()["_id"])
    reserve(reserved(shipped, cup=1))
    set_policy("operator", delays=[timedelta(hours=1)], service="billing")
    discard([ids[2].decode()], "operator", "not ours")
    failed_message, order = b"/failed-messages/%s/" % ids[1], b"/orders/" + order_id.encode()
    csv = b"userId,sku,quantity\n101,book,2"
    return [
        (b"/orders", ORDER, JSON, b"POST"),
        (b"/orders/import", ORDER, b"application/x-ndjson", b"POST"),
        (b"/orders/import", csv, b"text/csv", b"POST"),
        (b"/inventory/products/cup/restock", b'{"quantity": 5}', JSON, b"POST"),
        (b"/inventory/reservations/%s/ship" % shipped.encode(), b"{}", JSON, b"POST"),
        (order + b"/cancel", b"{}", JSON, b"POST"),
        (failed_message + b"discard", b'{"reason": "x"}', JSON, b"POST"),
        (failed_message + b"restore", b"{}", JSON, b"POST"),
        (b"/failed-messages/%s/restore" % ids[2], b"{}", JSON, b"POST"),
        (b"/failed-messages/%s/replay" % ids[0], b"{}", JSON, b"POST"),
        (b"/failed-messages/replay", b'{"filter": "service=billing"}', JSON, b"POST"),
        (b"/failed-messages/groups/" + group, b'{"owner": "me"}', JSON, b"PATCH"),
        (b"/failed-messages/policies/service%20billing", b"{}", JSON, b"DELETE"),
        (b"/failed-messages/policies", b'{"service":"billing","after":["1h"]}', JSON, b"POST"),
    ]


def test_a_long_import_that_is_cut_off_says_from_where(plain: int) -> None:
    """One that is longer than memory is read as it comes: whole batches of it, and no half line."""
    lines = (ORDER + b" " * 4_000 + b"\n") * 400 + ORDER

    cut_off = ask_for(
        b"/orders/import", body=lines, length=len(lines) + 1, type_=b"application/x-ndjson"
    )
    answer = hang_up_after(plain, cut_off)

    last = json.loads(answer.body.splitlines()[-1])
    assert (answer.status, last["placed"], last["stoppedAtLine"]) == (400, 300, 301)
    assert stored() == 300


def eventually_idle(port: int) -> None:
    """Return when what came before was handled: the server answers a request after it."""
    assert ask(port, ask_for(b"/health/live", body=b"", method=b"GET")).status == 200


def hired() -> None:
    User.objects.create_superuser("operator", password="secret")
    stocked(cup=10)


def everything() -> dict[str, list[object]]:
    """All documents that anybody acts on."""
    names = ["orders", "products", "reservations", "failed_messages", "failure_groups"]
    names += ["replay_jobs", "replay_policies", "failed_messages_audit"]
    return {name: list(connection.database[name].find({})) for name in names}


@pytest.mark.parametrize("coding", [b"gzip", b"br", b"deflate, gzip"])
def test_an_encoded_body_is_named_as_such(web: int, coding: bytes) -> None:
    for path in (b"/orders", b"/orders/import"):
        refused = ask(web, ask_for(path, b"Content-Encoding: " + coding, body=b"\x1f\x8b\x08"))
        assert refused.status == 415
        assert b'"field": "Content-Encoding"' in refused.body


def test_a_body_in_chunks_is_refused_by_every_route(web: int) -> None:
    hired()
    order_id = str(place()["_id"]).encode()
    for path in (b"/orders", b"/orders/%s/cancel" % order_id, b"/inventory/products/cup/restock"):
        head = [b"POST " + path + b" HTTP/1.1", b"Host: localhost", b"Transfer-Encoding: chunked"]
        chunks = [b"2", b"{}", b"0", b"Trailer: x", b"", b""]
        refused = ask(web, b"\r\n".join([*head, LOGIN, b"Content-Type: " + JSON, b"", *chunks]))
        assert refused.status == 411, path
        assert b'"field": "Content-Length"' in refused.body


@pytest.mark.parametrize(
    "lines",
    [
        [b"GET /orders?status=\xff HTTP/1.1"],
        [b"GET /orders?a=%FF HTTP/1.1"],
        [b"GET /orders?" + b"a&" * 2000 + b" HTTP/1.1"],
        [b"GET /orders?limit=1&limit=2 HTTP/1.1"],
        [b"GET /orders?limit=1 HTTP/1.1", b"Host: other"],
        [b"GET /orders?status=%00 HTTP/1.1", b"Content-Type: text/plain; charset=hex"],
        [b"GET /orders?status=x HTTP/1.1", b"Content-Type: text/plain; a*=nonsense''x"],
    ],
    ids=str,
)
def test_an_address_or_head_that_makes_no_sense_is_the_clients_fault(
    web: int, lines: list[bytes]
) -> None:
    answer = ask(web, b"\r\n".join([*lines, b"Host: localhost", b"", b""]))

    assert answer.status == (415 if b"nonsense" in lines[-1] else 400)
