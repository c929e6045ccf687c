"""A consumer of the previous release, who reads what this one publishes.

The formats are written down here by hand, as they were released, and never made from the code:
whoever renames a field, drops it or changes its type finds out. After a release that raises a
`schema-version`, its formats become the ones here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

#: The newest `schema-version` of any event that the previous release reads.
VERSION = 1

#: A list stands for any number of what is in it, a tuple for a choice, None for JSON's null.
STOCK = [{"sku": str, "quantity": int}]
OF_ORDER = {"orderId": str, "userId": int}
ORDER = OF_ORDER | {
    "items": [{"sku": str, "quantity": int, "unitPrice": str}],
    "total": str,
    "currency": str,
    "createdAt": str,
    "status": str,
}
SHORTAGES = [{"sku": str, "asked": int, "available": int}]
MONEY = OF_ORDER | {"total": str, "currency": str}

FORMATS: Mapping[str, Any] = {
    "order.placed": ORDER,
    "order.confirmed": ORDER,
    "order.cancelled": ORDER,
    "order.rejected": ORDER | {"reason": (str, None)},
    "inventory.reserved": OF_ORDER | {"items": STOCK},
    "inventory.released": OF_ORDER | {"items": STOCK},
    "inventory.shipped": OF_ORDER | {"items": STOCK},
    "inventory.rejected": OF_ORDER | {"items": STOCK, "reason": str, "shortages": SHORTAGES},
    "billing.invoiced": MONEY | {"invoiceNumber": str},
    "billing.credited": MONEY | {"invoiceNumber": (str, None), "creditNoteNumber": (str, None)},
}


def unreadable(message: Any) -> Iterator[str]:
    """What of an AMQP message the previous release can't read, in words; nothing if it can."""
    properties, headers = message.properties, message.headers or {}
    type_ = properties.get("type")
    if type_ not in FORMATS:
        yield f"it knows no {type_}"
        return
    if headers.get("schema-version", VERSION) > VERSION:
        yield f"{type_} has the schema-version {headers['schema-version']}"
    for name in ("message_id", "correlation_id"):
        if not properties.get(name):
            yield f"{type_} has no {name}"
    if properties.get("content_type") != "application/json":
        yield f"{type_} is {properties.get('content_type')}"
    if type_.startswith("order.") and type(headers.get("order-version")) is not int:
        yield f"{type_} has no order-version"
    yield from misfits(json.loads(message.body), FORMATS[type_], type_)


def misfits(value: Any, expected: Any, where: str) -> Iterator[str]:
    """Where a value is not what was expected; unexpected fields do not matter."""
    if isinstance(expected, dict) and isinstance(value, dict):
        for name, each in expected.items():
            if name not in value:
                yield f"{where} lacks {name}"
            else:
                yield from misfits(value[name], each, f"{where}.{name}")
    elif isinstance(expected, list) and isinstance(value, list):
        for item in value:
            yield from misfits(item, expected[0], f"{where}[]")
    elif not is_a(value, expected if isinstance(expected, tuple) else (expected,)):
        yield f"{where} is {value!r}"


def is_a(value: Any, choices: tuple[Any, ...]) -> bool:
    return type(value) in [type(None) if each is None else each for each in choices]
