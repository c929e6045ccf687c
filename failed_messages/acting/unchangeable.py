"""What no edit changes: which order a message is about, and what that order costs.

Of an order that is stored nowhere nobody can see what was ordered. So an edit keeps that, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from messaging.fields import Quantity, Sku
from messaging.trust.differences import INCIDENTAL
from runtime.requests.number import UserId

#: Names of fields, without their upper case; of those that hold a word, every one.
ORDER_ID = "orderid"
CURRENCY = "currency"
MONEY = ("price", "total", "amount", "tax")
#: As many as a service takes in a line.
Units = Annotated[Quantity, Meta(le=10_000_000)]
#: Who ordered what, and how many, with what is valid there.
ORDERED: Mapping[str, Any] = {"userid": UserId, "sku": Sku, "quantity": Units}

LINES = "items"

#: Whether a field of this name is one of them.
IsKept = Callable[[str], bool]


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
    was, is_ = (dict(fields(_decoded(body), is_kept)) for body in (original, edited))
    _compare(was, is_)
    named = is_.get("orderId", order_id)
    if order_id and "orderId" not in was and named != order_id:
        raise Changed(f"orderId must stay {json.dumps(order_id)}: no edit changes it")


def check_ordered(original: bytes, edited: bytes) -> None:
    """Compare who ordered what, and how many, of an order that is stored nowhere.

    What is missing in the original, or not valid, may be put right: an edit is there for that.

    Raises:
        Changed: something of it was changed, removed, or a line was added.
    """
    was, is_ = _decoded(original), _decoded(edited)
    _compare(dict(_valid(fields(was, is_ordered))), dict(fields(is_, is_ordered)))
    count = _lines(was)
    if 0 < count < _lines(is_):
        raise Changed(f"{LINES} must stay {count} lines: no edit adds to them")


def fields(value: Any, wanted: IsKept, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field that is `wanted`, by where it is: `items[0].unitPrice`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            inner_path = f"{path}.{name}" if path else name
            if wanted(name):
                yield inner_path, inner
            else:
                yield from fields(_spelt_out(name, inner), wanted, inner_path)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from fields(inner, wanted, f"{path}[{index}]")


def is_kept(name: str) -> bool:
    plain = name.lower()
    return plain in (ORDER_ID, CURRENCY) or any(word in plain for word in MONEY)


def is_ordered(name: str) -> bool:
    return name.lower() in ORDERED


def _spelt_out(name: str, value: Any) -> Any:
    """The lines of an order; one may be a SKU alone, which is one unit of it."""
    if name != LINES or not isinstance(value, list):
        return value
    return [{"sku": each, "quantity": 1} if _is(Sku, each) else each for each in value]


def _valid(found: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    for path, value in found:
        if _is(ORDERED[path.rpartition(".")[2].lower()], value):
            yield path, value


def _is(type_: Any, value: Any) -> bool:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError:
        return False
    return True


def _lines(body: Any) -> int:
    lines = body.get(LINES) if isinstance(body, dict) else None
    return len(lines) if isinstance(lines, list) else 0


def _compare(was: Mapping[str, Any], is_: Mapping[str, Any]) -> None:
    for path, value in was.items():
        if path not in is_:
            raise Changed(f"{path} must stay {json.dumps(value)}, but it is gone")
        if _comparable(is_[path]) != _comparable(value):
            raise Changed(f"{path} must stay {json.dumps(value)}: no edit changes it")


def _decoded(body: bytes) -> Any:
    """What cannot be read has no such field."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _comparable(value: Any) -> str:
    """1 and true are equal in Python, and are not the same here."""
    return json.dumps(value, sort_keys=True)


def check_has_effect(original: bytes, edited: bytes) -> None:
    """An order of ours is handled as it is stored, whatever a message says in these fields.

    Raises:
        Changed: nothing but these fields was changed.
    """
    before, after = _decoded(original), _decoded(edited)
    if not isinstance(before, dict) or not isinstance(after, dict):
        return
    changed = sorted(each for each in before.keys() & after.keys() if before[each] != after[each])
    # A field that was missing may be what its handler refused.
    if changed and before.keys() == after.keys() and INCIDENTAL.issuperset(changed):
        raise Changed(f"{', '.join(changed)}: is taken from the stored order, so nothing changes")
