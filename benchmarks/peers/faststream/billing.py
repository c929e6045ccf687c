"""Issues one invoice for an order."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from broker import broker, consumes
from database import invoices
from faststream import FastStream
from pymongo.errors import DuplicateKeyError

app = FastStream(broker)


@consumes("billing")
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
