"""What an app publishes: each type of event with its version, its body and its exchange.

From these the documents for subscribers are made (`manage.py asyncapi`).
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from kombu import Exchange
from msgspec import Meta, Struct

OrderId = Annotated[
    str,
    Meta(
        description="24 hexadecimal digits; what a foreign publisher chose for an order of its own."
    ),
]
UserId = Annotated[int, Meta(ge=1)]
Sku = Annotated[str, Meta(min_length=1, max_length=64)]
Quantity = Annotated[int, Meta(ge=1)]
Money = Annotated[str, Meta(pattern=r"^\d+\.\d{2}$", description="A decimal as text, like 12.50.")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217.")]

Body = type[Struct]


class Published(NamedTuple):
    """One type of event."""

    type: str
    #: One more with each change of the body that a subscriber has to know of.
    version: int
    body: Body
    exchange: Exchange
