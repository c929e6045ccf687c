"""Orders as CSV: `userId,sku,quantity,orderRef`, one line for each SKU of an order.

The first line names the columns, in any sequence. Lines with the same `userId` and `orderRef` are
one order, wherever they are in the file; a line without an `orderRef` is an order by itself. A
quoted value ends on its line, so that a forgotten quote costs one line and not the rest of the
file.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice
from typing import NamedTuple

from orders.importing import spreadsheet
from orders.importing.entry import Entry, at_fault, by_line, read, reference_key
from orders.importing.grouped_lines import Line, grouped
from orders.importing.lines import TOO_LONG, Stream, numbered_lines
from orders.importing.ndjson import MAX_REF_CHARACTERS, ORDER_REF_FIX
from orders.requests.import_parameters import TITLE
from orders.requests.order_request import FIXES, MAX_ITEMS
from runtime.requests.refusal import Fault, Refusal

REQUIRED = {"userId", "sku", "quantity"}
COLUMNS = REQUIRED | {"orderRef"}
EXAMPLE = "userId,sku,quantity,orderRef"
#: What spreadsheets put between values, by the country that they are set to.
DELIMITERS = ",;\t"

#: Its rows have these in common, so they are looked at in the first one.
OF_AN_ORDER = {"userId", "orderRef"}
#: 1.000 is a thousand in one country and one in another; 1,0 and 1.00 are one in both.
WHOLE_NUMBER = re.compile(r"\A(?:0|[1-9][0-9]*)\Z")
WHOLE_QUANTITY = re.compile(r"\A(0|[1-9][0-9]*)(?:[.,]0{1,2})?\Z")
NUMBERS = {"userId": WHOLE_NUMBER, "quantity": WHOLE_QUANTITY}


class Columns(NamedTuple):
    """What the first line says of the others."""

    names: list[str]
    delimiter: str


class Row(NamedTuple):
    """One line: a value for each column, or a fault."""

    line: int
    values: dict[str, str]
    fault: Fault | None = None

    @property
    def order(self) -> tuple[str, str, int]:
        """What the rows of one order have in common."""
        ref = spreadsheet.text(self.values.get("orderRef", ""))
        return self.values.get("userId", ""), ref, 0 if ref else self.line


def entries(stream: Stream) -> Iterator[Entry]:
    """The orders of a CSV file.

    Raises:
        Refusal: the first line doesn't name the columns, or the file is too large.
    """
    lines = numbered_lines(stream)
    columns = header(lines)
    together = grouped(kept(lines, columns), TITLE)
    for _, group in groupby(rows(together, columns), key=lambda row: row.order):
        # One more than an order may have: enough to refuse it.
        yield entry(list(islice(group, MAX_ITEMS + 1)))


def header(lines: Iterator[tuple[int, bytes | None]]) -> Columns:
    """The columns, and what is between them.

    Raises:
        Refusal: one is missing, unknown or there twice.
    """
    line = next(lines, (1, b""))[1] or b""
    # Excel understands this first line, and some programs write it.
    if re.fullmatch(rb'"?sep=[,;\t]"?', line):
        line = next(lines, (2, b""))[1] or b""
    for delimiter in DELIMITERS:
        try:
            names = without_empty_end(split(line, delimiter))
        except (csv.Error, UnicodeDecodeError):
            continue
        if REQUIRED <= set(names) <= COLUMNS and len(set(names)) == len(names):
            return Columns(names, delimiter)
    fault = Fault(
        field="line 1",
        detail=f"must name the columns, not {line.decode(errors='replace')[:100]!r}",
        fix=f"Begin with the line {EXAMPLE}; orderRef may be left out. A spreadsheet saves it as "
        '"CSV UTF-8".',
    )
    raise Refusal(TITLE, [fault])


def split(line: bytes, delimiter: str) -> list[str]:
    """The line's values.

    Raises:
        csv.Error, UnicodeDecodeError: it is not CSV in UTF-8.
    """
    [values] = csv.reader([line.decode()], strict=True, skipinitialspace=True, delimiter=delimiter)
    return [value.strip() for value in values]


def without_empty_end(values: list[str]) -> list[str]:
    """Spreadsheets end a line with the columns that were used once."""
    while values and not values[-1]:
        values = values[:-1]
    return values


def kept(lines: Iterable[tuple[int, bytes | None]], columns: Columns) -> Iterator[Line]:
    """Each line with the name of its order; without those that have no value at all."""
    for number, line in lines:
        each = row(number, line, columns)
        if each.fault or any(each.values.values()):
            yield number, json.dumps(each.order), line


def rows(lines: Iterable[tuple[int, bytes | None]], columns: Columns) -> Iterator[Row]:
    for number, line in lines:
        yield row(number, line, columns)


def row(number: int, line: bytes | None, columns: Columns) -> Row:
    if line is None:
        return Row(number, {}, TOO_LONG)
    try:
        values = split(line, columns.delimiter)
    except (csv.Error, UnicodeDecodeError) as error:
        return Row(number, {}, unreadable(f"must be CSV in UTF-8: {error}"))
    expected = len(columns.names)
    if len(values) < expected or any(values[expected:]):
        return Row(number, {}, unreadable(f"must have {expected} values, not {len(values)}"))
    return Row(number, dict(zip(columns.names, values[:expected], strict=True)))


def unreadable(detail: str) -> Fault:
    return Fault(
        field="line", detail=detail, fix="Send a value for each column, like 101,book,2,A1."
    )


def entry(group: list[Row]) -> Entry:
    """The order of these rows; if some are at fault, the entry has the line of the first one."""
    first, *others = group
    if first.fault:
        return Entry(first.line, faults=(first.fault,))
    ref = spreadsheet.text(first.values.get("orderRef", ""))
    found = [
        *((first.line, each) for each in (*altered(first.values), *too_long(ref))),
        *((first.line, each) for each in shortened(group)),
        *((row.line, each) for row in others for each in altered(of_a_line(row))),
    ]
    user_id = first.values["userId"]
    items = [
        {"sku": spreadsheet.text(row.values["sku"]), "quantity": quantity(row)} for row in group
    ]
    read_as = read(first.line, {"userId": user_id, "items": items}, key=None)
    made = read_as._replace(item_lines=tuple(row.line for row in group))
    if found or made.request is None:
        return at_fault([*found, *by_line(made, made.faults)])
    return made._replace(key=reference_key(made.request.user_id, ref)) if ref else made


def quantity(row: Row) -> str:
    """Without the decimals of a spreadsheet's format for numbers: 2 for 2,00."""
    whole = WHOLE_QUANTITY.match(row.values["quantity"])
    return whole[1] if whole else row.values["quantity"]


