"""The types of the fields of events' bodies, as subscribers' schemas describe them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

OrderId = Annotated[
    str,
    Meta(
        description="24 hexadecimal digits; what a foreign publisher chose for an order of its own."
    ),
]
UserId = Annotated[int, Meta(ge=1)]
Sku = Annotated[str, Meta(min_length=1, max_length=64)]
Quantity = Annotated[int, Meta(ge=1)]
Money = Annotated[
    str,
    Meta(
        pattern=r"^\d+(\.\d{1,4})?$",
        description="A decimal as text, with the decimals of its currency: 12.50 EUR, 1250 JPY.",
    ),
]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217.")]
