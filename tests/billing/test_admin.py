"""What an operator sees of billing in the admin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.test import Client

from billing import lost_numbers, personal_data
from billing.invoicing import credit, invoices, issue
from billing.order_in_message import read_placed, read_withdrawn
from inventory.reserving import products
from runtime.transactions import in_transaction
from tests.billing.orders import placed, rejected
from tests.inventory.catalogue import stocked

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture
def operator() -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("operator", password="x"))
    return client


def test_invoices_are_found_by_order_number_user_and_state(operator: Client) -> None:
    number = issue(read_placed(placed("o1")))["number"]
    issue(read_placed(placed("o2", userId=202)))
    credit(read_withdrawn(rejected("o2", userId=202)))

    def shown(query: str) -> tuple[bool, bool]:
        page = operator.get(f"/admin/billing/invoice/?{query}").content.decode()
        return "/o1/change/" in page, "/o2/change/" in page

    assert shown("") == (True, True)
    assert shown("q=o1") == (True, False)
    assert shown(f"q={number}") == (True, False)
    assert shown("q=202") == (False, True)
    assert shown("state__exact=credited") == (False, True)
    assert shown(f"q={2**70}") == (False, False)


def test_an_invoice_shows_its_lines_and_cannot_be_changed(operator: Client) -> None:
    issue(read_placed(placed("o1")))

    def shown() -> str:
        return operator.get("/admin/billing/invoice/o1/change/").content.decode()

    page = shown()
    assert "2 x pen at 12.50: 25.00" in page
    stocked(pen=1)
    [pen] = products().find()
    link = f'<a href="/admin/inventory/product/{pen["_id"]}/change/">{pen["name"]}</a>'
    assert f"2 x pen ({link}) at 12.50: 25.00" in shown()
    assert "25.99" in page
    assert 'name="_save"' not in page
    assert operator.post("/admin/billing/invoice/o1/delete/").status_code == 403
    assert operator.get("/admin/billing/invoice/add/").status_code == 403


def test_a_credited_invoice_leads_to_both_of_its_documents(operator: Client) -> None:
    number = issue(read_placed(placed("o1")))["number"]
    credit(read_withdrawn(rejected("o1")))

    page = operator.get("/admin/billing/invoice/o1/change/").content.decode()
    assert f'<a href="/orders/o1/invoice">Invoice {number}</a>' in page
    assert f'<a href="/orders/o1/credit-note">Credit note C{number}</a>' in page
    assert "/o1/change/" in operator.get(f"/admin/billing/invoice/?q=C{number}").content.decode()
    assert operator.get("/orders/o1/credit-note.pdf").status_code == 200


def test_a_void_invoice_can_be_viewed(operator: Client) -> None:
    credit(read_withdrawn(rejected("o1")))

    page = operator.get("/admin/billing/invoice/o1/change/").content.decode()
    assert "Void" in page


def test_a_sku_from_outside_is_shown_as_text(operator: Client) -> None:
    script = "<script>alert(1)</script>"
    items = [{"sku": script, "quantity": 1, "unitPrice": "1.00"}]
    issue(read_placed(placed("o1", items=items)))

    page = operator.get("/admin/billing/invoice/o1/change/").content.decode()

    assert script not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("number", ["2026-000001", "C2026-000001"])
def test_the_record_of_a_lost_number_is_no_document(operator: Client, number: str) -> None:
    in_transaction(partial(lost_numbers.withhold, number))

    for document in ("invoice", "credit-note", "invoice.pdf", "credit-note.pdf"):
        answer = operator.get(f"/orders/lost:{number}/{document}")
        assert answer.status_code == 404
        assert b"issued after the backup that was restored" in answer.content
    record = operator.get(f"/admin/billing/invoice/lost:{number}/change/").content.decode()
    assert "It is lost: it was issued after the backup" in record
    assert f"/orders/lost:{number}/" not in record


def test_the_record_of_a_lost_number_is_not_forgotten() -> None:
    in_transaction(partial(lost_numbers.withhold, "C2026-000001"))
    before = invoices().find_one({"_id": "lost:C2026-000001"})

    personal_data.forget(datetime.now(UTC) + timedelta(days=1))

    assert invoices().find_one({"_id": "lost:C2026-000001"}) == before
