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
    """The entry with these faults; where each item has a line, they are told as `at_fault` does."""
    if entry.item_lines:
        return at_fault(by_line(entry, faults))
    return entry._replace(request=None, faults=tuple(faults))


def by_line(entry: Entry, faults: Sequence[Fault]) -> list[tuple[int, Fault]]:
    """The line of each, and its column: `items[1].quantity` is nothing that a line has."""
    found = []
    for each in faults:
        item, _, column = each["field"].partition(".")
        index, field = 0, each["field"]
        if item.startswith("items["):
            index, field = int(item.removeprefix("items[").removesuffix("]")), column or "sku"
        told = Fault(field=field, detail=each["detail"], fix=each["fix"])
        found.append((entry.item_lines[index], told))
    return found


def at_fault(found: Sequence[tuple[int, Fault]]) -> Entry:
    """An entry of several lines, some of them at fault; it has the line of the first of these.

    Args:
        found: the line of each fault. Of two of the same column the first one is told.
    """
    told: dict[tuple[int, str], Fault] = {}
    for line, fault in found:
        told.setdefault((line, fault["field"]), fault)
    first = min(line for line, _ in told)
    faults = [
        fault
        if line == first
        else Fault(field=f"line {line}, {field}", detail=fault["detail"], fix=fault["fix"])
        for (line, field), fault in sorted(told.items(), key=lambda each: each[0][0])
    ]
    return Entry(first, faults=tuple(faults))


def reference_key(user_id: int, order_ref: str) -> str:
    """The key of an order that its sender calls `order_ref`; each user has names of their own."""
    return f"import:{user_id}:{order_ref}"
