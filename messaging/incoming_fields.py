"""The types of fields of bodies that anyone may have sent."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

#: A foreign publisher may write a number; `messaging.order_id.of_message` makes an id of it.
OrderId = (
    Annotated[str, Meta(min_length=1, max_length=100)] | Annotated[int, Meta(ge=0, le=2**63 - 1)]
)
UserId = Annotated[int, Meta(ge=1, le=2**63 - 1)]
