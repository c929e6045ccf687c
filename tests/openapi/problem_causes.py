"""What provokes the example of each kind of problem; each begins in the shop of `prepared`."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import patch

from bson import ObjectId
from django.http import HttpResponse
from django.test import override_settings
from pymongo.errors import DuplicateKeyError, ServerSelectionTimeoutError

from inventory.reserving import products, reservations, reserve
from localservices.pipeline import ROOT
from orders import idempotency
from orders.collection import orders
from ordersite.access import keys
from ordersite.access.scopes import SCOPES
from ordersite.access.tokens import IssuerAway
from ordersite.staff.roles import ADMINISTRATOR, make_roles
from ordersite.web import bounded_http, problems, rates
from runtime.requests.password_guesses import OF_AN_ADDRESS, Guesses, TooManyGuesses
from runtime.requests.problem_types import MALFORMED_REQUEST, REQUEST_TIMEOUT
from tests.asgi_client import AsgiClient
from tests.failed_messages.letters import failed
from tests.inventory.catalogue import order as reserved
from tests.inventory.catalogue import product
from tests.openapi.callers import bearer, session
from tests.security.conftest import secret
from webhooks.managing import MOST_OF_A_CUSTOMER

JSON = "application/json"
ORDER = {"userId": 101, "items": ["book"]}
ID = "674300000000000000000001"


def ask(method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
    """Ask with a key that may do everything."""
    return ask_as(bearer(secret(*SCOPES)), method, path, body, **headers)


def ask_as(
    login: Any, method: str, path: str, body: Any = None, type_: str = JSON, **headers: str
) -> HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = b"" if body is None else json.dumps(body).encode()
    return AsgiClient().request(method, path, data, type_ if data else None, {**login, **named})


place = partial(ask, "POST", "/orders")


def in_anothers_name() -> HttpResponse:
    login = bearer(secret("orders:place", user_id=101))
    return ask_as(login, "POST", "/orders", {**ORDER, "userId": 202})


def without_token() -> HttpResponse:
    make_roles()
    cookie = {"cookie": session(ADMINISTRATOR)["cookie"]}
    return ask_as(cookie, "POST", "/orders", ORDER)


def key_in_use() -> HttpResponse:
    """The first order of the key is lost again and again before it can be read."""
    lost = patch.object(idempotency.placing, "place", side_effect=DuplicateKeyError("twice"))
    with lost, patch.object(idempotency, "find", return_value=None):
        login = bearer(secret("orders:place"))
        return ask_as(login, "POST", "/orders", ORDER, idempotency_key="a")


def key_reused() -> HttpResponse:
    login = bearer(secret("orders:place"))
    ask_as(login, "POST", "/orders", ORDER, idempotency_key="a")
    other = {**ORDER, "items": ["pen"]}
    return ask_as(login, "POST", "/orders", other, idempotency_key="a")


def shipped() -> HttpResponse:
    placed = place(ORDER).json()["order"]["orderId"]
    change = {"$set": {"ledger.inventory.state": "shipped"}}
    orders().update_one({"_id": ObjectId(placed)}, change)
    return ask("POST", f"/orders/{placed}/cancel")


def sold(**fields: Any) -> None:
    products().insert_one({**product("misprint", 1), **fields})


def without_price() -> HttpResponse:
    sold(price="twelve")
    return place({**ORDER, "items": ["misprint"]})


def in_several_currencies() -> HttpResponse:
    sold(sku="abroad", currency="USD")
    return place({**ORDER, "items": ["book", "abroad"]})


def not_done() -> HttpResponse:
    reserve(reserved(ID, pen=1))
    failed(message_id=str(uuid.uuid4()))
    return ask("POST", f"/inventory/reservations/{ID}/ship")


def released() -> HttpResponse:
    reserve(reserved(ID, pen=1))
    reservations().update_one({"_id": ID}, {"$set": {"state": "released"}})
    return ask("POST", f"/inventory/reservations/{ID}/ship")


def too_many_units() -> HttpResponse:
    products().update_one({"sku": "pen"}, {"$set": {"available": 9223372036854775800}})
    return ask("POST", "/inventory/products/pen/restock", {"quantity": 10})


def stock_differs() -> HttpResponse:
    products().update_one({"sku": "pen"}, {"$set": {"available": "5"}})
    return ask("POST", "/inventory/products/pen/restock", {"quantity": 10})


def ended_key() -> HttpResponse:
    id_ = keys.create("a test", ["orders:place"], by="a test", user_id=101).record.pk
    keys.revoke(id_, by="a test")
    return ask("POST", f"/api-keys/{id_}/rotate")


def above_own_key() -> HttpResponse:
    asked = {"name": "a test", "userId": 101, "scopes": ["orders:place"], "requestsPerSecond": 21}
    return ask_as(bearer(secret(*SCOPES, rate=20)), "POST", "/api-keys", asked)


def made_before() -> HttpResponse:
    asked = {"name": "a test", "userId": 101, "scopes": ["orders:place"]}
    login = bearer(secret(*SCOPES))
    answers = [
        ask_as(login, "POST", "/api-keys", asked, idempotency_key="k") for _ in ("first", "again")
    ]
    return answers[1]


def nothing_to_restore() -> HttpResponse:
    return ask("POST", f"/failed-messages/{failed(message_id=str(uuid.uuid4())).pk}/restore")


def too_many_requests() -> HttpResponse:
    counted = rates.Rates(of_an_address=50, of_a_client=500)
    scope: dict[str, Any] = {"path": "/orders", "headers": [], "client": ("192.0.2.1", 1)}
    while True:
        try:
            counted.take(scope)
        except rates.TooSoon as too_soon:
            return rates.refused(too_soon)


def too_many_passwords() -> HttpResponse:
    guesses = Guesses()
    try:
        for _ in range(OF_AN_ADDRESS + 1):
            guesses.begin("192.0.2.1", "somebody")
    except TooManyGuesses as error:
        return problems.refused(error)
    raise AssertionError("all were taken")


def without_rabbitmq() -> HttpResponse:
    with override_settings(AMQP_URL="amqp://nobody:x@127.0.0.1:1//"):
        return ask("GET", "/pipeline/conservation")


ENDPOINT = {"url": "https://shop.example.com/", "types": ["order.placed"], "userId": 101}


@override_settings(WEBHOOKS=False)
def without_webhooks() -> HttpResponse:
    return ask("POST", "/webhooks/endpoints", ENDPOINT)


@override_settings(WEBHOOKS=True)
def disabled_endpoint() -> HttpResponse:
    path = (
        f"/webhooks/endpoints/{ask('POST', '/webhooks/endpoints', ENDPOINT).json()['endpointId']}"
    )
    ask("POST", f"{path}/disable")
    return ask("POST", f"{path}/test")


@override_settings(WEBHOOKS=True)
def too_many_endpoints() -> HttpResponse:
    for _ in range(MOST_OF_A_CUSTOMER):
        ask("POST", "/webhooks/endpoints", ENDPOINT)
    return ask("POST", "/webhooks/endpoints", ENDPOINT)


@override_settings(SECOND_PERSON_ABOVE=100)
def by_a_key() -> HttpResponse:
    return ask("POST", "/failed-messages/policies", {"service": "billing", "after": ["15m"]})


def of_server(kind: Any, detail: str) -> bytes:
    """What the server answers before the site is asked."""
    return bounded_http.answer(kind, detail).partition(b"\r\n\r\n")[2]


def of_proxy() -> bytes:
    said = (ROOT / "deploy/proxy/site.conf").read_text()
    return re.findall(r"return 503 '(.*)';", said)[0].encode()


#: By the kind's name.
CAUSES: dict[str, Callable[[], HttpResponse | bytes]] = {
    "invalid-request": lambda: place({**ORDER, "userId": "x"}),
    "malformed-request": lambda: of_server(MALFORMED_REQUEST, bounded_http.MALFORMED),
    "unauthenticated": lambda: ask_as({}, "GET", "/orders"),
    "missing-scope": lambda: ask_as(bearer(secret("orders:read")), "POST", "/orders", ORDER),
    "other-customer": in_anothers_name,
    "forbidden": without_token,
    "not-found": lambda: ask("GET", "/orders/674300000000000000000009"),
    "method-not-allowed": lambda: ask("PUT", "/orders"),
    "request-timeout": lambda: of_server(REQUEST_TIMEOUT, bounded_http.LATE),
    "idempotency-key-in-use": key_in_use,
    "length-required": lambda: place(ORDER, transfer_encoding="chunked"),
    "precondition-failed": lambda: ask("PATCH", "/products/pen", {"name": "Pen"}, if_match='"x"'),
    "body-too-large": lambda: place("x" * 1024 * 1024),
    "address-too-long": lambda: of_server(bounded_http.ADDRESS_TOO_LONG, bounded_http.LONG_TARGET),
    "unsupported-media-type": lambda: ask_as(
        bearer(secret("orders:place")), "POST", "/orders", ORDER, "text/plain"
    ),
    "idempotency-key-reused": key_reused,
    "too-many-requests": too_many_requests,
    "too-many-passwords": too_many_passwords,
    "headers-too-large": lambda: of_server(
        bounded_http.HEADERS_TOO_LARGE, bounded_http.TOO_MANY_LINES
    ),
    "internal-error": problems.unexpected,
    "database-unavailable": lambda: problems.database_unavailable(ServerSelectionTimeoutError("x")),
    "rabbitmq-unavailable": without_rabbitmq,
    "issuer-unavailable": lambda: problems.refused(IssuerAway()),
    "too-busy": problems.too_busy,
    "site-unavailable": of_proxy,
    "not-sold": lambda: place({**ORDER, "items": ["dragon"]}),
    "no-price": without_price,
    "several-currencies": in_several_currencies,
    "order-shipped": shipped,
    "not-done": not_done,
    "not-reserved": released,
    "sku-taken": lambda: ask(
        "POST", "/products", {"sku": "pen", "name": "Pen", "price": "1.00", "available": 1}
    ),
    "too-many-units": too_many_units,
    "stock-differs": stock_differs,
    "webhooks-off": without_webhooks,
    "endpoint-disabled": disabled_endpoint,
    "too-many-endpoints": too_many_endpoints,
    "not-in-this-state": nothing_to_restore,
    "person-unknown": by_a_key,
    "above-own-key": above_own_key,
    "key-ended": ended_key,
    "key-made-before": made_before,
}
