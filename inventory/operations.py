"""The routes of the catalogue and the stock, for their clients."""

from __future__ import annotations

from typing import Any

from inventory import answers
from inventory.problem_types import NOT_DONE, NOT_RESERVED, SKU_TAKEN, STOCK_DIFFERS, TOO_MANY_UNITS
from inventory.product_requests import CHANGE, NEW, NOTHING, ProductFilters
from inventory.stock_requests import DELIVERY, MAX_KEY_CHARACTERS, SHIPMENT
from runtime.requests import entity_tag, idempotency_key
from runtime.requests.operation import Answer, Header, Link, Operation
from runtime.requests.problem_types import KEY_REUSED, PRECONDITION_FAILED

PATH = {"sku": answers.Sku}
OF_A_PRODUCT = (
    *("getProduct", "changeProduct", "withdrawProduct", "offerProduct", "restockProduct"),
)
PRODUCT: dict[str, Any] = {
    "sku": "pen",
    "name": "Pen",
    "price": "1.20",
    "currency": "EUR",
    "available": 10,
}

LIST_PRODUCTS = Operation(
    id="listProducts",
    summary="List what is offered, by SKU",
    query=ProductFilters,
    headers=entity_tag.READ_FIELDS,
    answers={
        200: Answer(
            "A page of products.",
            answers.ProductPage,
            {"products": [PRODUCT], "next": None},
            headers=(entity_tag.FIELD,),
            links=(Link("sku", "/products/0/sku", OF_A_PRODUCT),),
        ),
        304: entity_tag.SAME,
    },
    problems=(PRECONDITION_FAILED,),
)

ADD_PRODUCT = Operation(
    id="addProduct",
    summary="Add a product to the catalogue",
    body=NEW,
    example={"sku": "globe", "name": "Globe, 30 cm", "price": "54.00", "available": 5},
    answers={
        201: Answer(
            "The product is offered.",
            answers.Product,
            {**PRODUCT, "sku": "globe", "name": "Globe, 30 cm", "price": "54.00", "available": 5},
            headers=(entity_tag.FIELD, Header("Location", "Where it is.", "/products/globe")),
            links=(Link("sku", "/sku", OF_A_PRODUCT),),
        )
    },
    problems=(SKU_TAKEN,),
)

SHOW_PRODUCT = Operation(
    id="getProduct",
    summary="One product",
    description="With `catalogue:write` also one that was withdrawn.",
    path=PATH,
    headers=entity_tag.READ_FIELDS,
    answers={
        200: Answer("The product.", answers.Product, PRODUCT, headers=(entity_tag.FIELD,)),
        304: entity_tag.SAME,
    },
    problems=(PRECONDITION_FAILED,),
)

CHANGE_PRODUCT = Operation(
    id="changeProduct",
    summary="Change a product's name or price",
    description="What is not given stays as it is. A new `currency` needs a `price` in it. Orders "
    "keep the price that they were placed at.",
    path=PATH,
    body=CHANGE,
    example={"price": "1.30"},
    headers=(entity_tag.IF_MATCH_FIELD,),
    answers={
        200: Answer(
            "The product as it now is.",
            answers.Product,
            {**PRODUCT, "price": "1.30"},
            headers=(entity_tag.FIELD,),
        )
    },
    problems=(PRECONDITION_FAILED,),
)


def of_state(id_: str, summary: str, said: str, product: dict[str, Any]) -> Operation:
    """Withdraw or offer: no body, and the product as it now is."""
    return Operation(
        id=id_,
        summary=summary,
        path=PATH,
        body=NOTHING,
        headers=(entity_tag.IF_MATCH_FIELD,),
        answers={200: Answer(said, answers.Product, product, headers=(entity_tag.FIELD,))},
        problems=(PRECONDITION_FAILED,),
    )


WITHDRAW_PRODUCT = of_state(
    "withdrawProduct",
    "Stop selling a product",
    "The product is withdrawn; orders that have it go on.",
    {**PRODUCT, "withdrawnAt": "2026-11-28T12:00:00.000Z"},
)
OFFER_PRODUCT = of_state(
    "offerProduct", "Sell a product again that was withdrawn", "The product is offered.", PRODUCT
)

RESTOCK = Operation(
    id="restockProduct",
    summary="Add units to a product's stock",
    path=PATH,
    body=DELIVERY,
    example={"quantity": 10},
    headers=(idempotency_key.field("LS-2026-11-4711", MAX_KEY_CHARACTERS),),
    answers={
        200: Answer(
            "The stock as it now is.",
            answers.Stock,
            {"sku": "pen", "available": 20, "reserved": 0, "shipped": 0},
            headers=(idempotency_key.REPLAYED_FIELD,),
        )
    },
    problems=(KEY_REUSED, STOCK_DIFFERS, TOO_MANY_UNITS),
)

SHIP = Operation(
    id="shipOrder",
    summary="Send an order's reserved units off",
    description="Shipping again changes nothing, and says who shipped it when. While another "
    "service retries or has failed, `force` ships it for a `reason`.",
    path={"order_id": answers.OrderId},
    body=SHIPMENT,
    example={},
    answers={
        200: Answer(
            "The order is shipped.",
            answers.Shipment,
            {
                "message": "Order 674300000000000000000001 was shipped.",
                "orderId": "674300000000000000000001",
                "state": "shipped",
                "items": [{"sku": "pen", "quantity": 1}],
                "shippedAt": "2026-11-28T12:00:00.000Z",
            },
        )
    },
    problems=(NOT_RESERVED, NOT_DONE, STOCK_DIFFERS),
)
