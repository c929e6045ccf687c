"""What a client may ask of the catalogue; anything else is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from runtime.money import currencies
from runtime.requests import cursor, query_string
from runtime.requests.json_body import JsonBody
from runtime.requests.no_body import no_body

TITLE = "The catalogue was not changed"
TITLE_OF_LIST = "The products were not listed"

MAX_LIMIT = 200
#: As many as one order may ask for.
MAX_UNITS = 10_000_000

#: As the admin has them. Python's `$` would let a line break follow.
SKU_PATTERN = r"^\w[\w.-]*$(?!\n)"
PRICE_PATTERN = r"^[0-9]{1,9}(\.[0-9]{1,4})?$(?!\n)"

Sku = Annotated[str, Meta(min_length=1, max_length=64, pattern=SKU_PATTERN)]
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\s\x00][^\x00]*$")]
Amount = Annotated[
    str,
    Meta(
        max_length=14,
        pattern=PRICE_PATTERN,
        description="As text, with no more decimals than its currency has: 54.00 EUR, 54 JPY.",
    ),
]
Currency = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z]{3}$(?!\n)",
        description="ISO 4217.",
        examples=["EUR"],
        extra_json_schema={"enum": sorted(currencies.DECIMALS)},
    ),
]


class NewProduct(Struct, frozen=True, forbid_unknown_fields=True):
    """`{"sku": "globe", "name": "Globe, 30 cm", "price": "54.00", "available": 5}`.

    Without a `currency` it is sold in the one of the setting `CURRENCY`.
    """

    sku: Sku
    name: Name
    price: Amount
    currency: Currency | UnsetType = UNSET
    available: Annotated[int, Meta(ge=0, le=MAX_UNITS)] = 0


class ProductChange(Struct, frozen=True, forbid_unknown_fields=True):
    """`{"price": "49.00"}`: what is not given stays as it is. A `currency` needs its `price`."""

    name: Name | UnsetType = UNSET
    price: Amount | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET


class ProductFilters(Struct, frozen=True, forbid_unknown_fields=True):
    """The query parameters of `GET /products`."""

    q: Annotated[str, Meta(max_length=100)] = ""
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT)] = 50
    cursor: str | UnsetType = UNSET


PRICE_FIX = 'Send an amount from "0" to "999999999.99" as text, for example "54.00".'
NAME_FIX = "Send a name of 1 to 200 characters, with no blank first."
FIXES_OF_LIST = {
    "q": "Send words of the name or the SKU, up to 100 characters.",
    "limit": f"Send a whole number from 1 to {MAX_LIMIT}.",
    "cursor": cursor.FIX,
}

NEW = JsonBody(
    NewProduct,
    TITLE,
    {
        "body": "Send a JSON object like "
        '{"sku": "globe", "name": "Globe, 30 cm", "price": "54.00", "available": 5}.',
        "sku": "Send 1 to 64 letters, digits, dots, dashes and underscores; no dot or dash first.",
        "name": NAME_FIX,
        "price": PRICE_FIX,
        "currency": currencies.FIX,
        "available": f"Send a whole number of units from 0 to {MAX_UNITS:,}, without quotes.",
    },
)
CHANGE = JsonBody(
    ProductChange,
    TITLE,
    {
        "body": 'Send a JSON object like {"name": "Globe, 30 cm", "price": "54.00"}, with one of '
        "them or both.",
        "name": NAME_FIX,
        "price": PRICE_FIX,
        "currency": currencies.FIX,
        "sku": "A SKU is for ever, as orders name it: add a product with the other SKU, and "
        "withdraw this one.",
        "available": "Stock is not set, it moves: restock the product.",
    },
)
NOTHING = no_body(TITLE)


def read(parameters: Mapping[str, str]) -> ProductFilters:
    """Raises Refusal: a parameter is unknown or has no valid value; it is named."""
    return query_string.read(parameters, ProductFilters, TITLE_OF_LIST, FIXES_OF_LIST)


def sku_after(filters: ProductFilters) -> str:
    """The SKU that the page begins behind; all others are after the empty one.

    Raises:
        Refusal: the cursor is not one of ours.
    """
    if filters.cursor is UNSET:
        return ""
    try:
        return cursor.decoded(filters.cursor, TITLE_OF_LIST).decode()
    except UnicodeDecodeError as error:
        raise cursor.refused(TITLE_OF_LIST) from error


def cursor_after(sku: str) -> str:
    return cursor.encoded(sku.encode())
