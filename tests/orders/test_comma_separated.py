"""What is wrong in a line of CSV is told with the value that it has."""

from __future__ import annotations

import io

import pytest

from orders.importing.comma_separated import entries
from runtime.requests.number import EXACT_IN_JAVASCRIPT

LARGE = EXACT_IN_JAVASCRIPT + 2


@pytest.mark.parametrize("value", ["0101", f"0{LARGE}", "-1", "1.5", "10x"])
@pytest.mark.parametrize("field", ["userId", "quantity"])
def test_what_is_no_whole_number_is_shown(field: str, value: str) -> None:
    row = {"userId": "101", "quantity": "1", field: value}
    lines = f"userId,sku,quantity\n{row['userId']},book,{row['quantity']}\n"

    [entry] = entries(io.BytesIO(lines.encode()))

    [fault] = entry.faults
    assert (fault["field"], fault["detail"]) == (field, f"must be a whole number, not {value!r}")


def test_all_that_is_wrong_in_a_line_is_told() -> None:
    [entry] = entries(io.BytesIO(b"userId,sku,quantity,orderRef\n007,01-Mar,1.5,#N/A\n"))

    assert [fault["field"] for fault in entry.faults] == ["userId", "sku", "quantity", "orderRef"]


def test_a_large_number_is_one() -> None:
    [entry] = entries(io.BytesIO(b"userId,sku,quantity\n%d,book,1\n" % LARGE))

    assert entry.request is not None
    assert entry.request.user_id == LARGE
