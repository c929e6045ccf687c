"""What no edit changes: which order a message is about, and what that order costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

#: Names of fields, without their upper case; of those that hold a word, every one.
ORDER_ID = "orderid"
CURRENCY = "currency"
MONEY = ("price", "total", "amount", "tax")


class Changed(ValueError):
    """The edited body has another order, price or total; the text names the field."""


def check_unchanged(original: bytes, order_id: str, edited: bytes) -> None:
    """Compare the two bodies.

    What the original lacks may be added, such as a price that its publisher left out: billing
    compares it with the order itself.

    Args:
        order_id: the order that the record is about, where the original itself does not say
            so; empty where nobody knows.

    Raises:
        Changed: a field of these was changed, removed, or names another order.
    """
    was, is_ = dict(fields(_decoded(original))), dict(fields(_decoded(edited)))
    for path, value in was.items():
        if path not in is_:
            raise Changed(f"{path} must stay {json.dumps(value)}, but it is gone")
        if _comparable(is_[path]) != _comparable(value):
            raise Changed(f"{path} must stay {json.dumps(value)}: no edit changes it")
    named = is_.get("orderId", order_id)
    if order_id and "orderId" not in was and named != order_id:
        raise Changed(f"orderId must stay {json.dumps(order_id)}: no edit changes it")


def fields(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field that no edit changes, by where it is: `items[0].unitPrice`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            inner_path = f"{path}.{name}" if path else name
            if is_kept(name):
                yield inner_path, inner
            else:
                yield from fields(inner, inner_path)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from fields(inner, f"{path}[{index}]")


def is_kept(name: str) -> bool:
    plain = name.lower()
    return plain in (ORDER_ID, CURRENCY) or any(word in plain for word in MONEY)


def _decoded(body: bytes) -> Any:
    """What cannot be read has no such field."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _comparable(value: Any) -> str:
    """1 and true are equal in Python, and are not the same here."""
    return json.dumps(value, sort_keys=True)
