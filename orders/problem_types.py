"""The kinds of problems with orders."""

from __future__ import annotations

from runtime.requests.problem_type import ProblemType

NOT_SOLD = ProblemType(
    "not-sold",
    422,
    "An item is not sold",
    "The request is well-formed, but the catalogue lacks one of its items. No order was placed.",
    "Take the item out, or correct its SKU.",
    "The order was not placed. items[0]: 'dragon' is not in the catalogue. Send a SKU of the "
    "catalogue, 1 to 64 characters.",
    (
        {
            "field": "items[0]",
            "detail": "'dragon' is not in the catalogue",
            "fix": "Send a SKU of the catalogue, 1 to 64 characters.",
            "pointer": "#/items/0",
        },
    ),
)
NO_PRICE = ProblemType(
    "no-price",
    409,
    "An item has no price",
    "The catalogue has the item, but its price cannot be used. The shop has to correct it.",
    "Leave the item out, or send the same request again when the shop has corrected the price.",
    "The order was not placed. items[0]: 'misprint' cannot be sold now: the catalogue has no valid "
    "price for it. Leave it out, or send it again when the shop has corrected the product.",
    (
        {
            "field": "items[0]",
            "detail": "'misprint' cannot be sold now: the catalogue has no valid price for it",
            "fix": "Leave it out, or send it again when the shop has corrected the product.",
            "pointer": "#/items/0",
        },
    ),
)
SEVERAL_CURRENCIES = ProblemType(
    "several-currencies",
    422,
    "The items have different currencies",
    "An order has one currency, but these items are sold in several.",
    "Send an order for each currency.",
    "The order was not placed. items[1]: 'abroad' is sold in USD, and the first item in EUR. An "
    "order has one currency: place another order for what is sold in USD.",
    (
        {
            "field": "items[1]",
            "detail": "'abroad' is sold in USD, and the first item in EUR",
            "fix": "An order has one currency: place another order for what is sold in USD.",
            "pointer": "#/items/1",
        },
    ),
)
ORDER_SHIPPED = ProblemType(
    "order-shipped",
    409,
    "The order was shipped",
    "An order can be cancelled until it is shipped.",
    "Have the goods sent back.",
    "The order was not cancelled. orderId: was shipped, so it can no longer be cancelled. Have the "
    "goods sent back.",
    (
        {
            "field": "orderId",
            "detail": "was shipped, so it can no longer be cancelled",
            "fix": "Have the goods sent back.",
        },
    ),
)
