"""An order's id is the same in capitals, wherever it is asked for."""

from __future__ import annotations

import base64
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from billing.invoicing import credit, issue
from billing.order_in_message import read_placed, read_withdrawn
from failed_messages.acting.replay import replay
from failed_messages.models import FailedMessage
from inventory.order_in_message import read
from inventory.reserving import reserve
from messaging.order_id import canonical, object_id
from orders import ledger
from tests.billing.orders import placed, rejected
from tests.failed_messages.letters import failed
from tests.failed_messages.staff import staff
from tests.failed_messages.stored_orders import place, placed_body
from tests.inventory.catalogue import stocked

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture
def order_id(clean: None) -> str:
    """An order with a reservation, an invoice that is credited, and a failed message."""
    stored = place()
    order_id = str(stored["_id"])
    stocked(pen=10)
    reserve(read({"orderId": order_id, "userId": 101, "items": ["pen"]}))
    issue(read_placed(placed(order_id)))
    credit(read_withdrawn(rejected(order_id)))
    failed(body=placed_body(stored), correlation_id=order_id.upper())
    return order_id


@pytest.mark.parametrize(
    "address",
    [
        "/orders/{}",
        "/orders/{}/timeline",
        "/orders/{}/events",
        "/orders/{}/invoice",
        "/orders/{}/invoice.pdf",
        "/orders/{}/credit-note",
        "/orders/{}/credit-note.pdf",
        "/admin/orders/order/{}/change/",
        "/admin/inventory/reservation/{}/change/",
        "/admin/billing/invoice/{}/change/",
    ],
)
def test_it_is_found_in_capitals(order_id: str, address: str):
    assert staff().get(address.format(order_id.upper())).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/admin/orders/order/?q={}",
        "/admin/inventory/reservation/?q={}",
        "/admin/billing/invoice/?q={}",
        "/admin/failed_messages/failedmessage/?q={}",
    ],
)
def test_it_is_searched_for_in_capitals(order_id: str, address: str):
    text = staff().get(address.format(order_id.upper())).content.decode()

    assert order_id in text.replace(f'value="{order_id.upper()}"', "")


def test_it_is_shipped_in_capitals_and_its_cancellation_meets_the_same_order(order_id: str):
    staff_member = User.objects.create_superuser("shipper", password="x")
    client = Client(headers={"host": "localhost", "authorization": basic(staff_member)})

    ship = f"/inventory/reservations/{order_id.upper()}/ship"
    anyway = {"force": True, "reason": "billing was settled by hand"}
    shipped = client.post(ship, anyway, content_type="application/json")
    cancelled = client.post(f"/orders/{order_id.upper()}/cancel", content_type="application/json")

    assert shipped.status_code == 200, shipped.content
    assert shipped.json()["orderId"] == order_id
    assert cancelled.json()["type"] == "/problems/order-shipped"


def basic(user: Any) -> str:
    return "Basic " + base64.b64encode(f"{user.username}:x".encode()).decode()


def test_messages_in_capitals_are_about_the_same_order(order_id: str):
    again = {"orderId": order_id.upper(), "userId": 101, "items": ["pen"]}

    assert reserve(read(again))["_id"] == order_id
    assert issue(read_placed(placed(order_id.upper())))["_id"] == order_id
    ledger.record(order_id.upper(), "inventory", "reserved")


def test_a_failed_message_of_a_cancelled_order_is_stale_in_capitals(order_id: str):
    Client(headers={"host": "localhost"}).post(
        f"/orders/{order_id}/cancel", content_type="application/json"
    )
    stored = failed(correlation_id=order_id.upper(), message_id="another")

    [verdict] = replay([stored.pk], "me")

    assert "is cancelled since" in verdict.detail


def test_it_is_found_on_the_command_line(order_id: str):
    said = StringIO()
    call_command("failed_messages", "list", "--order", order_id.upper(), "--json", stdout=said)

    assert order_id in said.getvalue()


@pytest.mark.parametrize(
    "text", ["", "A1", "x" * 24, "0123456789abcdef01234  5", "\N{ARABIC-INDIC DIGIT ONE}" * 24]
)
def test_what_is_not_an_id_of_ours_stays_as_it_is(text: str):
    assert object_id(text) is None
    assert canonical(text) == text
    assert Client(headers={"host": "localhost"}).get(f"/orders/{text or 'x'}").status_code == 404


def test_a_group_is_filtered_by_in_capitals(order_id: str):
    message = FailedMessage.objects.get()

    answer = staff().get(f"/failed-messages?group={message.fingerprint.upper()}")

    assert str(message.pk) in answer.content.decode()
