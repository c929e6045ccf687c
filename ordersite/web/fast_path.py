"""`POST /orders` without Django's request cycle, which would take most of the time.

It answers what is plain: an order in JSON for a user of the caller's, whose products are sold, and
whose Idempotency-Key is new; and the caller is one who was known lately. The rules are
those of `orders.placing`, and the answer is the REST framework view's, header by header. Whatever
else a request may be, it is left to that view, so that there is one place which says no.
tests/orders run on both ways.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import msgspec
import pymongo
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpResponse
from django.http.request import split_domain_port, validate_host
from pymongo.errors import DuplicateKeyError, PyMongoError
from rest_framework.views import APIView

from orders import idempotency, placing, traces, unowned_keys
from orders.group_commit import GroupCommit, TooManyWaiting
from orders.representation import address_of, order_json, placed_json
from orders.requests.order_request import BODY, TITLE, OrderRequest, quantities_of
from orders.views import OrdersView
from ordersite.access.authentication import ANYONE
from ordersite.access.renewals import Renewals
from ordersite.access.tokens import IssuerAway
from ordersite.web import problems, security_headers, traced_requests
from ordersite.web.body import MEMORY_BYTES, Event, Receive
from ordersite.web.counts import answered
from ordersite.web.in_threads import Send
from ordersite.web.request_scope import CALLER, WRITE_WHOLE, WriteWhole, answer_fields
from runtime.money.price import Price
from runtime.requests.caller import Caller, Unauthenticated, check_user
from runtime.requests.deadline import ANSWER_SECONDS
from runtime.requests.refusal import Refusal
from runtime.tracing.mongodb import calling

logger = logging.getLogger(__name__)

PATH = "/orders"
JSON = b"application/json"
CONTENT_TYPES = {b"application/json", b"application/json; charset=utf-8"}

#: What Django's middleware and the REST framework add to every answer of the view.
HEADERS = (
    *security_headers.lines(),
    (b"allow", b"GET, POST, HEAD, OPTIONS"),
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)

#: What a request meets on its way to the view, all of which this route does or has no part in.
MIDDLEWARE = (
    "ordersite.web.request_ids.RequestIds",
    "ordersite.web.security_headers.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "ordersite.web.probes.Probes",
    "django.contrib.sessions.middleware.SessionMiddleware",
    # None of this route's answers is a 304.
    "ordersite.web.not_modified.NotModified",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    # It logs refusals, which this route leaves to the view.
    "ordersite.staff.decisions.Decisions",
    # Orders have keys of their own.
    "ordersite.keyed_requests.once.KeepAnswers",
    "ordersite.web.whole_request.WholeRequest",
)
AUTHENTICATION = tuple(
    f"ordersite.access.authentication.{name}"
    for name in ("Bearer", "StaffLogin", "StaffSession", "Anyone")
)
PERMISSION = (
    "ordersite.access.permission.HasScope",
    # It refuses what is in the query string, which this route leaves to the view.
    "ordersite.web.known_parameters.KnownParameters",
    "ordersite.keyed_requests.once.OncePerKey",
)

PLACE = OrdersView.scopes["POST"]

Site = Callable[[Event, Receive, Send], Awaitable[None]]


class FastPath:
    """Places orders in groups; `site` is the ordinary way of a request."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._group = GroupCommit()
        self._renewals = Renewals()

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        # Each field is there once: `ordersite.asgi` has joined the lines.
        headers = dict(scope["headers"])
        try:
            caller = await self._caller(headers, scope[CALLER])
        except (PyMongoError, DatabaseError) as error:
            await send_response(scope, send, failure(error))
            return
        is_plain = not scope["query_string"] and has_plain_head(headers)
        if caller is None or not is_plain or may_be_known(headers, caller):
            await self._site(scope, receive, send)
            return
        body = await read(receive)
        if len(body) != int(headers[b"content-length"]):
            await self._site(scope, again(body, receive), send)
            return
        try:
            document = await self._place(caller, body, headers.get(b"idempotency-key"))
        except (Refusal, DuplicateKeyError):
            await self._site(scope, again(body, receive), send)
        except Exception as error:
            await send_response(scope, send, failure(error))
        else:
            order = order_json(document)
            location = (b"location", address_of(order["orderId"]).encode())
            answer = msgspec.json.encode(placed_json(order))
            await send_answer(scope, send, HTTPStatus.CREATED, JSON, answer, location)

    async def _caller(self, headers: Mapping[bytes, bytes], caller: Caller | None) -> Caller | None:
        """Who sends an order, if they may; None where the view has to find out.

        `caller` is the one that was found by the same header a moment ago.

        Raises:
            pymongo.errors.PyMongoError, DatabaseError: MongoDB did not answer.
        """
        # A cookie may be a login to the admin.
        if settings.API_IS_OPEN and b"authorization" not in headers and b"cookie" not in headers:
            caller = ANYONE
        if caller is None:
            try:
                caller = await self._renewals.caller(headers.get(b"authorization", b""))
            except (Unauthenticated, IssuerAway):
                return None
        return caller if caller and caller.may(PLACE) else None

    async def _place(self, caller: Caller, body: bytes, key: bytes | None) -> dict[str, Any]:
        """What `idempotency.place` does for a new key, but without a wait for MongoDB alone.

        Raises what `placing.place` and `GroupCommit.store` raise.
        """
        deadline = time.monotonic() + ANSWER_SECONDS
        asked = BODY.decode(body)
        check_user(caller, asked.user_id, TITLE)
        quantities = quantities_of(asked.items)
        prices = await prices_of(quantities)
        placing.check_prices(asked.items, quantities, prices)
        fields = key_fields(asked, key, caller)
        document = placing.compose(asked.user_id, quantities, prices) | fields
        if traces.join(document):
            traced_requests.name_route(PATH)
            with calling("insert", "orders"):
                await self._group.store(document, deadline)
        else:
            await self._group.store(document, deadline)
        return document


