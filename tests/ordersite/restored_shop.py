"""A shop whose database is lost and restored, while messages wait in RabbitMQ."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from bson import ObjectId
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from billing.invoicing import invoices
from billing.tasks import credit_cancelled, credit_rejected, issue_invoice
from failed_messages.records.collection import failed_messages
from inventory.recounting import recount
from inventory.reserving import reservations
from inventory.tasks import release_stock, reserve_stock
from messaging.certificate import Reason
from messaging.errors import PermanentError
from messaging.publishing.publisher import Publisher
from messaging.service import events, services
from messaging.trust.contents import found_out
from orders import placing
from orders.collection import orders
from orders.outbox import store
from orders.outbox.relay import publish_batch
from orders.tasks import note
from ordersite.restoring import search
from tests import broker
from tests.failed_messages.letters import failed
from tests.failed_messages.stored_orders import PEN
from tests.inventory.catalogue import stocked

COLLECTIONS = ("orders", "reservations", "invoices", "invoice_counters", "products",
               "stock_movements", "failed_messages")  # fmt: skip
HANDLERS = {
    "inventory": {"order.placed": reserve_stock, "order.cancelled": release_stock},
    "billing": {
        "order.placed": issue_invoice,
        "order.cancelled": credit_cancelled,
        "order.rejected": credit_rejected,
    },
}
Copy = dict[str, list[dict[str, Any]]]


def set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is stock, and nothing counts as being on its way."""
    stocked(pen=100)
    monkeypatch.setattr(search, "SETTLED_AFTER", timedelta(0))
    # What it says of a queue may be some seconds old, as is nothing in a test.
    monkeypatch.setattr(settings, "RABBITMQ_MANAGEMENT_URL", "")


def place(units: int = 1, user_id: int = 101) -> str:
    order = placing.compose(user_id, {"pen": units}, {"pen": PEN})
    placing.store(order)
    return str(order["_id"])


def relay() -> None:
    with Publisher(settings.AMQP_URL) as publisher:
        while publish_batch(publisher):
            pass


def work(*services: str) -> None:
    """What the relay and the services' workers do until nothing waits."""
    relay()
    for service in services or ("inventory", "billing"):
        for message in broker.take_all(service):
            handle = HANDLERS[service].get(message.properties["type"])
            for event in handle(json.loads(message.body)) if handle else ():
                hear(event)
    if orders().find_one(store.IS_PENDING):
        work(*services)


def hear(event: Any) -> None:
    """What the worker of orders does."""
    service, _, state = event.type.partition(".")
    try:
        tell(service, state, json.loads(event.body))
    except PermanentError as error:
        bury(event, str(error))


def tell(service: str, state: str, body: dict[str, Any]) -> None:
    note(services()[service], events()[f"{service}.{state}"], body)


def bury(
    event: Any, why: str, reason: Reason = Reason.PERMANENT_ERROR, service: str = "orders"
) -> ObjectId:
    """Store the event as a failed message of the service; returns its id."""
    body = json.loads(event.body)
    stored = failed()
    failed_messages().update_one(
        {"_id": stored.pk},
        {
            "$set": {
                "service": service,
                "type": event.type,
                "message_id": event.message_id,
                "order_id": body["orderId"],
                "user_id": str(body["userId"]),
                "body": event.body,
                "message": why[:500],
                "reason": reason,
            }
        },
    )
    return stored.pk


def refuse(event: Any, service: str = "orders") -> ObjectId:
    """The event becomes a failed message where its contents are not believed.

    As it is where services share a user of RabbitMQ: what they stored is their only proof.
    """
    [problem] = found_out(event.type, [json.loads(event.body)], ["shared"]).wrong.values()
    return bury(event, str(problem), Reason(problem.reason), service)


def told_by(*services: str) -> list[Any]:
    """What these services answer to what waits for them; nobody hears it."""
    relay()
    return [
        event
        for service in services
        for message in broker.take_all(service)
        if (handle := HANDLERS[service].get(message.properties["type"]))
        for event in handle(json.loads(message.body))
    ]


def statuses(*records: ObjectId) -> list[str]:
    """Of failed messages."""
    found = {each["_id"]: each["status"] for each in failed_messages().find()}
    return [found[each] for each in records]


def backup() -> Copy:
    return {name: deepcopy(list(connection.database[name].find())) for name in COLLECTIONS}


def restore(copy: Copy) -> None:
    for name, documents in copy.items():
        connection.database[name].delete_many({})
        if documents:
            connection.database[name].insert_many(documents)


def reconcile(*arguments: str) -> tuple[int, str]:
    """The command's exit code and what it says."""
    said = StringIO()
    try:
        call_command("reconcile_restore", *arguments, stdout=said)
    except SystemExit as error:
        return int(str(error.code)), said.getvalue()
    return 0, said.getvalue()


def status(order_id: str) -> str:
    order = orders().find_one(ObjectId(order_id))
    return order["status"] if order else "gone"


def state(order_id: str) -> tuple[str | None, str | None]:
    """Of its reservation and of its invoice."""
    found = (c().find_one({"_id": order_id}) for c in (reservations, invoices))
    reserved, invoiced = found
    return reserved and reserved["state"], invoiced and invoiced["state"]


def number(order_id: str) -> str:
    invoice = invoices().find_one({"_id": order_id})
    assert invoice
    return str(invoice["number"])


def is_whole(order_id: str) -> bool:
    return status(order_id) == "confirmed" and state(order_id) == ("reserved", "issued")


def numbers() -> list[str]:
    return sorted(each["number"] for each in invoices().find({"number": {"$ne": None}}))


def agree() -> None:
    """Nothing is left to settle, the stock adds up, and the numbers have neither gap nor double."""
    assert reconcile() == (0, "MongoDB and RabbitMQ agree: there is nothing to do.\n")
    assert recount().differences == []
    given = numbers()
    assert given == [f"{given[0][:4]}-{n:06d}" for n in range(1, len(given) + 1)] if given else True
