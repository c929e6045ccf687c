"""Whoever reaches RabbitMQ is not believed: what the services stored counts."""

from __future__ import annotations

import json
from typing import Any

from bson import ObjectId
from django.db import connection

from failed_messages.acting.editing import InvalidEdit, check
from tests.broker import publish
from tests.journeys.api import Api, await_failed_messages
from tests.journeys.whole_pipeline.conftest import Pipeline
from tests.polling import eventually


def forge(queue: str, type_: str, body: dict[str, Any], **headers: Any) -> None:
    """Publish it to one service's queue alone, as anybody may in development."""
    publish(
        json.dumps(body).encode(),
        exchange="by_name",
        routing_key=queue,
        type=type_,
        content_type="application/json",
        headers=headers,
    )


def invoice(order_id: str) -> dict[str, Any] | None:
    return connection.database["invoices"].find_one({"_id": order_id})


def body_of(api: Api, order_id: str) -> dict[str, Any]:
    """The order as everybody may read it."""
    names = ("orderId", "userId", "items", "total", "currency", "status", "createdAt")
    order = api.order(order_id)
    return {name: order[name] for name in names}


def test_billing_bills_what_the_order_says(pipeline: Pipeline, api: Api) -> None:
    """
    Given an order of 12.50 whose own event is still on its way
    When somebody sends it to billing at 0.01
    Then that is a failed message which shows the difference, and the invoice is over 12.50.
    """
    pipeline["relay"].stop()
    order_id = api.place(101)
    order = body_of(api, order_id)
    cheap = order | {"items": [order["items"][0] | {"unitPrice": "0.01"}], "total": "0.01"}

    forge("billing", "order.placed", cheap)

    [failed] = await_failed_messages(1)
    assert failed["reason"] == "contradicts_record"
    assert 'items[0].unitPrice is "0.01", not "12.50"' in failed["message"]
    assert invoice(order_id) is None
    pipeline.restart("relay")
    api.await_status(order_id, "confirmed")
    assert str(invoice(order_id)["total"]) == "12.50"


def test_no_answer_is_believed_that_was_not_given(pipeline: Pipeline, api: Api) -> None:
    """
    Given an order that billing has yet to invoice
    When somebody says that it is invoiced, shipped and cancelled
    Then each is a failed message, the order stays as it is, and can still be cancelled.
    """
    pipeline["billing"].stop()
    order_id = api.place(101)
    eventually(lambda: api.states(order_id)[0] == "reserved")
    bill = {"orderId": order_id, "userId": 101, "total": "12.50", "currency": "EUR"}
    stock = {"orderId": order_id, "userId": 101, "items": [{"sku": "book", "quantity": 1}]}

    forge("orders", "billing.invoiced", bill | {"invoiceNumber": "2026-000001"})
    forge("orders", "inventory.shipped", stock)
    forge("inventory", "order.cancelled", body_of(api, order_id) | {"status": "cancelled"})

    failed = await_failed_messages(3)
    assert {each["reason"] for each in failed} == {"contradicts_record"}
    assert api.states(order_id) == ("reserved", "pending")
    assert api.status(order_id) == "placed"
    pipeline.restart("billing")
    api.await_status(order_id, "confirmed")
    forge("billing", "order.cancelled", body_of(api, order_id) | {"status": "cancelled"})
    await_failed_messages(4)
    assert invoice(order_id)["state"] == "issued"
    answer = api.ask("POST", f"/orders/{order_id}/cancel", b"{}", content_type="application/json")
    assert answer.status == 200, answer
    eventually(lambda: api.states(order_id) == ("released", "credited"))


def test_a_copy_of_what_is_true_is_believed(pipeline: Pipeline, api: Api) -> None:
    """As an earlier release sends it, which signs nothing, and as another program writes JSON."""
    order_id = api.place(101)
    api.await_status(order_id, "confirmed")
    before = invoice(order_id)
    order = body_of(api, order_id)

    forge("billing", "order.placed", dict(reversed(order.items())) | {"note": "again"})
    forge("billing", "order.placed", order | {"orderId": str(ObjectId())})

    eventually(lambda: connection.database["invoices"].count_documents({}) == 2)
    # Orders never took the other one, and says so.
    await_failed_messages(1)
    assert invoice(order_id) == before


def test_the_desk_sends_no_edit_that_says_otherwise(pipeline: Pipeline, api: Api) -> None:
    order_id = api.place(101)
    api.await_status(order_id, "confirmed")
    order = body_of(api, order_id)

    check("billing", "order.placed", json.dumps(order | {"note": "corrected"}))
    for changed in ({"total": "0.01"}, {"userId": 102}, {"items": []}):
        try:
            check("billing", "order.placed", json.dumps(order | changed))
        except InvalidEdit:
            continue
        raise AssertionError(f"the desk would send {changed}")
