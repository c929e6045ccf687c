"""What a stranger can see after a run: MongoDB's documents, HTTP's answers, RabbitMQ's queues.

Nothing here is the pipeline's own code: what it gets wrong it might get wrong here, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from bson import ObjectId
from pymongo.database import Database

from drills.history import Exchange
from drills.replica_set import Document
from drills.site import Site

ANSWER_SECONDS = 10


@dataclass(frozen=True)
class Evidence:
    """Everything about one run's orders, and the queues and sums of the whole site."""

    exchanges: Sequence[Exchange]
    #: Units by SKU.
    put_in: dict[str, int]
    #: The documents of this run.
    orders: list[Document] = field(default_factory=list)
    reservations: list[Document] = field(default_factory=list)
    invoices: list[Document] = field(default_factory=list)
    failed_messages: list[Document] = field(default_factory=list)
    products: list[Document] = field(default_factory=list)
    #: Each order over HTTP, by its id; None where it was not found.
    shown: dict[str, Any] = field(default_factory=dict)
    #: All numbers of invoices and credit notes that the site has ever given out.
    numbers: list[str] = field(default_factory=list)
    #: RabbitMQ's queues, as its management API has them.
    queues: list[Document] = field(default_factory=list)
    #: `GET /pipeline/conservation`.
    conservation: Document = field(default_factory=dict)
    #: How many orders the site has.
    accepted: int = 0
    #: Ids of the messages of strangers that nobody can handle.
    bad_messages: Sequence[str] = ()

    @property
    def order_ids(self) -> set[str]:
        """Every order of the run, answered or only stored."""
        placed = (each.order_id for each in self.exchanges)
        return {*filter(None, placed), *(str(order["_id"]) for order in self.orders)}


def gather(
    site: Site,
    exchanges: Iterable[Exchange],
    put_in: dict[str, int],
    bad_messages: Sequence[str] = (),
) -> Evidence:
    """Read everything, past the proxies where that is possible."""
    exchanges = list(exchanges)
    database = site.database
    orders = orders_of(database, exchanges)
    placed = {each.order_id for each in exchanges if each.order_id}
    ids = sorted(placed | {str(order["_id"]) for order in orders})
    of_run = {"_id": {"$in": ids}}
    died = {"$or": [{"order_id": {"$in": ids}}, {"message_id": {"$in": [*bad_messages]}}]}
    return Evidence(
        exchanges=exchanges,
        put_in=put_in,
        orders=orders,
        reservations=list(database["reservations"].find(of_run)),
        invoices=list(database["invoices"].find(of_run)),
        failed_messages=list(database["failed_messages"].find(died)),
        products=list(database["products"].find({"sku": {"$in": [*put_in]}})),
        shown={order_id: get(site, f"/orders/{order_id}") for order_id in ids},
        numbers=numbers(database),
        queues=site.queues(),
        conservation=get(site, "/pipeline/conservation") or {},
        accepted=database["orders"].count_documents({}),
        bad_messages=bad_messages,
    )


def orders_of(database: Database[Document], exchanges: Sequence[Exchange]) -> list[Document]:
    """The stored orders of the run's users, and those that an answer named."""
    user_ids = sorted({each.user_id for each in exchanges})
    ids = [ObjectId(each.order_id) for each in exchanges if each.order_id]
    query = {"$or": [{"user_id": {"$in": user_ids}}, {"_id": {"$in": ids}}]}
    return list(database["orders"].find(query))


def numbers(database: Database[Document]) -> list[str]:
    return [
        document[field]
        for field in ("number", "credit_note_number")
        for document in database["invoices"].find({field: {"$type": "string"}}, {field: 1})
    ]


def get(site: Site, path: str) -> Any:
    """The JSON at this address; None where there is none."""
    try:
        url = f"http://127.0.0.1:{site.web_port}{path}"
        with urlopen(url, timeout=ANSWER_SECONDS) as response:
            return json.load(response)
    except HTTPError as error:
        error.close()
        return None
