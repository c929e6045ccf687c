"""Orders as CSV: `userId,sku,quantity,orderRef`, one line for each SKU of an order.

The first line names the columns, in any sequence. Lines that follow each other with the same
`userId` and `orderRef` are one order; a line without an `orderRef` is an order by itself. A quoted
value ends on its line, so that a forgotten quote costs one line and not the rest of the file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import NamedTuple

from api.refusal import Fault, Refusal
from orders.importing.entry import Entry, read, reference_key
from orders.importing.lines import TOO_LONG, Stream, numbered_lines
from orders.importing.ndjson import MAX_REF_CHARACTERS, ORDER_REF_FIX
from orders.place_order import MAX_ITEMS

REQUIRED = {"userId", "sku", "quantity"}
COLUMNS = REQUIRED | {"orderRef"}
EXAMPLE = "userId,sku,quantity,orderRef"

TITLE = "The orders were not imported"


class Row(NamedTuple):
    """One line: a value for each column, or a fault."""

    line: int
    values: dict[str, str]
    fault: Fault | None = None

    @property
    def order(self) -> tuple[str, str, int]:
        """What the rows of one order have in common."""
        ref = self.values.get("orderRef", "")
        return self.values.get("userId", ""), ref, 0 if ref else self.line


def entries(stream: Stream) -> Iterator[Entry]:
    """The orders of a CSV file.

    Raises:
        Refusal: the first line doesn't name the columns.
    """
    lines = numbered_lines(stream)
    columns = header(next(lines, (1, b""))[1])
    for _, group in groupby(rows(lines, columns), key=lambda row: row.order):
        # One more than an order may have: enough to refuse it.
        yield entry(list(islice(group, MAX_ITEMS + 1)))


def header(line: bytes | None) -> list[str]:
    """The names of the columns.

    Raises:
        Refusal: one is missing, unknown or there twice.
    """
    names = [name.strip() for name in (line or b"").decode(errors="replace").split(",")]
    if REQUIRED <= set(names) <= COLUMNS and len(set(names)) == len(names):
        return names
    fault = Fault(
        field="line 1",
        detail=f"names the columns {', '.join(names)[:100]!r}",
        fix=f"Begin with the line {EXAMPLE}; orderRef may be left out.",
    )
    raise Refusal(TITLE, [fault])


def rows(lines: Iterable[tuple[int, bytes | None]], columns: list[str]) -> Iterator[Row]:
    for number, line in lines:
        yield Row(number, {}, TOO_LONG) if line is None else row(number, line, columns)


def row(number: int, line: bytes, columns: list[str]) -> Row:
    try:
        [values] = csv.reader([line.decode()], strict=True, skipinitialspace=True)
    except (csv.Error, UnicodeDecodeError) as error:
        return Row(number, {}, unreadable(f"is not CSV in UTF-8: {error}"))
    if len(values) != len(columns):
        return Row(number, {}, unreadable(f"has {len(values)} values"))
    return Row(number, {name: value.strip() for name, value in zip(columns, values, strict=True)})


def unreadable(detail: str) -> Fault:
    return Fault(
        field="line", detail=detail, fix="Send a value for each column, like 101,book,2,A1."
    )


def entry(group: list[Row]) -> Entry:
    """The order of these rows; if one is at fault, the entry has its line."""
    first = group[0]
    for each in group:
        if each.fault:
            return Entry(each.line, faults=(each.fault,))
    if len(ref := first.values.get("orderRef", "")) > MAX_REF_CHARACTERS:
        fault = Fault(field="orderRef", detail=f"has {len(ref)} characters", fix=ORDER_REF_FIX)
        return Entry(first.line, faults=(fault,))
    user_id = first.values["userId"]
    items = [{"sku": row.values["sku"], "quantity": row.values["quantity"]} for row in group]
    made = read(first.line, {"userId": user_id, "items": items}, key=None)
    if made.request and ref:
        return made._replace(key=reference_key(made.request.user_id, ref))
    return made if made.request else blamed(made, group)


def blamed(made: Entry, group: list[Row]) -> Entry:
    """The entry with the line and the column at fault, in place of the item's index."""
    [fault] = made.faults
    item, _, column = fault["field"].partition(".")
    if not item.startswith("items[") or not column:
        return made
    index = int(item.removeprefix("items[").removesuffix("]"))
    return made._replace(
        line=group[index].line,
        faults=(Fault(field=column, detail=fault["detail"], fix=fault["fix"]),),
    )
