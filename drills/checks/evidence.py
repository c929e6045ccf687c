"""What can be seen from outside after a run: MongoDB's documents, HTTP's answers, RabbitMQ's
queues.

Nothing here is the pipeline's own code: what it gets wrong it might get wrong here, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.database import Database

from drills.cluster.replica_set import Document
from drills.cluster.site import Site
from drills.traffic.history import Exchange

ANSWER_SECONDS = 10
ORDERS_A_PAGE = 200
#: RabbitMQ tells to the second when a message died.
FULL_SECOND = timedelta(seconds=1)


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
    #: Each order that HTTP lists, by its id.
    shown: dict[str, Any] = field(default_factory=dict)
    #: All numbers of invoices and credit notes that the site has ever given out.
    numbers: list[str] = field(default_factory=list)
    #: RabbitMQ's queues, as its management API has them.
    queues: list[Document] = field(default_factory=list)
    #: `GET /pipeline/conservation`.
    conservation: Document = field(default_factory=dict)
    #: How many orders the site has.
    accepted: int = 0
    #: Ids of the messages of external publishers that nothing can handle.
    bad_messages: Sequence[str] = ()
    #: Users for whom a service's handler was made to fail, by service.
    failing_users: Mapping[str, Set[int]] = field(default_factory=dict)
    #: Orders that the restored backup lacked, with their users: nobody can promise them.
    lacking: Mapping[str, int] = field(default_factory=dict)

    @property
    def order_ids(self) -> set[str]:
        """Every order of the run, answered or only stored."""
        placed = (each.order_id for each in self.exchanges)
        return {*filter(None, placed), *(str(order["_id"]) for order in self.orders)}

    @cached_property
    def _users(self) -> dict[str, int]:
        return {str(order["_id"]): order["user_id"] for order in self.orders}

    def may_fail(self, service: str, order_id: str | None) -> bool:
        """Whether the service was made to fail for this order."""
        return self._users.get(order_id or "") in self.failing_users.get(service, ())


def gather(
    site: Site,
    exchanges: Iterable[Exchange],
    put_in: dict[str, int],
    *,
    since: datetime,
    bad_messages: Sequence[str] = (),
    failing_users: Mapping[str, Set[int]],
    lacking: Mapping[str, int],
) -> Evidence:
    """Read everything, past the proxies where that is possible.

    What was done `since` the run began is the run's: those before it on this site were at rest.
    """
    exchanges = list(exchanges)
    database = site.database
    of_run = {"created_at": {"$gte": since}}
    died = {"first_failed_at": {"$gte": since - FULL_SECOND}}
    # All at one moment: while the pipeline works, what is read later would not fit.
    with database.client.start_session(snapshot=True) as moment:
        reservations = list(database["reservations"].find(of_run, session=moment))
        # A number that is withheld after a restore is nobody's invoice.
        issued = of_run | {"state": {"$ne": "lost"}}
        invoices = list(database["invoices"].find(issued, session=moment))
        products = list(database["products"].find({"sku": {"$in": [*put_in]}}, session=moment))
        given_out = numbers(database, moment)
    return Evidence(
        exchanges=exchanges,
        put_in=put_in,
        orders=orders_of(database, exchanges),
        reservations=reservations,
        invoices=invoices,
        failed_messages=list(database["failed_messages"].find(died)),
        products=products,
        shown=shown(site, since),
        numbers=given_out,
        queues=site.queues(),
        conservation=get(site, "/pipeline/conservation"),
        accepted=database["orders"].count_documents({}),
        bad_messages=bad_messages,
        failing_users=failing_users,
        lacking=lacking,
    )


def orders_of(database: Database[Document], exchanges: Sequence[Exchange]) -> list[Document]:
    """The stored orders of the run's users, and those that an answer named."""
    user_ids = sorted({each.user_id for each in exchanges})
    ids = [ObjectId(each.order_id) for each in exchanges if each.order_id]
    query = {"$or": [{"user_id": {"$in": user_ids}}, {"_id": {"$in": ids}}]}
    return list(database["orders"].find(query))


def numbers(database: Database[Document], moment: ClientSession) -> list[str]:
    fields = ("number", "credit_note_number")
    found = database["invoices"].find({}, dict.fromkeys(fields, 1), session=moment)
    return [
        document[field] for document in found for field in fields if document.get(field) is not None
    ]


def shown(site: Site, since: datetime) -> dict[str, Any]:
    """The orders placed since then, by their ids, as HTTP lists them."""
    orders: dict[str, Any] = {}
    path = f"/orders?{urlencode({'createdFrom': since.isoformat(), 'limit': ORDERS_A_PAGE})}"
    while path:
        page = get(site, path)
        orders |= {order["orderId"]: order for order in page["orders"]}
        path = page["next"]
    return orders


def get(site: Site, path: str) -> Any:
    """The JSON at this address.

    Raises:
        OSError, HTTPException: no answer, or an error.
    """
    connection = HTTPConnection("127.0.0.1", site.web_port, timeout=ANSWER_SECONDS)
    with closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        content = response.read()
    if response.status != HTTPStatus.OK:
        raise HTTPException(f"GET {path} was answered {response.status}: {content[:200]!r}")
    return json.loads(content)


def lines(document: Document) -> dict[str, int]:
    """Units by SKU of an order, a reservation or an invoice."""
    return {line["sku"]: line["quantity"] for line in document["items"]}
