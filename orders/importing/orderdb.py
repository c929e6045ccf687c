"""Orders out of the tutorial's database: `orderdb`, collection `orders`, made by Mongoose.

A document there is `{orderId: 1718000000000, userId: 101, items: ["book"], createdAt: …}`. It is
placed as an order of its time: priced by today's catalogue, and published to inventory and billing,
which have never heard of it. Its `orderId` makes a second import harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from pymongo import MongoClient
from pymongo.collection import Collection

from orders.importing.entry import Entry
from orders.requests.order_request import FIXES, OrderRequest, Sku
from runtime.requests.faults import faults_of
from runtime.requests.number import UserId
from runtime.requests.refusal import Fault
from runtime.stored_documents import AWARE

#: Where the URI names no database.
DATABASE = "orderdb"
SERVER_SELECTION_TIMEOUT_MILLISECONDS = 5_000

OTHER_FIXES = {
    **FIXES,
    "body": "Fix it in the other database, then import again.",
    "orderId": "Store a whole number.",
    "createdAt": "Store a date from 1970 to 2105.",
}


class OrderDocument(Struct, frozen=True, rename="camel"):
    """What is read of a Mongoose document; `_id` and `__v` are not."""

    order_id: int
    user_id: UserId
    items: list[Sku]
    created_at: datetime


def documents(uri: str) -> Collection[dict[str, Any]]:
    """The other database's orders.

    Raises:
        pymongo.errors.PyMongoError: the URI is none.
    """
    client: MongoClient[dict[str, Any]] = MongoClient(
        uri, serverSelectionTimeoutMS=SERVER_SELECTION_TIMEOUT_MILLISECONDS
    )
    return client.get_default_database(DATABASE).get_collection("orders", codec_options=AWARE)


def entries(source: Collection[dict[str, Any]]) -> Iterator[Entry]:
    """Each document as an entry, oldest first."""
    for number, document in enumerate(source.find().sort("_id", 1), start=1):
        yield entry(number, document)


def entry(number: int, document: Mapping[str, Any]) -> Entry:
    known = {name: plain(value) for name, value in document.items()}
    name = f"orderId {str(known.get('orderId', 'missing'))[:40]}"
    try:
        order = msgspec.convert(known, OrderDocument)
        request = msgspec.convert({"userId": order.user_id, "items": order.items}, OrderRequest)
    except msgspec.ValidationError:
        asked = {"userId": known.get("userId"), "items": known.get("items")}
        faults = faults_of(known, OrderDocument, OTHER_FIXES, is_body=False)
        faults = faults or faults_of(asked, OrderRequest, OTHER_FIXES, is_body=False)
        return Entry(number, faults=tuple(faults), name=name)
    if not 1970 <= order.created_at.year <= 2105:
        fix = OTHER_FIXES["createdAt"]
        fault = Fault(
            field="createdAt", detail=f"must be from 1970 to 2105, not {order.created_at}", fix=fix
        )
        return Entry(number, faults=(fault,), name=name)
    key = f"{DATABASE}:{order.order_id}"
    return Entry(number, request, key=key, created_at=order.created_at, name=name)


def plain(value: Any) -> Any:
    """A number as JSON has it: JavaScript stores 101 as a double now and then."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
