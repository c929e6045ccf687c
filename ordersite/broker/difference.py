"""How an exchange or a queue on RabbitMQ differs from its declaration."""

from __future__ import annotations

from typing import Any

from amqp import NotFound, PreconditionFailed
from kombu import Connection, Exchange, Queue


def difference(broker: Connection, entity: Exchange | Queue) -> str:
    """RabbitMQ's own words: declaring what is there changes nothing, or is refused with them."""
    try:
        with broker.channel() as channel:
            bound: Any = entity(channel)
            declare = bound.queue_declare if isinstance(entity, Queue) else bound.declare
            declare(passive=True)
            declare()
    except NotFound:
        return ""
    except PreconditionFailed as error:
        return str(error.reply_text).removeprefix("PRECONDITION_FAILED - ")
    return ""
