"""The id of an order, as any client may write it.

Ours are the 24 hexadecimal digits of an ObjectId, in small letters; written in capitals it is the
same id. A foreign publisher's id may be any text, which is then another one in another case.
"""

from __future__ import annotations

import re

from bson import ObjectId

# PyMongo's own check takes blanks between the digits, too.
_OURS = re.compile(r"[0-9a-fA-F]{24}")


def canonical(order_id: str) -> str:
    """The id as it is stored."""
    return order_id.lower() if _OURS.fullmatch(order_id) else order_id


def object_id(order_id: str) -> ObjectId | None:
    """The key of the order in `orders`; None where the text is not an id of ours."""
    return ObjectId(order_id) if _OURS.fullmatch(order_id) else None
