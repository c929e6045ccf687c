"""From a message on a service's queue, whatever it is, to a delivery that a handler can take.

Everything about an incoming message is its publisher's choice. It is checked here, before Celery
sees it: one malformed Celery header would stop a worker's main process.
"""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec
from django.conf import settings
from kombu import message as kombu_message
from kombu.transport import pyamqp

from messaging.certificate import (
    Attempt,
    Original,
    Reason,
    decode_attempts,
    decode_original,
    encode_attempts,
    encode_original,
)
from messaging.errors import InvalidMessage
from messaging.kept_headers import CELERY_HEADERS, kept_headers, kept_properties
from messaging.lenient_properties import UNREADABLE
from messaging.message import CONTENT_TYPE, Message
from messaging.service import Service
from messaging.short_string import is_readable, shortened
from messaging.storable import text
from messaging.topology import by_name
from messaging.trust.publishers import check_publisher, publisher_of, with_publisher

#: On an event whose sender needed several attempts to bring it about: how many.
ATTEMPT_HEADER = "attempt"

#: RabbitMQ's own count of a message's returns to its quorum queue.
RETURNS_HEADER = "x-delivery-count"

#: Of the format of a body.
FIRST_VERSION = 1
#: `2` and `2.0`; of AMQP's numbers none has more digits.
_WHOLE_NUMBER = re.compile(r"(?P<digits>[0-9]{1,19})(\.0+)?")

#: The end of the year 9999, where datetime ends.
LAST_SECOND = 253_402_300_799


class Delivery(msgspec.Struct, frozen=True):
    """One message on a service's queue, apart from its body.

    Plain values only: it travels to the worker's pool inside Celery's own headers.
    """

    service: str
    type: str
    message_id: str
    correlation_id: str
    content_type: str
    #: Since the epoch (AMQP's resolution); the time of arrival where the publisher gave none.
    timestamp_seconds: int
    headers: dict[str, Any]
    #: The failed attempts so far, as `encode_attempts` writes them.
    attempts_json: str
    #: How the message first arrived, as `encode_original` writes it.
    original_json: str
    #: Further properties that stay with it, see `messaging.kept_headers`.
    others: dict[str, str | int] = msgspec.field(default_factory=dict)
    #: As `messaging.trust.publishers` tells it; empty where it is not known.
    publisher: str = ""
    #: Identifies the message over its redeliveries, until its next attempt or replay; empty at its
    #: first delivery.
    life: str = ""

    @property
    def schema_version(self) -> int:
        return version_in(self.headers)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        return decode_attempts(self.attempts_json)

    def message(self, body: bytes, **headers: str) -> Message:
        """The same message once more, with our own headers beside those that stay with it."""
        return Message(
            body=body,
            type=self.type,
            message_id=self.message_id,
            correlation_id=self.correlation_id,
            timestamp=datetime.fromtimestamp(self.timestamp_seconds, UTC),
            headers={**self.headers, **headers},
            content_type=self.content_type,
            others=self.others,
        )


class RawMessage(pyamqp.Message):
    """A message whose body stays the bytes that arrived.

    kombu would unpack a body whose `compression` header asks for it, before it could be checked
    at its size.
    """

    #: The headers of the trace that begins with it, as `messaging.consuming.begun_traces` says.
    begun_trace: Mapping[str, str] = MappingProxyType({})

    def __init__(self, msg: Any, channel: Any = None, **kwargs: Any) -> None:
        properties = msg.properties
        kombu_message.Message.__init__(
            self,
            # py-amqp gives an empty body as text.
            body=msg.body or b"",
            channel=channel,
            delivery_tag=msg.delivery_tag,
            content_type=properties.get("content_type"),
            content_encoding=properties.get("content_encoding"),
            delivery_info=msg.delivery_info,
            properties=properties,
            **kwargs,
        )
        self.headers = properties.get("application_headers") or {}


def take_raw(channel: Any) -> None:
    """Make the channel hand over messages with the bytes that arrived, nothing decoded."""
    channel.auto_decode = False
    channel.Message = RawMessage


def came_back(message: Any) -> bool:
    """Whether it came to one queue alone: only our own retries do so with a history.

    Those from an earlier release's retry queues come through the default exchange.
    """
    return message.delivery_info.get("exchange") in (by_name.name, "")


def version_in(headers: Mapping[str, Any]) -> int:
    """The version of the body's format; a publisher that names none writes the first.

    Some clients of AMQP write every number as a double, or as text.
    """
    version = headers.get("schema-version")
    if isinstance(version, int):
        return version
    is_plain = isinstance(version, str | float | Decimal)
    written = _WHOLE_NUMBER.fullmatch(str(version)) if is_plain else None
    return int(written["digits"]) if written else FIRST_VERSION


def delivery_of(message: Any, service: Service) -> Delivery:
    """What the envelope says, with defaults where it says nothing; never raises."""
    properties, headers = message.properties, message.headers
    is_retry = came_back(message)
    type_ = type_of(message, service)
    original = decode_original(headers.get("original")) if is_retry else None
    attempts = decode_attempts(headers.get("attempts")) if is_retry else ()
    return Delivery(
        service=service.name,
        type=type_,
        message_id=_text(properties.get("message_id")) or str(uuid.uuid4()),
        correlation_id=_text(properties.get("correlation_id")),
        content_type=_content_type(message.content_type),
        timestamp_seconds=_seconds(properties.get("timestamp")),
        headers=_headers(message, type_, service),
        attempts_json=encode_attempts(attempts),
        original_json=encode_original(original or _original(message)),
        others=kept_properties(properties),
        publisher=publisher_of(message, service),
        life=_life(message, service, len(attempts)) if was_returned(message) else "",
    )


