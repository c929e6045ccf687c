"""From bodies to events: the middlewares next to the handler."""

from __future__ import annotations

import msgspec

from messaging.handling.call import Answers, Call, GoOn
from messaging.publishing.publisher import Outgoing, process_publisher
from messaging.service import exchange_of


def decode_bodies(call: Call, go_on: GoOn) -> Answers:
    """Middleware: decodes again for each run, since a handler may change what it gets."""
    call.bodies = [msgspec.json.decode(body) for body in call.raw]
    call.indexes = range(len(call.raw))
    return go_on()


def publish_events(call: Call, go_on: GoOn) -> Answers:
    """Middleware: publish everything that the call has led to in one round, and wait for the
    confirms.

    Raises:
        PublishError: not all of it is confirmed.
    """
    answers = go_on()
    outgoing = [
        Outgoing(each, exchange_of(each.type).name, each.type)
        for events in answers
        if events
        for each in events
    ]
    outgoing += call.also
    if outgoing:
        process_publisher().publish(outgoing)
    return answers