def does_all_of(view: type[APIView]) -> bool:
    """Whether the fast path does everything that a request meets on its way to the view.

    Where there is anything that it does not know, the ordinary way alone answers.
    """
    return (
        tuple(settings.MIDDLEWARE) == MIDDLEWARE
        and names(view.authentication_classes) == AUTHENTICATION
        and names(view.permission_classes) == PERMISSION
        and names(view.throttle_classes) == ()
    )


def names(classes: Iterable[type]) -> tuple[str, ...]:
    return tuple(f"{each.__module__}.{each.__qualname__}" for each in classes)


def has_plain_head(headers: Mapping[bytes, bytes]) -> bool:
    """Whether they say that a short order in JSON follows, for this site."""
    length = headers.get(b"content-length", b"")
    return (
        headers.get(b"content-type") in CONTENT_TYPES
        and b"content-encoding" not in headers
        and b"transfer-encoding" not in headers
        and length.isdigit()
        and 0 < int(length) <= MEMORY_BYTES
        and is_allowed(headers.get(b"host", b""))
    )


@lru_cache(maxsize=100)
def is_allowed(host: bytes) -> bool:
    """Whether the site goes by that name: Django's own check of `ALLOWED_HOSTS`.

    Remembered: it is 6 µs of an order's 120.
    """
    domain, _ = split_domain_port(host.decode("latin1"))
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


async def read(receive: Receive) -> bytes:
    """The body, or what came of it before the client hung up."""
    event = await receive()
    body: bytes = event.get("body", b"")
    if not event.get("more_body"):
        return body
    # However small the pieces are: bytes would be copied for each of them.
    pieces = bytearray(body)
    while event.get("more_body"):
        event = await receive()
        pieces += event.get("body", b"")
    return bytes(pieces)


def again(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read to the next reader, and then what else comes."""
    events: list[Event] = [{"type": "http.request", "body": body}]

    async def receive_again() -> Event:
        return events.pop() if events else await receive()

    return receive_again


def may_be_known(headers: Mapping[bytes, bytes], caller: Caller) -> bool:
    """Whether the release before may have placed this order, under a key without an owner."""
    is_owned = b"idempotency-key" in headers and not caller.is_anyone
    return is_owned and not unowned_keys.are_gone()


def key_fields(asked: OrderRequest, key: bytes | None, caller: Caller) -> dict[str, Any]:
    """Raises Refusal: the idempotency key is invalid."""
    if key is None:
        return {}
    return idempotency.key_fields(asked, idempotency.read(key.decode("latin1")), caller)


async def prices_of(skus: Collection[str]) -> dict[str, Price]:
    """The catalogue's prices; MongoDB is asked in a thread, as this one may not wait."""
    remembered = placing.catalogue.remembered(skus)
    return await asyncio.to_thread(read_prices, skus) if remembered is None else remembered


def read_prices(skus: Collection[str]) -> dict[str, Price]:
    with pymongo.timeout(ANSWER_SECONDS):
        return placing.catalogue.prices(skus)


def failure(error: Exception) -> HttpResponse:
    """The problem that the REST framework's way would answer with."""
    if isinstance(error, TooManyWaiting):
        return problems.too_busy()
    if problems.is_database_unavailable(error):
        return problems.database_unavailable(error)
    logger.error("POST %s failed", PATH, exc_info=error)
    return problems.unexpected()


async def send_response(scope: Event, send: Send, response: HttpResponse) -> None:
    type_ = response["Content-Type"].encode()
    wait = [(b"retry-after", response["Retry-After"].encode())] if "Retry-After" in response else []
    await send_answer(scope, send, response.status_code, type_, response.content, *wait)


async def send_answer(
    scope: Event, send: Send, status: int, type_: bytes, body: bytes, *headers: tuple[bytes, bytes]
) -> None:
    own = [
        (b"content-type", type_),
        (b"content-length", b"%d" % len(body)),
        *headers,
        *answer_fields(scope),
    ]
    answered(scope, status, PATH)
    write_whole: WriteWhole | None = scope.get(WRITE_WHOLE)
    if write_whole and write_whole(status, lines_of(own) + HEADER_LINES, body):
        return
    await send({"type": "http.response.start", "status": status, "headers": [*own, *HEADERS]})
    await send({"type": "http.response.body", "body": body})


def lines_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """As HTTP/1.1 writes them."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


HEADER_LINES = lines_of(HEADERS)
