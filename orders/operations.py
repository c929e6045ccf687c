"""The orders' routes, for their clients."""

from __future__ import annotations

from typing import Any

from orders import answers
from orders.importing.request_examples import CSV, NDJSON, OUTCOMES
from orders.problem_types import NO_PRICE, NOT_SOLD, ORDER_SHIPPED, SEVERAL_CURRENCIES
from orders.requests import cancellation_request, order_request
from orders.requests.import_parameters import ImportParameters
from orders.requests.order_filters import OrderFilters
from runtime.requests import entity_tag, idempotency_key
from runtime.requests.operation import Answer, Header, Link, Operation
from runtime.requests.problem_types import (
    KEY_IN_USE,
    KEY_REUSED,
    NOT_FOUND,
    OTHER_CUSTOMER,
    PRECONDITION_FAILED,
)

PATH = {"order_id": answers.OrderId}
#: What can be done with one, by whoever knows its id.
OF_AN_ORDER = ("getOrder", "getTimeline", "cancelOrder", "shipOrder", "getInvoice")

ORDER: dict[str, Any] = {
    "orderId": "674300000000000000000001",
    "userId": 101,
    "items": [
        {"sku": "book", "quantity": 1, "unitPrice": "12.50"},
        {"sku": "pen", "quantity": 2, "unitPrice": "1.20"},
    ],
    "total": "14.90",
    "currency": "EUR",
    "status": "placed",
    "createdAt": "2026-11-28T12:00:00.000Z",
}

PLACE = Operation(
    id="placeOrder",
    summary="Place an order",
    description="Prices come from the catalogue. The answer is sent when the order is stored on a "
    "majority of MongoDB's nodes; inventory and billing work on it afterwards. With an "
    "Idempotency-Key a repeat of the request gets the first answer, and no second order.",
    body=order_request.BODY,
    example={"userId": 101, "items": ["book", {"sku": "pen", "quantity": 2}]},
    headers=(idempotency_key.field("4c0f8a1e-2f0b-4a57-9d0e-0a4b9f2f6c11"),),
    answers={
        201: Answer(
            "The order is placed.",
            answers.PlacedOrder,
            {"message": "Order placed successfully.", "order": ORDER},
            headers=(
                Header("Location", "Where the order is.", "/orders/674300000000000000000001"),
                idempotency_key.REPLAYED_FIELD,
            ),
            links=(Link("orderId", "/order/orderId", OF_AN_ORDER),),
        )
    },
    problems=(OTHER_CUSTOMER, KEY_IN_USE, NO_PRICE, KEY_REUSED, NOT_SOLD, SEVERAL_CURRENCIES),
)

LIST = Operation(
    id="listOrders",
    summary="List orders, newest first",
    description="A customer's key sees its own.",
    query=OrderFilters,
    answers={
        200: Answer(
            "A page of orders.",
            answers.OrderPage,
            {"orders": [ORDER], "next": None},
            links=(Link("orderId", "/orders/0/orderId", OF_AN_ORDER),),
        )
    },
    problems=(NOT_FOUND,),
)

SHOW = Operation(
    id="getOrder",
    summary="An order with what each service has done about it",
    path=PATH,
    headers=entity_tag.READ_FIELDS,
    answers={
        200: Answer(
            "The order.",
            answers.OrderWithLedger,
            {
                **ORDER,
                "updatedAt": "2026-11-28T12:00:00.000Z",
                "ledger": {
                    service: {"state": "pending", "at": None, "detail": None}
                    for service in ("inventory", "billing")
                },
            },
            headers=(entity_tag.FIELD,),
        ),
        304: entity_tag.SAME,
    },
    problems=(PRECONDITION_FAILED,),
)

CANCEL = Operation(
    id="cancelOrder",
    summary="Cancel an order that is not shipped yet",
    description="Its stock is released and its invoice credited. Cancelling again changes nothing.",
    path=PATH,
    body=cancellation_request.BODY,
    example={"reason": "Ordered twice"},
    headers=(entity_tag.IF_MATCH_FIELD,),
    answers={
        200: Answer(
            "The order is cancelled.",
            answers.CancelledOrder,
            {"message": "Order cancelled.", "order": {**ORDER, "status": "cancelled"}},
            headers=(entity_tag.FIELD,),
        )
    },
    problems=(ORDER_SHIPPED, PRECONDITION_FAILED),
)

IMPORTED = {"application/x-ndjson": OUTCOMES}

IMPORT = Operation(
    id="importOrders",
    summary="Place many orders, each by itself",
    description="A line of NDJSON is an order as POST /orders takes it, with an `orderRef` of your "
    "own; the first line of CSV names the columns. The answer has a line for each order, and the "
    "totals on the last one. With `dryRun` nothing is placed. 413, 503 and 400 with "
    "NDJSON name the line where the import stopped.",
    query=ImportParameters,
    files={"application/x-ndjson": NDJSON, "text/csv": CSV},
    answers={
        200: Answer("All of the body was read.", other=IMPORTED),
        400: Answer("It stopped where the body ended early or was wrong.", other=IMPORTED),
        413: Answer("It stopped at the most orders of one request.", other=IMPORTED),
        503: Answer("It stopped as MongoDB did not answer.", other=IMPORTED),
    },
)
