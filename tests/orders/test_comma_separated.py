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


def told(lines: bytes) -> tuple[int, list[str]]:
    [entry] = entries(io.BytesIO(b"userId,sku,quantity,orderRef\n" + lines))
    return entry.line, [fault["field"] for fault in entry.faults]


def test_all_that_is_wrong_in_the_lines_of_an_order_is_told() -> None:
    lines = b"101,book,1,A\n101,pen,x,A\n101,ink,1.000,A\n101,#N/A,2,A\n"

    assert told(lines) == (3, ["quantity", "line 4, quantity", "line 5, sku"])


def test_a_fault_names_its_column_whatever_else_is_wrong() -> None:
    assert told(b"abc,pen,0,A\nabc,pen,0,A\n") == (2, ["userId", "quantity", "line 3, quantity"])


def test_what_the_lines_of_an_order_have_in_common_is_told_once() -> None:
    assert told(b"007,pen,1,#N/A\n007,ink,1,#N/A\n") == (2, ["userId", "orderRef"])


def test_a_large_number_is_one() -> None:
    [entry] = entries(io.BytesIO(b"userId,sku,quantity\n%d,book,1\n" % LARGE))

    assert entry.request is not None
    assert entry.request.user_id == LARGE


@pytest.mark.parametrize(
    "value",
    [
        *("1:02", "12:30:00", "1:02 PM", "TRUE", "VRAI", "FAUX", "VERO", "FALSO", "VERDADERO"),
        *("03. Apr", "03. Apr. 26", "03-avr", "03-avr.-26", "03/abr", "3-gen", "3-Mär", "avr-26"),
        *("03.04.2026 00:00", "2026-01-31 00:00:00", "1/31/2026 12:30 PM", "2026-01-31T00:00:00"),
        *("#ÜBERLAUF!", "#¡VALOR!", "#¿NOMBRE?", "#N/D", "#NOM?"),
    ],
)
@pytest.mark.parametrize("field", ["orderRef", "sku"])
def test_a_name_that_a_spreadsheet_may_have_changed_is_refused(field: str, value: str) -> None:
    row = {"sku": "book", "orderRef": "A1", field: value}
    lines = f"userId;sku;quantity;orderRef\n101;{row['sku']};1;{row['orderRef']}\n"

    [entry] = entries(io.BytesIO(lines.encode()))

    assert [fault["field"] for fault in entry.faults] == [field]
    assert "what was typed is not known" in entry.faults[0]["detail"]


@pytest.mark.parametrize(
    "value", ["A-1", "MAR-12", "12-ABC", "a.b", "VER", "#", "3-mars-x", "avril", "2026-A1", "#a"]
)
def test_a_name_of_another_kind_is_taken(value: str) -> None:
    [entry] = entries(io.BytesIO(f"userId,sku,quantity,orderRef\n1,pen,1,{value}\n".encode()))

    assert [fault["field"] for fault in entry.faults] == (["orderRef"] if value == "#" else [])


@pytest.mark.parametrize("ref", ["10.1", "10,1", "-0.5"])
def test_several_lines_that_may_have_had_different_references_are_refused(ref: str) -> None:
    """10.10 and 10.1 are two references, and one after Excel has saved them."""
    lines = f"userId;sku;quantity;orderRef\n101;book;1;{ref}\n101;pen;1;{ref}\n"

    [entry] = entries(io.BytesIO(lines.encode()))
    [alone] = entries(io.BytesIO(lines.rpartition("101")[0].encode()))

    assert [fault["field"] for fault in entry.faults] == ["orderRef"]
    assert "may have ended in zeros" in entry.faults[0]["detail"]
    assert alone.key == f"import:101:{ref}"


@pytest.mark.parametrize("ref", ["10.10", "1.2.3", "A10.1", '="10.1"', "10.", "0.0"])
def test_a_name_that_it_would_have_changed_is_as_it_was_typed(ref: str) -> None:
    lines = f"userId,sku,quantity,orderRef\n101,book,2.0,{ref}\n101,pen,1,{ref}\n"

    [entry] = entries(io.BytesIO(lines.encode()))

    assert entry.key == f"import:101:{ref.strip('=').strip(chr(34))}"


def test_lines_with_the_same_reference_are_one_order_also_where_one_says_that_it_is_text() -> None:
    lines = b'userId,sku,quantity,orderRef\n101,book,1,A1\n101,pen,1,="A1"\n'

    [entry] = entries(io.BytesIO(lines))

    assert entry.request is not None
    assert len(entry.request.items) == 2
