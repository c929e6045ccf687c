"""Middleware: nothing is done for a message with false contents."""

from __future__ import annotations

from messaging.handling.call import Answers, Call, GoOn
from messaging.trust.contents import VOUCHED_FOR, found_out


def check_contents(call: Call, go_on: GoOn) -> Answers:
    """Middleware: see that RabbitMQ vouches for each publisher, or what was stored for the body.

    What was compared goes on as it is stored: nothing else that its publisher wrote is acted on. Of
    several, those that cannot be believed are left to be handled alone.

    Raises:
        InvalidMessage: none of them can be believed.
    """
    found = found_out(call.type, call.bodies, call.publishers)
    if found is VOUCHED_FOR:
        return go_on()
    wrong = found.wrong
    if len(wrong) == len(call.raw):
        raise wrong[0]
    bodies = [found.stored.get(index, body) for index, body in enumerate(call.bodies)]
    call.bodies = [body for index, body in enumerate(bodies) if index not in wrong]
    call.indexes = [index for index in call.indexes if index not in wrong]
    answers = iter(go_on())
    return [None if index in wrong else next(answers) for index in range(len(call.raw))]
