"""The id of an order, as any client may write it.

Ours are the 24 hexadecimal digits of an ObjectId, in small letters; written in capitals it is the
same id. A foreign publisher's id may be any text, which is then another one in another case.
"""

from __future__ import annotations

import re

from bson import ObjectId

from messaging.body import unreadable

#: Of AMQP's 255; the rest is for the types of events.
LONGEST_BYTES = 200

# PyMongo's own check takes blanks between the digits, too.
_OURS = re.compile(r"[0-9a-fA-F]{24}")


def canonical(order_id: str) -> str:
    """The id as it is stored."""
    return order_id.lower() if _OURS.fullmatch(order_id) else order_id


def of_message(order_id: str | int, *, example: str) -> str:
    """The same of an id in a message's body, which a foreign publisher may write as a number.

    Raises:
        InvalidMessage: our answers, whose id is `billing.invoiced:` and this one, have no room for
            it; said before anything is done for the order.
    """
    text = str(order_id)
    if len(text.encode()) > LONGEST_BYTES:
        problem = f"orderId: must have at most {LONGEST_BYTES} bytes in UTF-8"
        raise unreadable(problem, example=example)
    return canonical(text)


def object_id(order_id: str) -> ObjectId | None:
    """The key of the order in `orders`; None where the text is not an id of ours."""
    return ObjectId(order_id) if _OURS.fullmatch(order_id) else None
