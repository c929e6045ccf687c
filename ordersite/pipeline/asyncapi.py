"""The documents for subscribers: every event as an AsyncAPI document and as a JSON Schema.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import yaml
from django.conf import settings
from kombu import Exchange

from messaging.incoming import ATTEMPT_HEADER
from messaging.message import CONTENT_TYPE
from messaging.service import Event, events, exchange_of, publisher_of, services
from ordersite.openapi.schemas import schemas_of
from runtime.tracing.context import PARENT, STATE

DESCRIPTION = (
    "Bind a queue of your own to an exchange. Each message is one event: its body is the JSON "
    "object below; its type, id, time and order are in AMQP's properties `type`, `message_id`, "
    "`timestamp` and `correlation_id`. Events arrive at least once and in any order; `message_id` "
    "identifies a repeat. A headers exchange carries what the topic exchange of the same service "
    "does."
)
SCHEMA_REF = "#/components/schemas/{name}"


def document() -> dict[str, Any]:
    """The AsyncAPI document of all events."""
    channels = dict(channels_of_all())
    _, schemas = schemas_of([each.body for each in events().values()], SCHEMA_REF)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "ordersite", "version": settings.RELEASE, "description": DESCRIPTION},
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": {f"send.{name}": operation(name) for name in channels},
        "components": {
            "messages": {each.type: message(each) for each in events().values()},
            "schemas": schemas,
        },
    }


def text() -> str:
    """The same in YAML."""
    written = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=100)
    return f"# Made by `python manage.py asyncapi`.\n{written}"


def channels_of_all() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each exchange that subscribers bind to, by name, with the events that it carries."""
    for service in services().values():
        own = [each for each in service.publishes if exchange_of(each.type) == service.exchange]
        yield service.exchange.name, channel(service.exchange, own)
        if service.by_topic:
            # All of the service's events pass through here, most of them from the fanout.
            for exchange in (service.topic_exchange, service.headers_exchange):
                yield exchange.name, channel(exchange, service.publishes)


def channel(exchange: Exchange, carried: Iterable[Event]) -> dict[str, Any]:
    return {
        "address": exchange.name,
        "messages": {each.type: {"$ref": f"#/components/messages/{each.type}"} for each in carried},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": exchange.name, "type": exchange.type, "durable": True},
                "bindingVersion": "0.3.0",
            }
        },
    }


def operation(exchange_name: str) -> dict[str, Any]:
    return {"action": "send", "channel": {"$ref": f"#/channels/{exchange_name}"}}


def message(event: Event) -> dict[str, Any]:
    headers: dict[str, Any] = {"schema-version": {"type": "integer", "const": event.version}}
    required = ["schema-version"]
    if keeps_the_ledger(event):
        text = "The order's own version: one more with each change of it."
        headers["order-version"] = {"type": "integer", "description": text}
        required.append("order-version")
    else:
        text = "The number of the attempt that succeeded, if the service needed several."
        headers[ATTEMPT_HEADER] = {"type": "integer", "description": text}
    text = "The trace that the event is part of, where it is part of one (W3C Trace Context)."
    headers |= {name: {"type": "string", "description": text} for name in (PARENT, STATE)}
    return {
        "name": event.type,
        "title": event.type,
        "summary": event.body.__doc__,
        "headers": {"type": "object", "properties": headers, "required": required},
        "payload": {"$ref": SCHEMA_REF.format(name=event.body.__name__)},
        "bindings": {"amqp": {"messageType": event.type, "bindingVersion": "0.3.0"}},
    }


def keeps_the_ledger(event: Event) -> bool:
    publisher = publisher_of(event.type)
    return publisher is not None and publisher.keeps_ledger


def json_schema(event: Event) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one event's body, complete in itself."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{event.type}, version {event.version}",
        **msgspec.json.schema(event.body),
    }