def _headers(message: Any, type_: str, service: Service) -> dict[str, Any]:
    """Those that stay with the message."""
    kept = {**kept_headers(message.headers), **begun_trace(message)}
    return with_publisher(kept, message, type_, service)


def begun_trace(message: Any) -> Mapping[str, str]:
    """The headers of the trace that begins with it; none where it names one itself, or has none."""
    headers: Mapping[str, str] = getattr(message, "begun_trace", {})
    return headers


def was_returned(message: Any) -> bool:
    """Whether it was delivered before, to a consumer that did not settle it."""
    return bool(message.delivery_info.get("redelivered"))


def returns_of(message: Any) -> int:
    """How often RabbitMQ has taken it back, for whatever reason; others may set the header first.

    https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling
    """
    count = message.headers.get(RETURNS_HEADER) if was_returned(message) else 0
    return count if isinstance(count, int) else 0


def _life(message: Any, service: Service, attempts: int) -> str:
    """Equal messages without an id share it; whatever happens to one happens to the other."""
    properties = message.properties
    parts = (
        service.name,
        _text(properties.get("message_id")),
        type_of(message, service),
        _text(properties.get("correlation_id")),
        str(message.headers.get("replay")),
        str(attempts),
    )
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "replace"))
    digest.update(message.body)
    return digest.hexdigest()


def type_of(message: Any, service: Service) -> str:
    """The event's type; that which the service takes plain messages for, where it says none."""
    return _text(message.properties.get("type")) or service.plain_messages_are or ""


def body_of(message: Any, service: Service, known_types: frozenset[str]) -> dict[str, Any]:
    """The event's JSON object, after every check that needs no knowledge of the business.

    Raises:
        InvalidMessage: with the reason, and what the publisher has to fix.
    """
    check_size(message.body)
    _check_properties(message)
    _check_type(_text(message.properties.get("type")), service, known_types)
    check_publisher(message, type_of(message, service), service)
    return json_object(message.body)


def check_size(body: bytes) -> None:
    """Raises InvalidMessage: the body is larger than a service takes."""
    if len(body) > settings.MAX_MESSAGE_BYTES:
        raise InvalidMessage(
            f"the body has {len(body):,} bytes; at most {settings.MAX_MESSAGE_BYTES:,} are taken",
            Reason.TOO_LARGE,
        )


def _check_properties(message: Any) -> None:
    if UNREADABLE in message.properties:
        raise InvalidMessage(
            f"the AMQP properties cannot be read ({text(message.properties[UNREADABLE], 300)}); "
            "publish text as UTF-8 and timestamps in seconds",
            Reason.INVALID_PROPERTIES,
        )
    content_type = (message.content_type or CONTENT_TYPE).partition(";")[0].strip().lower()
    if content_type != CONTENT_TYPE:
        raise InvalidMessage(
            f"content_type is {text(content_type, 80)!r}; publish {CONTENT_TYPE!r}",
            Reason.INVALID_PROPERTIES,
        )
    encoding = message.content_encoding or "utf-8"
    if encoding.lower() not in ("utf-8", "utf8"):
        raise InvalidMessage(
            f"content_encoding is {text(encoding, 80)!r}; publish UTF-8 without compression",
            Reason.INVALID_PROPERTIES,
        )
    foreign = sorted(CELERY_HEADERS.intersection(message.headers))
    if foreign:
        raise InvalidMessage(
            f"header {', '.join(foreign)}: Celery's headers are not taken from a publisher; "
            "publish the event without them",
            Reason.INVALID_PROPERTIES,
        )


def _check_type(type_: str, service: Service, known_types: frozenset[str]) -> None:
    if (type_ or service.plain_messages_are) not in known_types:
        asked = f"type {text(type_, 80)!r} is unknown" if type_ else "the type property is missing"
        raise InvalidMessage(
            f"{asked}; {service.name} knows {', '.join(sorted(known_types))}", Reason.UNKNOWN_TYPE
        )


def json_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises InvalidMessage: it is not one."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidMessage(f"the body is not JSON: {error}", Reason.UNDECODABLE) from error
    except RecursionError as error:
        raise InvalidMessage("the body is nested too deeply", Reason.UNDECODABLE) from error
    if not isinstance(decoded, dict):
        raise InvalidMessage(f"the body is a JSON {_json_name(decoded)}; publish an object")
    return decoded


def _json_name(value: object) -> str:
    names = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def _original(message: Any) -> Original:
    info = message.delivery_info
    properties = {
        name: value for name, value in message.properties.items() if name != "application_headers"
    }
    return Original(
        exchange=_text(info.get("exchange")),
        routing_key=_text(info.get("routing_key")),
        redelivered=bool(info.get("redelivered")),
        properties=properties,
        headers=dict(message.headers),
    )


def _text(value: object) -> str:
    return shortened(value) if isinstance(value, str) else ""


def _content_type(value: str | None) -> str:
    """Empty where it cannot be read: a replay of the message then says that it is JSON."""
    return _text(value) if value and is_readable(value) else ""


def _seconds(value: object) -> int:
    return value if isinstance(value, int) and value <= LAST_SECOND else int(time.time())
