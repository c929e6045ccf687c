"""The page of an order is a workplace: everything that belongs to it is a link, and can be done."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from bson import ObjectId
from django.contrib.auth.models import Permission, User
from django.test import Client

from billing.invoicing import invoices
from billing.tasks import issue_invoice
from failed_messages.models import AuditEntry
from failed_messages.records.collection import failed_messages
from inventory.order_in_message import PlacedOrder
from inventory.reserving import reservations, reserve
from messaging.handling import retry_notes
from messaging.user_link import user_link
from orders import ledger
from orders.collection import orders
from tests.failed_messages.letters import failed
from tests.failed_messages.stored_orders import place, placed_body
from tests.inventory.catalogue import stocked

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture
def operator() -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def order_id() -> str:
    """An order that is reserved and invoiced."""
    stocked(pen=5)
    order = place()
    order_id = str(order["_id"])
    reserve(PlacedOrder(order_id, 101, {"pen": 1}))
    issue_invoice(msgspec.json.decode(placed_body(order)))
    ledger.record(order_id, "inventory", "reserved")
    ledger.record(order_id, "billing", "invoiced", "2026-000001")
    return order_id


def page(client: Client, order_id: str) -> str:
    response = client.get(f"/admin/orders/order/{order_id}/change/")
    assert response.status_code == 200
    return response.content.decode()


def test_everything_that_belongs_to_it_is_a_link_that_opens(
    operator: Client, order_id: str
) -> None:
    other = str(place()["_id"])
    message = failed(correlation_id=order_id)

    told = page(operator, order_id)

    number = invoices().find_one({"_id": order_id})["number"]
    assert number in told
    links = {
        f"/admin/billing/invoice/{order_id}/change/",
        f"/orders/{order_id}/invoice",
        f"/orders/{order_id}/invoice.pdf",
        f"/admin/inventory/reservation/{order_id}/change/",
        f"/admin/orders/order/{other}/change/",
        f"/admin/failed_messages/failedmessage/{message.pk}/change/",
    }
    shown = set(re.findall(r'href="([^"]+)"', told))
    movement = next(each for each in shown if "/inventory/movement/" in each)
    product = next(each for each in shown if "/inventory/product/" in each)
    assert links <= shown
    for link in [*links, movement, product]:
        assert operator.get(link).status_code == 200, link


def test_lines_have_names_and_totals(operator: Client, order_id: str) -> None:
    told = page(operator, order_id)

    assert "<td>pen</td><td>1</td><td>12.50</td><td>12.50</td>" in told
    assert re.search(r'<a href="/admin/inventory/product/\w+/change/">Pen</a>', told)


def test_attempts_are_shown_as_they_happen(operator: Client) -> None:
    order_id = str(place()["_id"])
    due = datetime.now(UTC) + timedelta(minutes=2)
    attempt = {"number": 1, "at": "2026-11-28T03:00:00+00:00", "message": "card timed out"}
    note = {"_id": f"{order_id} billing x", "service": "billing", "attempts": [attempt]}
    note["order_id"] = order_id
    retry_notes.notes().insert_one({**note, "due_at": due})

    told = page(operator, order_id)

    assert "card timed out" in told
    assert "to be tried again" in told
    assert f"{due:%Y-%m-%d %H:%M:%S}" in told
    steps = operator.get(f"/orders/{order_id}/timeline").json()["steps"]
    assert [step["attempt"] for step in steps if step["dueAt"]] == [2]


def test_an_order_is_noted_about_and_cancelled(operator: Client, order_id: str) -> None:
    act = f"/admin/orders/order/{order_id}/act"

    operator.post(f"{act}/note/", {"text": "<b>called the customer</b>"})
    empty = operator.post(f"{act}/note/", {"text": " "}, follow=True)
    operator.post(f"{act}/cancel/", {"text": "changed their mind"})

    told = page(operator, order_id)
    assert "&lt;b&gt;called the customer&lt;/b&gt; <small>operator, " in told
    assert "The note is empty" in empty.content.decode()
    stored: Any = orders().find_one({"_id": ObjectId(order_id)})
    assert (stored["status"], stored["cancellation"]["reason"]) == (
        "cancelled",
        "changed their mind",
    )
    assert "Cancel the order" not in told


def test_cancelling_says_what_becomes_of_stock_and_invoice(operator: Client, order_id: str) -> None:
    told = page(operator, order_id)

    assert "Its stock is released. Its invoice is credited. This cannot be undone." in told


def test_where_nothing_is_reserved_nor_invoiced_cancelling_does_not_promise_to_take_it_back(
    operator: Client,
) -> None:
    told = page(operator, str(place()["_id"]))

    assert "No stock is reserved for it" in told
    assert "It has no invoice" in told
    assert "Its stock is released" not in told


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("credited", "It holds no stock. Its invoice is credited already."),
        ("void", "It holds no stock. It has no invoice."),
    ],
)
def test_of_a_rejected_order_nothing_is_taken_back(
    operator: Client, order_id: str, state: str, said: str
) -> None:
    reservations().update_one({"_id": order_id}, {"$set": {"state": "rejected"}})
    invoices().update_one({"_id": order_id}, {"$set": {"state": state}})

    assert f"{said} This cannot be undone." in page(operator, order_id)


def test_a_second_click_notes_and_cancels_nothing(operator: Client, order_id: str) -> None:
    act = f"/admin/orders/order/{order_id}/act"

    said = [
        operator.post(f"{act}/{what}/", {"text": text}, follow=True).content.decode()
        for what, text in (("note", "called"), ("cancel", "twice")) * 2
    ]

    assert ["Noted." in text for text in said] == [True, False, False, False]
    assert ["The order is cancelled." in text for text in said] == [False, True, False, False]
    assert "You have noted the same a moment ago" in said[2]
    assert "The order was cancelled before, at 20" in said[3]
    order = orders().find_one({"_id": ObjectId(order_id)})
    assert [each["text"] for each in order["notes"]] == ["called", "cancelled: twice"]
    assert audited(order_id) == [("operator", "note"), ("operator", "cancel")]
    operator.post(f"{act}/note/", {"text": "called again"})
    assert len(orders().find_one({"_id": ObjectId(order_id)})["notes"]) == 3


def audited(order_id: str) -> list[tuple[str, str]]:
    """Who did what with the order, the oldest first; the words are in the order alone."""
    entries = AuditEntry.objects.filter(subject="order", subject_id=order_id).order_by("id")
    assert {each.reason for each in entries} <= {""}
    return [(each.by, each.act) for each in entries]


def test_who_noted_and_cancelled_stays_in_the_audit_log(operator: Client, order_id: str) -> None:
    operator.post(f"/admin/orders/order/{order_id}/act/cancel/", {"text": "ordered twice"})

    shown = operator.get("/admin/failed_messages/auditentry/").content.decode()

    assert f'order <a href="/admin/orders/order/{order_id}/change/">{order_id}</a>' in shown
    assert "ordered twice" not in shown


def test_an_order_is_shipped_from_its_page(operator: Client, order_id: str) -> None:
    assert ">Ship</button>" in page(operator, order_id)

    form = {"action": "ship_selected", "_selected_action": order_id}
    operator.post("/admin/inventory/reservation/", form)
    refused = operator.post(f"/admin/orders/order/{order_id}/act/cancel/", {}, follow=True)

    assert audited(order_id) == []
    told = page(operator, order_id)
    assert ">Ship</button>" not in told
    assert "state-shipped" in told
    assert "was shipped" in refused.content.decode()


def test_who_may_only_view_may_not_act(order_id: str) -> None:
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_order"))
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)

    assert "Cancel the order" not in page(client, order_id)
    for what in ("cancel", "note"):
        address = f"/admin/orders/order/{order_id}/act/{what}/"
        assert client.post(address, {"text": "x"}).status_code == 403


@pytest.mark.parametrize("address", ["a" * 24 + "/act/cancel/", "nothing/act/note/"])
def test_what_there_is_not_is_not_acted_on(operator: Client, address: str) -> None:
    assert operator.post(f"/admin/orders/order/{address}").status_code == 404
    assert operator.get(f"/admin/orders/order/{address}").status_code == 405


def test_a_failed_order_looks_failed_on_its_page(operator: Client) -> None:
    order = place()
    failed(body=placed_body(order), correlation_id=str(order["_id"]))

    assert "state-failed" in page(operator, str(order["_id"]))


def test_the_customer_is_a_link_wherever_the_number_stands(operator: Client, order_id: str) -> None:
    failed(correlation_id=order_id, body=b'{"orderId": "%s", "userId": 101}' % order_id.encode())
    record = failed_messages().find_one()
    assert record is not None
    to_the_customer = '<a href="/admin/orders/order/?q=101">101</a>'

    for address in (
        "orders/order/",
        f"orders/order/{order_id}/change/",
        "billing/invoice/",
        f"billing/invoice/{order_id}/change/",
        "inventory/reservation/",
        f"inventory/reservation/{order_id}/change/",
        f"failed_messages/failedmessage/{record['_id']}/change/",
    ):
        assert to_the_customer in operator.get(f"/admin/{address}").content.decode(), address


@pytest.mark.parametrize(("user_id", "shown"), [("", "-"), (None, "-"), ("<b>", "<b>")])
def test_what_can_be_no_customer_is_no_link(user_id: str | None, shown: str) -> None:
    assert user_link(user_id) == shown
