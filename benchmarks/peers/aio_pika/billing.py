"""Issues one invoice for an order."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import uvloop
from broker import consume
from database import invoices
from pymongo.errors import DuplicateKeyError


async def issue_invoice(order: dict[str, Any]) -> None:
    invoice = {
        "_id": order["orderId"],
        "userId": order["userId"],
        "items": order["items"],
        "totalCents": order["totalCents"],
        "createdAt": datetime.now(UTC),
    }
    # It may have been issued before.
    with suppress(DuplicateKeyError):
        await invoices.insert_one(invoice)


uvloop.run(consume("billing", issue_invoice))
