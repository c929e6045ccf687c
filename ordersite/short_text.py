"""An argument of a command that becomes a name or a key on RabbitMQ."""

from __future__ import annotations

from argparse import ArgumentTypeError

from runtime.requests.text import fault_in

#: AMQP's short strings, see its specification, section 4.2.5.3.
MOST_BYTES = 255


def short_text(text: str) -> str:
    """The text as it is. Raises ArgumentTypeError: AMQP has no room for it."""
    if fault := fault_in(text):
        raise ArgumentTypeError(fault)
    if len(text.encode()) > MOST_BYTES:
        raise ArgumentTypeError(f"must have at most {MOST_BYTES} bytes")
    return text
