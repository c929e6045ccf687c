"""Lines, totals and taxes in whole smallest units of the currency, up to the paper. In memory."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from billing.events import billed
from billing.invoicing import issued
from billing.order_in_message import line_of, read_placed
from billing.pdf import pdf
from billing.printable_document import credit_note_document, invoice_document
from billing.tax import tax_in
from messaging.errors import InvalidMessage
from runtime.money.currencies import rounded, smallest_unit
from tests.billing.orders import placed

currencies = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])


@given(st.integers(0, 10**15), currencies, st.decimals(0, 100, places=2))
def test_tax_is_what_the_rate_adds_to_the_net(units: int, currency: str, rate: Decimal) -> None:
    gross = units * smallest_unit(currency)
    tax = tax_in(gross, rate, currency)

    net = gross - tax
    assert tax == rounded(tax, currency)
    assert 0 <= tax <= gross
    assert abs(net * rate / 100 - tax) <= smallest_unit(currency)


@given(
    st.lists(
        st.tuples(st.integers(1, 1_000_000), st.decimals(0, 999_999_999, places=4)),
        min_size=1,
        max_size=20,
    ),
    currencies,
)
def test_the_total_is_the_sum_of_lines_in_whole_units(
    asked: list[tuple[int, Decimal]], currency: str
) -> None:
    items = [
        {"sku": "pen", "quantity": quantity, "unitPrice": str(unit_price)}
        for quantity, unit_price in asked
    ]
    order = read_placed(placed(items=items, currency=currency))

    assert order.total == sum(line.amount for line in order.lines)
    assert str(order.total) == str(rounded(order.total, currency))
    for line in order.lines:
        exact = line.quantity * line.unit_price
        assert abs(line.amount - exact) <= smallest_unit(currency) / 2


@pytest.mark.parametrize(
    ("quantity", "unit_price", "currency", "amount"),
    [
        (1, "0.125", "EUR", "0.13"),
        (3, "0.335", "EUR", "1.01"),
        (1, "0.1249", "EUR", "0.12"),
        (7, "1", "EUR", "7.00"),
        (3, "1250", "JPY", "3750"),
        (1, "0.5", "JPY", "1"),
        (3, "1.234", "KWD", "3.702"),
        (1, "0.0005", "KWD", "0.001"),
    ],
)
def test_half_a_smallest_unit_is_rounded_up(
    quantity: int, unit_price: str, currency: str, amount: str
) -> None:
    assert str(line_of("pen", quantity, unit_price, currency).amount) == amount


@pytest.mark.parametrize(
    ("currency", "price", "total", "tax"),
    [("JPY", "1250", "2500", "227"), ("KWD", "1.234", "2.468", "0.224")],
)
@override_settings(TAX_RATE_PERCENT=Decimal(10))
def test_an_invoice_is_in_the_units_of_its_currency(
    currency: str, price: str, total: str, tax: str
) -> None:
    items = [{"sku": "pen", "quantity": 2, "unitPrice": price}]
    order = read_placed(placed(items=items, total=total, currency=currency))

    invoice = issued(order, "2026-000001", datetime.now(UTC))

    assert (str(invoice["total"]), str(invoice["tax"])) == (total, tax)
    assert billed(invoice).body.endswith(
        f'"total":"{total}","currency":"{currency}","invoiceNumber":"2026-000001"}}'.encode()
    )


@pytest.mark.parametrize(
    ("currency", "price", "row", "sums"),
    [
        (
            "JPY",
            "1250",
            ("1,250", "2,500"),
            [("Net", "2,273 JPY"), ("Tax, 10 %", "227 JPY"), ("Total", "2,500 JPY")],
        ),
        (
            "KWD",
            "1250.5",
            ("1,250.500", "2,501.000"),
            [("Net", "2,273.636 KWD"), ("Tax, 10 %", "227.364 KWD"), ("Total", "2,501.000 KWD")],
        ),
    ],
)
@override_settings(TAX_RATE_PERCENT=Decimal(10))
def test_paper_has_the_decimals_of_the_currency(
    currency: str, price: str, row: tuple[str, str], sums: list[tuple[str, str]]
) -> None:
    items = [{"sku": "pen", "quantity": 2, "unitPrice": price}]
    invoice = issued(read_placed(placed(items=items, currency=currency)), "1", datetime.now(UTC))
    credited = invoice | {"credit_note_number": "C1", "credited_at": datetime.now(UTC)}

    document, note = invoice_document(invoice), credit_note_document(credited)

    assert [(each.unit_price, each.amount) for each in document.rows] == [row]
    assert document.totals == sums
    assert note.totals == [(name, f"-{amount}") for name, amount in sums]
    text = " ".join(PdfReader(BytesIO(pdf(document))).pages[0].extract_text().split())
    assert all(f"{name} {amount}" in text for name, amount in sums)


@pytest.mark.parametrize("currency", ["ABC", "XAU", "XXX"])
def test_an_order_in_what_is_no_currency_is_refused(currency: str) -> None:
    with pytest.raises(InvalidMessage, match=f"currency: must be .*, not '{currency}'"):
        read_placed(placed(currency=currency))
