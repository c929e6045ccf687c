"""Retries that an operator has stopped: their next attempt does not take place."""

from __future__ import annotations

from messaging.certificate import NO_ATTEMPTS
from messaging.errors import Stopped
from messaging.handling import retry_notes
from messaging.handling.call import Answers, GoOn, MessageCall
from messaging.outages import telling_outages


def end_stopped(call: MessageCall, go_on: GoOn) -> Answers:
    """Middleware: give a retry up that an operator has stopped; a first attempt asks nobody.

    Raises:
        Stopped: with who has stopped it, and why.
        Outage: MongoDB, which knows it, is down.
    """
    if call.delivery.attempts_json == NO_ATTEMPTS:
        return go_on()
    with telling_outages():
        asked = retry_notes.stopped(call)
    if asked:
        raise Stopped(asked["by"], asked["reason"])
    return go_on()
