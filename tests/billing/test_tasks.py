"""What billing makes of an order's body, and what it tells the others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from billing.invoicing import invoices
from billing.tasks import credit_cancelled, credit_rejected, issue_invoice
from messaging.errors import InvalidMessage
from messaging.handling.handlers import known_types
from tests.billing.orders import cancelled, placed, rejected

pytestmark = pytest.mark.usefixtures("clean")


def test_an_invoice_is_told_with_its_number_and_total() -> None:
    [event] = issue_invoice(placed(total="25.99", currency="EUR"))

    number = invoices().find_one({"_id": "6743f0a1"})["number"]
    assert (event.type, event.message_id) == ("billing.invoiced", "billing.invoiced:6743f0a1")
    assert event.correlation_id == "6743f0a1"
    assert msgspec.json.decode(event.body) == {
        "orderId": "6743f0a1",
        "userId": 101,
        "invoiceNumber": number,
        "total": "25.99",
        "currency": "EUR",
    }


def test_a_credit_is_told_with_the_invoices_number() -> None:
    [invoiced] = issue_invoice(placed())
    [credited] = credit_rejected(rejected())

    assert credited.type == "billing.credited"
    told = msgspec.json.decode(credited.body)
    assert told.pop("creditNoteNumber") == f"C{datetime.now(UTC).year}-000001"
    assert told == msgspec.json.decode(invoiced.body)


def test_a_cancelled_order_is_credited_as_a_rejected_one_is() -> None:
    issue_invoice(placed())

    [first] = credit_cancelled(cancelled(reason="changed my mind"))
    [second] = credit_rejected(rejected())

    assert (first.message_id, first.body) == (second.message_id, second.body)
    assert invoices().find_one({"_id": "6743f0a1"})["credit_reason"] == "changed my mind"


def test_an_order_rejected_before_its_invoice_is_told_as_credited_by_both_handlers() -> None:
    [first] = credit_rejected(rejected())
    [second] = issue_invoice(placed())

    assert first.type == second.type == "billing.credited"
    assert first.message_id == second.message_id
    told = msgspec.json.decode(second.body)
    assert (told["invoiceNumber"], told["creditNoteNumber"]) == (None, None)


def test_a_numeric_order_id_and_the_greatest_user_id_come_back_on_a_second_delivery() -> None:
    order = placed(1718000000000, userId=2**63 - 1)

    [first], [second] = issue_invoice(order), issue_invoice(order)

    assert first.body == second.body
    assert msgspec.json.decode(first.body)["orderId"] == "1718000000000"


def test_every_event_of_an_order_is_known() -> None:
    assert known_types("billing") == {"order.placed", "order.rejected", "order.cancelled"}


def test_a_long_reason_is_cut_and_credits_all_the_same() -> None:
    issue_invoice(placed())

    credit_cancelled(cancelled(reason="x" * 100_000))

    assert invoices().find_one({"_id": "6743f0a1"})["credit_reason"] == "x" * 500


@pytest.mark.parametrize("items", [["book", "pen"], [{"sku": "book", "quantity": 1}]])
def test_an_order_without_prices_says_what_is_missing(items: list[Any]) -> None:
    with pytest.raises(InvalidMessage, match=r"^items\[0\].unitPrice is missing") as refusal:
        issue_invoice(placed(items=items))

    assert '"unitPrice": "12.50"' in str(refusal.value), "it shows a right body"


def line(**fields: Any) -> list[dict[str, Any]]:
    return [{"sku": "pen", "quantity": 1, "unitPrice": "1.00"} | fields]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"orderId": None}, "orderId: must be a whole number or text, not null"),
        ({"orderId": {"$gt": ""}}, "orderId: must be a whole number or text, not an object"),
        ({"orderId": 10**5000}, "orderId"),
        ({"orderId": "\N{PACKAGE}" * 60}, "orderId: must have at most 200 bytes"),
        ({"userId": None}, "userId: must be a whole number, not null"),
        ({"userId": 2**63}, "userId"),
        ({"userId": 0}, "userId: must be a whole number of at least 1"),
        ({"items": []}, "items: must be an array of at least 1 item"),
        ({"items": line() * 1001}, "items: must be an array of at most 1000 items"),
        ({"items": [None]}, r"items\[0\]: must be text or an object, not null"),
        ({"items": line(sku={"$gt": ""})}, r"items\[0\].sku: must be text, not an object"),
        ({"items": line(quantity=0)}, "quantity: must be a whole number of at least 1"),
        (
            {"items": line(quantity=1.5)},
            "quantity: must be a whole number, not a number with a fraction",
        ),
        ({"items": line(quantity=10**9)}, "quantity: must be a whole number of at most 1000000"),
        ({"items": line(unitPrice=1.5)}, "unitPrice: must be text, not a number with a fraction"),
        ({"items": line(unitPrice=None)}, r"items\[0\].unitPrice: must be text, not null"),
        ({"items": line(unitPrice={"$gt": ""})}, r"items\[0\].unitPrice: must be text"),
        ({"items": line(unitPrice="-1.00")}, r"items\[0\].unitPrice: must be text that matches"),
        ({"items": line(unitPrice="NaN")}, r"items\[0\].unitPrice: must be text that matches"),
        ({"items": line(unitPrice="1e9")}, r"items\[0\].unitPrice: must be text that matches"),
        ({"items": line(unitPrice="1,50")}, r"items\[0\].unitPrice: must be text that matches"),
        ({"items": line(unitPrice="1.50\n")}, r"items\[0\].unitPrice: must be text that matches"),
        ({"items": line(unitPrice="\u0661")}, r"items\[0\].unitPrice: must be text that matches"),
        ({"items": line(unitPrice="9" * 99)}, r"items\[0\].unitPrice: must be text that matches"),
        ({"total": "26.00"}, "total: the lines add up to 25.99, not to 26.00"),
        ({"total": 25.99}, "total: must be text or null, not a number with a fraction"),
        ({"currency": "euros"}, "currency: must be text that matches"),
        ({"currency": {"$gt": ""}}, "currency: must be text, not an object"),
    ],
)
def test_a_hostile_order_is_refused_by_field(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidMessage, match=problem):
        issue_invoice(placed(**fields))

    assert invoices().count_documents({}) == 0


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"orderId": {"$gt": ""}}, "orderId: must be a whole number or text, not an object"),
        ({"orderId": ""}, "orderId: must be text of at least 1 character"),
        ({"orderId": "\N{PACKAGE}" * 60}, "orderId: must have at most 200 bytes"),
        ({"userId": "101"}, "userId: must be a whole number, not text"),
        ({"reason": {"$gt": ""}}, "reason: must be text or null, not an object"),
    ],
)
def test_a_hostile_rejection_is_refused_by_field(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidMessage, match=problem):
        credit_rejected(rejected(**fields))

    assert invoices().count_documents({}) == 0
