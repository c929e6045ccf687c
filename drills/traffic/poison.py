"""Every kind of message that nobody can handle, with the reason that it has to die of."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import amqp

from drills.cluster.site import LOCAL
from drills.traffic import wire

HUGE_BYTES = 5_000_000
#: There, once somebody has executed what a message says.
EXECUTED = LOCAL / "executed"

ITEM = {"sku": "pen", "quantity": 1, "unitPrice": "1.00"}
ORDER = {"orderId": "6743f0000000000000000001", "userId": 7, "items": [ITEM]}
OPERATOR = {"$gt": ""}

#: Whoever unpickles it makes that file.
PICKLE = f"\x80\x04cos\nsystem\n(S'touch {EXECUTED}'\ntR.".encode("latin-1")

NO_JSON = b"{"
NO_UTF8 = b"\xff\xfe"
#: As UTF-8 would have it, if it were allowed there.
LONE_SURROGATE = b"\xed\xa0\x80"

#: The exchange through which a service's own retries come back to it.
TO_ONE_SERVICE = b"by_name"


@dataclass(frozen=True, slots=True)
class Poison:
    """One kind of message that nobody can handle."""

    body: bytes = NO_JSON
    reason: str = "undecodable"
    properties: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[Any, Any] = field(default_factory=dict)
    #: Fields of the table of headers that py-amqp cannot write, as bytes.
    fields: bytes = b""
    routing_key: bytes = b""
    #: Whether it comes to one service alone, as a retry of its own does.
    comes_back: bool = False


def readable(text: bytes) -> str:
    """Bytes that are not UTF-8 as `\\xff`, a lone surrogate as `\\ud800`."""
    try:
        return text.decode("utf-8", "surrogatepass").encode("utf-8", "backslashreplace").decode()
    except UnicodeDecodeError:
        return text.decode("utf-8", "backslashreplace")


def publish(
    channel: amqp.Channel,
    poison: Poison,
    message_id: str,
    *,
    exchange: bytes = b"order_events",
    routing_key: bytes | None = None,
    user: str = "guest",
    **properties: Any,
) -> str:
    """Publish it on a channel that confirms; return the message's id as a person gets to see it.

    `user` is who is logged in: RabbitMQ takes no other `user_id`.
    """
    named = message_id.encode() + poison.properties.get("message_id", b"")
    written = {
        "content_type": "application/json",
        "delivery_mode": 2,
        **properties,
        **poison.properties,
        "message_id": named,
        **({"user_id": user} if "user_id" in poison.properties else {}),
    }
    wire.publish(
        channel,
        exchange,
        poison.routing_key if routing_key is None else routing_key,
        wire.properties_of(written, poison.headers, poison.fields),
        poison.body,
    )
    return readable(named)


def order(**changes: Any) -> bytes:
    return json.dumps({**ORDER, **changes}).encode()


def item(**changes: Any) -> bytes:
    return order(items=[{**ITEM, **changes}])


def invalid(body: bytes) -> Poison:
    return Poison(body, "invalid_body")


def with_properties(**properties: Any) -> Poison:
    """A good order with properties that are none."""
    return Poison(order(), "invalid_properties", properties)


def with_headers(headers: dict[Any, Any]) -> Poison:
    """A good order with headers of Celery's."""
    return Poison(order(), "invalid_properties", headers=headers)


def with_fields(fields: bytes) -> Poison:
    """A good order with headers that no client can read."""
    return Poison(order(), "invalid_properties", fields=fields)


def forged(**headers: Any) -> Poison:
    """What claims to have been tried before."""
    return Poison(headers=headers, comes_back=True)


def nested(depth: int) -> bytes:
    """A header that is an array of arrays of arrays."""
    array = b""
    for _ in range(depth):
        array = b"A" + struct.pack(">I", len(array)) + array
    return b"\x04deep" + array


