"""What the archiver reads from `<service>.dlq`, made storable."""

from __future__ import annotations

import hashlib
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from kombu.message import Message

from failed_messages.archiving.certificate import certificate_of, workers_certificate
from messaging.adapters.py_amqp import encode_table
from messaging.certificate import Certificate
from messaging.incoming import type_of
from messaging.kept_headers import kept_headers
from messaging.order_id import canonical
from messaging.service import services
from messaging.storable import json_text, text
from messaging.trust.publishers import with_publisher
from runtime.indented_json import indented
from runtime.mongodb_clock import mongodb_now

#: MongoDB's documents end at 16 MiB; the rest is for certificates, headers and history.
BODY_LIMIT_BYTES = 10_000_000
PREVIEW_LIMIT_CHARS = 20_000
#: A body that is larger is not asked for the order and the user that it names.
PARSE_LIMIT_BYTES = 2_000_000
ID_LIMIT_CHARS = 300

#: Count deliveries to the archiver, which are none of the message's own affairs. RabbitMQ 4.3 has
#: the second one. https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling
DLQ_HEADERS = frozenset({"x-delivery-count", "x-acquired-count"})
#: A table of none.
NO_HEADERS = bytes(4)
#: What a worker's certificate holds already.
CERTIFIED_HEADERS = DLQ_HEADERS | {"certificate", "attempts", "original"}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead-lettered message: every field fits the database as it is."""

    service: str
    #: Empty for a message that came without one.
    message_id: str
    type: str
    correlation_id: str
    order_id: str
    user_id: str
    #: The whole body.
    body: bytes
    preview: str
    content_type: str
    properties: str
    headers: str
    #: The headers that stay with the message, as AMQP has them, which JSON has no word for all of.
    header_table: bytes
    certificate: Certificate
    #: True when the certificate was written by a worker, with an id of its own.
    certified: bool
    redelivered: bool
    #: By MongoDB's clock.
    archived_at: datetime

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


def read(message: Message, service: str) -> DeadLetter:
    """Read a message of `<service>.dlq`, however hostile its parts are.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer what time it is.
    """
    now = mongodb_now()
    properties, body = message.properties or {}, _raw(message.body)
    headers = _true_headers(message, service)
    parsed = _parse(body)
    fields = parsed if isinstance(parsed, dict) else {}
    message_id = _id(properties.get("message_id"))
    death = certificate_of(headers, service, message_id, now)
    certified = death == workers_certificate(headers, service, now)
    return DeadLetter(
        service=service,
        message_id=message_id,
        type=_id(properties.get("type")),
        correlation_id=_id(properties.get("correlation_id")),
        order_id=canonical(_id(properties.get("correlation_id")) or _id(fields.get("orderId"))),
        user_id=_id(fields.get("userId")),
        body=body,
        preview=preview_of(body),
        content_type=_id(message.content_type),
        properties=json_text(_without(properties, {"application_headers"})),
        headers=json_text(_without(headers, CERTIFIED_HEADERS if certified else DLQ_HEADERS)),
        header_table=encode_table(kept_headers(headers)),
        certificate=death,
        certified=certified,
        redelivered=bool((message.delivery_info or {}).get("redelivered")),
        archived_at=now,
    )


def unreadable(message: Message, service: str, error: Exception) -> DeadLetter:
    """What can be stored in any case, when reading it failed in an unexpected way."""
    properties, body = message.properties or {}, _raw(message.body)
    problem = text(f"the archiver could not read the message: {error!r}", 2_000)
    now = mongodb_now()
    death = msgspec.structs.replace(certificate_of({}, service, "", now), message=problem)
    return DeadLetter(
        service=service,
        message_id=_id(properties.get("message_id")),
        type=_id(properties.get("type")),
        correlation_id=_id(properties.get("correlation_id")),
        order_id=_id(properties.get("correlation_id")),
        user_id="",
        body=body,
        preview=preview_of(body),
        content_type=_id(message.content_type),
        properties="{}",
        headers="{}",
        header_table=NO_HEADERS,
        certificate=death,
        certified=False,
        redelivered=False,
        archived_at=now,
    )


def _true_headers(message: Message, service: str) -> dict[str, Any]:
    """Every worker may write to every dead-letter queue; a replay would name whom the header names.

    Topic permissions would not help: `dead_letters` is a direct exchange, and RabbitMQ never
    changes the type of one. https://www.rabbitmq.com/docs/access-control#topic-authorisation
    """
    gave_up = services()[service]
    return with_publisher(message.headers or {}, message, type_of(message, gave_up), gave_up)


def _raw(body: Any) -> bytes:
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body or b"")


def _parse(body: bytes) -> Any:
    if len(body) > PARSE_LIMIT_BYTES:
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def preview_of(body: bytes) -> str:
    """The body's beginning as it is shown: indented where it is JSON."""
    shown = indented(body)
    # Of any four bytes there is a character at least, and the cut has to be seen.
    return text(
        body[: PREVIEW_LIMIT_CHARS * 4 + 1] if shown is None else shown, PREVIEW_LIMIT_CHARS
    )


def _id(value: object) -> str:
    """An id as text; None for what is neither text nor a whole number."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return text(value, ID_LIMIT_CHARS)


def _without(table: dict[str, Any], names: Set[str]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in names}
