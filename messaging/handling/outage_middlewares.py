"""A dependency that is down is not a failure of the handler that needs it."""

from __future__ import annotations

from messaging.handling.call import Answers, Call, GoOn
from messaging.outages import ride_out, telling_outages


def wait_for_dependencies(call: Call, go_on: GoOn) -> Answers:
    """Middleware: run the rest again for as long as MongoDB or RabbitMQ is down.

    Raises:
        Outage: it is down for longer than `messaging.outages.PATIENCE_SECONDS`.
    """
    return ride_out(go_on)


def name_outages(call: Call, go_on: GoOn) -> Answers:
    """Middleware: raise `Outage` for any error that says that a dependency is down."""
    with telling_outages():
        return go_on()