BODIES: dict[str, Poison] = {
    "empty": Poison(b""),
    "cut off": Poison(order()[:-7]),
    "text": Poison(b"hello"),
    "no UTF-8": Poison(b'{"userId": "\xff\xfe"}'),
    "lone surrogate": Poison(b'{"userId": "\\ud800"}'),
    "zero bytes": Poison(b"\x00" * 1_000),
    "NaN": Poison(order(userId=float("nan"))),
    "beyond every number": Poison(b'{"userId": 1e999}'),
    "nested deeply": Poison(b"[" * 100_000 + b"]" * 100_000),
    "pickle": Poison(PICKLE),
    "array": invalid(b"[1, 2]"),
    "string": invalid(b'"order"'),
    "null": invalid(b"null"),
    "Celery call": invalid(b'[["x"], {}, {"callbacks": null, "chord": null}]'),
    "nothing in it": invalid(b"{}"),
    "operator for all": invalid(json.dumps(OPERATOR).encode()),
    "operator for an id": invalid(order(orderId=OPERATOR)),
    "half a number for an id": invalid(order(orderId=1.5)),
    "no id": invalid(json.dumps({"userId": 7, "items": [ITEM]}).encode()),
    "id that AMQP has no room for": invalid(order(orderId="\N{PACKAGE}" * 60)),
    "no user": invalid(json.dumps({"orderId": "1", "items": [ITEM]}).encode()),
    "user null": invalid(order(userId=None)),
    "user beyond 63 bits": invalid(order(userId=2**63)),
    "user object": invalid(order(userId={"id": 1})),
    "operator for a user": invalid(order(userId=OPERATOR)),
    "no items": invalid(order(items=[])),
    "items null": invalid(order(items=None)),
    "1,001 items": invalid(order(items=[ITEM] * 1001)),
    "items an operator": invalid(order(items={"$where": "sleep(1000)"})),
    "operator for an item": invalid(order(items=[OPERATOR])),
    "operator for a SKU": invalid(item(sku={"$ne": None})),
    **{
        f"quantity {value!r}": invalid(item(quantity=value))
        for value in (0, -1, 1.5, 10**9, 2**70, "2", "one", OPERATOR)
    },
    "many values far inside": invalid(b"[" * 500 + b"0" + b",0" * 400_000 + b"]" * 500),
    "huge": Poison(b'{"padding": "' + b"x" * HUGE_BYTES + b'"}', "too_large"),
}

PROPERTIES: dict[str, Poison] = {
    "unknown type": Poison(order(), "unknown_type", {"type": "order.exploded"}),
    "another content type": with_properties(content_type="text/xml"),
    "pickle that says so": Poison(
        PICKLE,
        "invalid_properties",
        {"content_type": "application/x-python-serialize", "content_encoding": "binary"},
    ),
    "packed": with_properties(content_encoding="gzip"),
    "unknown compression": Poison(headers={"compression": "application/x-gzip"}),
    # RabbitMQ itself checks `expiration` and `user_id`.
    **{
        f"{name} that is not UTF-8": with_properties(**{name: NO_UTF8})
        for name in (
            *("content_type", "content_encoding", "correlation_id", "reply_to", "message_id"),
            *("type", "app_id", "cluster_id"),
        )
    },
    "lone surrogates": Poison(
        properties=dict.fromkeys(
            ("correlation_id", "reply_to", "message_id", "app_id", "cluster_id"), LONE_SURROGATE
        )
    ),
    "empty texts": Poison(
        properties=dict.fromkeys(
            ("content_type", "content_encoding", "correlation_id", "reply_to", "app_id"), b""
        )
    ),
    "odd values": Poison(
        properties={
            "priority": 255,
            "timestamp": 2**64 - 1,
            "expiration": "600000",
            "reply_to": "../../etc/passwd",
            "user_id": "guest",
        }
    ),
}

#: RabbitMQ itself refuses NaN, and fields of a type that it does not know.
HEADERS: dict[str, Poison] = {
    "Celery task": with_headers({"task": "os.system", "id": "1"}),
    "absurd eta": with_headers({"eta": "10000-99-99"}),
    "eta of another type": with_headers({"eta": {"a": [1]}}),
    "absurd time limit": with_headers({"timelimit": ["x", -1]}),
    "absurd retries": with_headers({"retries": -(10**12)}),
    "callbacks": with_headers({"callbacks": [{"task": "x"}]}),
    "long expired": with_headers({"expires": "2001-01-01T00:00:00"}),
    "headers of 100 KB": Poison(headers={"x": "y" * 100_000}),
    "9,000 headers": Poison(headers={f"x{number}": None for number in range(9_000)}),
    "header name that is not UTF-8": Poison(headers={NO_UTF8: 1, LONE_SURROGATE: 2}),
    "long header names that are not UTF-8": Poison(
        headers={b"\xff" * 255: 1, LONE_SURROGATE * 85: 2, "x": "y" * 200}
    ),
    "header that is not UTF-8": Poison(headers={"x": NO_UTF8, "replay": NO_UTF8}),
    "header with a lone surrogate": Poison(
        headers={"x": LONE_SURROGATE, "replay": LONE_SURROGATE, "traceparent": LONE_SURROGATE}
    ),
    "header without a name": Poison(headers={"": ""}),
    "great numbers": Poison(headers={"x": 1.7e308, "y": -(2**63)}),
    "tiny decimal": Poison(fields=b"\x01xD\xff\x00\x00\x00\x01"),
    "time beyond every calendar": with_fields(b"\x04when" + b"T" + struct.pack(">Q", 2**62)),
    "time beyond 63 bits": with_fields(b"\x04when" + b"T" + b"\xff" * 8),
    "headers nested deeply": with_fields(nested(10_000)),
    "headers nested somewhat": Poison(fields=nested(300)),
    "attempt, version and replay of other types": Poison(
        headers={"attempt": [1], "schema-version": {"a": 1}, "replay": [], "order-version": "x"}
    ),
    "replay that AMQP has no room for": Poison(headers={"replay": "9" * 5_000}),
    "more queues": Poison(headers={"CC": ["billing.dlq"], "BCC": ["inventory.dlq"]}),
    "forged x-death": Poison(
        headers={
            "x-death": [{"count": 1}, 7, None, {"queue": ["billing"], "count": "x"}],
            "x-delivery-count": "many",
            "x-first-death-queue": NO_UTF8,
        }
    ),
}

