"""One order of an import, and its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from orders.requests.order_request import FIXES, OrderRequest
from runtime.requests.faults import faults_of
from runtime.requests.refusal import Fault


class Entry(NamedTuple):
    """What a source says of one order; with faults there is no request."""

    #: Where it begins in its source, counted from 1.
    line: int
    request: OrderRequest | None = None
    faults: tuple[Fault, ...] = ()
    #: Unique over all orders; an entry with the key of an earlier one is not placed again.
    key: str | None = None
    #: When it was placed elsewhere; None for now.
    created_at: datetime | None = None
    #: How its source calls it where that has no lines.
    name: str = ""
    #: The line of each item, where each has one of its own.
    item_lines: tuple[int, ...] = ()


class Outcome(NamedTuple):
    """What became of an entry: it has an order, or faults."""

    entry: Entry
    order_id: str | None = None
    #: An earlier import had placed the order.
    is_repeated: bool = False
    #: What its sender may not have meant; it is placed all the same.
    warning: str = ""
    faults: tuple[Fault, ...] = ()


def read(line: int, order: Mapping[str, Any], *, key: str | None) -> Entry:
    """The entry of a decoded order; numbers may be text, as a CSV file knows nothing else."""
    try:
        request = msgspec.convert(order, OrderRequest, strict=False)
    except msgspec.ValidationError:
        faults = faults_of(order, OrderRequest, FIXES, strict=False, is_body=False)
        return Entry(line, faults=tuple(faults))
    return Entry(line, request, key=key)


def blamed(entry: Entry, faults: Sequence[Fault]) -> Entry:
    """The entry with these faults; where each item has a line, with that of the first one at fault.

    There the fault names the column, as `items[1].quantity` is nothing that the line has.
    """
    first = faults[0]
    item, _, column = first["field"].partition(".")
    if not entry.item_lines or not item.startswith("items["):
        return entry._replace(request=None, faults=tuple(faults))
    index = int(item.removeprefix("items[").removesuffix("]"))
    told = Fault(field=column or "sku", detail=first["detail"], fix=first["fix"])
    return entry._replace(request=None, line=entry.item_lines[index], faults=(told,))


def reference_key(user_id: int, order_ref: str) -> str:
    """The key of an order that its sender calls `order_ref`; each user has names of their own."""
    return f"import:{user_id}:{order_ref}"
