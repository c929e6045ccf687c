"""The kinds of problems with the stock."""

from __future__ import annotations

from runtime.requests.problem_type import ProblemType

NOT_DONE = ProblemType(
    "not-done",
    409,
    "Another service has not done its part",
    "A service such as billing failed for the order, or still retries, so it should not be "
    "shipped yet.",
    "Repair the failure first: the order's timeline names it. Or ship the order anyway, with "
    "`force` and a `reason`.",
    "The stock was not changed. Order '674300000000000000000001' should not be shipped yet: "
    "billing failed for it: card service timed out. Repair that first, or ship it anyway: send "
    '{"force": true, "reason": "…"}.',
)
NOT_RESERVED = ProblemType(
    "not-reserved",
    409,
    "The order has no stock to ship",
    "The order was rejected, cancelled or released, so no units are reserved for it.",
    "The customer has to order again.",
    "The stock was not changed. Order '674300000000000000000001' is released, so it has no stock "
    "to ship. The customer has to order again.",
)
SKU_TAKEN = ProblemType(
    "sku-taken",
    409,
    "The SKU is taken",
    "The catalogue has a product with this SKU, offered or withdrawn.",
    "Change that product, offer it again, or add this one with another SKU.",
    "The catalogue was not changed. sku: 'pen' is in the catalogue already, or was withdrawn from "
    "it. Change it with PATCH /products/pen, offer it again with POST /products/pen/offer, or send "
    "another SKU.",
    (
        {
            "field": "sku",
            "detail": "'pen' is in the catalogue already, or was withdrawn from it",
            "fix": "Change it with PATCH /products/pen, offer it again with POST "
            "/products/pen/offer, or send another SKU.",
            "pointer": "#/sku",
        },
    ),
)
STOCK_DIFFERS = ProblemType(
    "stock-differs",
    409,
    "The stock is not as it should be",
    "Another program has changed the product's units: they are not where a reservation says, or "
    "one of its quantities is not a number.",
    "Run `manage.py recount_stock`: it says of which product a quantity is not what the movements "
    "add up to. Correct that product.",
    "The stock was not changed. 'pen' has no right number in its field available. Store a whole "
    "number there in MongoDB; `python manage.py recount_stock` says what its movements add up to.",
)
TOO_MANY_UNITS = ProblemType(
    "too-many-units",
    409,
    "There would be too many units",
    "The product would have more units than can be counted.",
    "Restock by less, or check whether the quantities before were right.",
    "The stock was not changed. quantity: 'pen' has 9223372036854775800 units, and "
    "9223372036854775807 are the most that can be counted. Restock by at most 7, or see whether "
    "the quantities before were right.",
    (
        {
            "field": "quantity",
            "detail": "'pen' has 9223372036854775800 units, and 9223372036854775807 are the most "
            "that can be counted",
            "fix": "Restock by at most 7, or see whether the quantities before were right.",
            "pointer": "#/quantity",
        },
    ),
)