def of_a_line(row: Row) -> dict[str, str]:
    """What the row alone says."""
    return {name: value for name, value in row.values.items() if name not in OF_AN_ORDER}


def too_long(ref: str) -> Iterator[Fault]:
    if len(ref) > MAX_REF_CHARACTERS:
        detail = f"must have at most {MAX_REF_CHARACTERS} characters, not {len(ref)}"
        yield Fault(field="orderRef", detail=detail, fix=ORDER_REF_FIX)


def shortened(group: list[Row]) -> Iterator[Fault]:
    """Of several lines with one `orderRef`: whether they had different ones."""
    refs = {row.values.get("orderRef", "") for row in group}
    if len(group) > 1 and len(refs) == 1 and (fault := spreadsheet.shortened("orderRef", *refs)):
        yield fault


def altered(values: Mapping[str, str]) -> Iterator[Fault]:
    """What of them is not what the row's author wrote."""
    for field, value in values.items():
        if fault := spreadsheet.altered(field, value) or not_whole(field, value):
            yield fault


def not_whole(field: str, value: str) -> Fault | None:
    """Why the value of a number is none; what has no digit at all is refused like in JSON."""
    pattern = NUMBERS.get(field)
    if pattern is None or pattern.match(value) or not any(each.isdigit() for each in value):
        return None
    return Fault(
        field=field, detail=f"must be a whole number, not {value[:50]!r}", fix=FIXES[field]
    )
