"""An argument of a command that becomes a name or a key on RabbitMQ."""

from __future__ import annotations

from argparse import ArgumentTypeError

from messaging.short_string import LIMIT_BYTES
from runtime.requests.text import fault_in


def short_text(text: str) -> str:
    """The text as it is. Raises ArgumentTypeError: AMQP has no room for it."""
    if fault := fault_in(text):
        raise ArgumentTypeError(fault)
    if len(text.encode()) > LIMIT_BYTES:
        raise ArgumentTypeError(f"must have at most {LIMIT_BYTES} bytes")
    return text