#: RabbitMQ checks no byte of them, and a fanout ignores the key.
ROUTING_KEYS: dict[str, Poison] = {
    "routing key that is not UTF-8": Poison(routing_key=NO_UTF8),
    "routing key with a lone surrogate": Poison(routing_key=LONE_SURROGATE),
    "long routing key that is not UTF-8": Poison(routing_key=b"\xff" * 255),
}


def attempt(**changes: Any) -> dict[str, Any]:
    told = {"at": "2026-01-01T00:00:00+00:00", "worker": "w", "exception": "E", "message": "m"}
    return {"number": 1, "seconds": 0.1, **told, **changes}


def original(**changes: Any) -> str:
    told = {"exchange": "order_events", "routing_key": "", "redelivered": False}
    return json.dumps({**told, "properties": {}, "headers": {}, **changes})


DEEP_OBJECT = '{"x":' * 500 + "1" + "}" * 500
NUMBER_OF_5000_DIGITS = "9" * 5_000

FORGERIES: dict[str, Poison] = {
    "all of it nonsense": forged(certificate="{}", attempts="[", original="]"),
    "of other types": forged(certificate=1, attempts=[], original={}),
    "no UTF-8": forged(certificate=NO_UTF8, attempts=NO_UTF8, original=NO_UTF8),
    "lone surrogates": forged(
        certificate=b'{"id": "' + LONE_SURROGATE + b'"}',
        attempts=b'["' + LONE_SURROGATE + b'"]',
        original=original(exchange="#").encode().replace(b"#", LONE_SURROGATE),
    ),
    "escaped lone surrogates": forged(
        certificate='{"id": "\\ud800"}',
        attempts=json.dumps([attempt(message="\ud800")]),
        original=original(exchange="\ud800", headers={"\udfff": "\ud800"}),
    ),
    "fields of other types": forged(
        certificate='{"id": 1, "attempts": {}}',
        attempts=json.dumps([attempt(number="one", seconds=[])]),
        original=original(properties=[], headers=None),
    ),
    "numbers too large": forged(
        attempts=json.dumps([attempt(number=10**400)]),
        original=original(headers={"x": 10**400}),
    ),
    "numbers of 5,000 digits": forged(
        attempts=json.dumps([attempt(number=7)]).replace("7", NUMBER_OF_5000_DIGITS),
        original=original(headers={"x": 7}).replace("7", NUMBER_OF_5000_DIGITS),
    ),
    "numbers beyond every number": forged(
        attempts=json.dumps([attempt(seconds=7)]).replace("7", "1e999"),
        original=original(headers={"x": float("nan")}),
    ),
    "nested somewhat": forged(original=original(headers=7).replace("7", DEEP_OBJECT)),
    "nested deeply": forged(certificate='{"x":' * 5_000, attempts="[" * 50_000),
    "20 attempts of 5 KB": forged(
        attempts=json.dumps([attempt(traceback="x" * 5_000) for _ in range(20)])
    ),
    "900 attempts": forged(attempts=json.dumps([attempt(number=n) for n in range(900)])),
    "original of 100 KB": forged(original=original(headers={"x": "y" * 100_000})),
    "time of no day": forged(attempts=json.dumps([attempt(at="2026-13-32")])),
}

KINDS: dict[str, Poison] = {
    **BODIES,
    **PROPERTIES,
    **HEADERS,
    **ROUTING_KEYS,
    **{f"forged history: {name}": poison for name, poison in FORGERIES.items()},
}
