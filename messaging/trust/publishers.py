"""Who may publish which event: RabbitMQ vouches for the property `user_id`.

https://www.rabbitmq.com/docs/validated-user-id
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from messaging.certificate import Reason
from messaging.errors import InvalidMessage
from messaging.service import Service
from messaging.storable import text
from messaging.trust.users import senders_again_to, senders_to, users

#: On a message of an external publisher that one of ours has sent again: who published it.
PUBLISHER = "publisher"
ANY = "*"


def publisher_of(message: Any, service: Service) -> str:
    """The user who published the message first; empty where it is not known."""
    user = message.properties.get("user_id")
    if not isinstance(user, str):
        return ""
    if PUBLISHER not in message.headers:
        return user
    first = message.headers[PUBLISHER]
    is_told_by_us = isinstance(first, str) and user in senders_again_to(service)
    return first if is_told_by_us and first not in users() else user


def with_publisher(
    headers: Mapping[str, Any], message: Any, type_: str, service: Service
) -> dict[str, Any]:
    """The headers that stay with a message; among them its publisher, where that is none of ours.

    One of ours is among them, too, where it sends the service what is none of its business.
    """
    kept = {**headers}
    kept.pop(PUBLISHER, None)
    user = publisher_of(message, service)
    return {**kept, PUBLISHER: user} if user and user not in senders_to(service, type_) else kept


def check_publisher(message: Any, type_: str, service: Service) -> None:
    """Raises InvalidMessage: the publisher of the message may not publish this type."""
    user = publisher_of(message, service)
    if not (user in senders_to(service, type_) or is_external(user, type_)):
        raise untrusted(user, type_)


def is_external(user: str, type_: str) -> bool:
    """Whether EXTERNAL_PUBLISHERS lets this user publish this type."""
    listed = {f"{who}:{what}" for who in (user, ANY) for what in (type_, ANY)}
    return not listed.isdisjoint(settings.EXTERNAL_PUBLISHERS)


def untrusted(user: str, type_: str, detail: str = "") -> InvalidMessage:
    """The error that says who it was, and what lets them."""
    who = f"RabbitMQ's user {text(user, 80)!r}" if user else "a publisher without user_id"
    fix = f"{text(user, 80) or ANY}:{type_}"
    return InvalidMessage(
        f"{who} may not publish {type_}{detail}; if it is to, add {fix} to EXTERNAL_PUBLISHERS",
        Reason.UNTRUSTED_PUBLISHER,
    )
