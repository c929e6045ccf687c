"""One search leads from whatever an operator has in hand to its page."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.test import Client
from pymongo.collection import Collection

from billing.invoicing import invoices
from billing.tasks import issue_invoice
from failed_messages.records.collection import failed_messages, failure_groups
from inventory.order_in_message import PlacedOrder
from inventory.reserving import reserve
from messaging.handling import retry_notes
from orders.collection import orders
from tests.failed_messages.letters import failed
from tests.failed_messages.staff import staff
from tests.failed_messages.stored_orders import place, placed_body
from tests.inventory.catalogue import stocked
from tests.waiting_retry import a_retry_waits, note_of

pytestmark = pytest.mark.usefixtures("clean")


def client_of(user: User) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


@pytest.fixture
def operator() -> Client:
    return client_of(User.objects.create_superuser("operator"))


def leads_to(client: Client, term: str) -> str:
    """Where the search for the term leads at once; empty where it lists something."""
    response = client.get("/admin/search", {"q": term})
    return str(response.headers.get("Location", ""))


@pytest.mark.usefixtures("db")
def test_each_kind_of_name_leads_to_its_page(operator: Client) -> None:
    stocked(pen=5)
    order = place()
    order_id = str(order["_id"])
    issue_invoice(msgspec.json.decode(placed_body(order)))
    number = invoices().find_one({"_id": order_id})["number"]
    credited = {"$set": {"credit_note_number": "C2026-000001"}}
    invoices().update_one({"_id": order_id}, credited)
    message = failed(message_id="order.placed:lost")
    desk = "/admin/failed_messages"

    found = {
        order_id: f"/admin/orders/order/{order_id}/change/",
        f" {order_id.upper()} ": f"/admin/orders/order/{order_id}/change/",
        number: f"/admin/billing/invoice/{order_id}/change/",
        "C2026-000001": f"/admin/billing/invoice/{order_id}/change/",
        f"billing.invoiced:{order_id}": f"/admin/orders/order/{order_id}/change/",
        "101": "/admin/orders/order/?q=101",
        "order.placed:lost": f"{desk}/failedmessage/{message.pk}/change/",
        str(message.pk): f"{desk}/failedmessage/{message.pk}/change/",
        message.fingerprint: f"{desk}/failuregroup/{message.fingerprint}/change/",
        "card service": f"{desk}/failedmessage/?q=card+service",
    }

    assert {term: leads_to(operator, term) for term in found} == found
    assert leads_to(operator, "pen").startswith("/admin/inventory/product/")
    for address in found.values():
        assert operator.get(address).status_code == 200


@pytest.mark.parametrize("order_id", ["foreign", "foreign/2026 #7?_ü"])
def test_a_foreign_message_that_waits_for_its_retry_leads_to_it(
    operator: Client, order_id: str
) -> None:
    retry_id = quote(a_retry_waits(order_id))

    address = leads_to(operator, f"order.placed:{order_id}")

    assert unquote(address).endswith(f"/failedmessage/retries/{retry_id}/retry-now/")
    assert "order.placed" in operator.get(address).content.decode()


RETRIES = "/admin/failed_messages/failedmessage/retries/"


@pytest.mark.parametrize("words", ["CARD service", "timeouterror", "timed"])
def test_words_of_an_error_lead_to_what_is_retried_because_of_it(words: str) -> None:
    order_id = str(place()["_id"])
    note = note_of(order_id, f"order.placed:{order_id}", "billing.retry.2m")
    note["attempts"][0]["exception"] = "TimeoutError"
    over = {**note, "_id": "over", "service": "inventory", "due_at": None}
    retry_notes.notes().insert_many([note, over])
    viewer, stranger = staff("view_failedmessage"), staff("view_order")

    assert leads_to(viewer, words) == f"{RETRIES}?service=billing"
    assert order_id in viewer.get(f"{RETRIES}?service=billing").content.decode()
    assert leads_to(stranger, words) == ""

    failed()
    both = viewer.get("/admin/search", {"q": words}).content.decode()
    assert f'<a href="{RETRIES}?service=billing">' in both
    assert "Failed messages: <a" in both


def test_who_may_not_replay_finds_a_foreign_message_that_waits_in_the_list() -> None:
    note = note_of("foreign", "order.placed:foreign", "billing.retry.2m")
    retry_notes.notes().insert_one(note)
    viewer = staff("view_failedmessage")

    assert leads_to(viewer, "order.placed:foreign") == f"{RETRIES}?service=billing"
    assert "order.placed:foreign" in viewer.get(f"{RETRIES}?service=billing").content.decode()
    assert leads_to(staff("view_order"), "order.placed:foreign") == ""


@pytest.mark.parametrize("term", ["", " ", "nothing of that name", "$where", "<b>", "0" * 400])
def test_what_there_is_not_is_said(operator: Client, term: str) -> None:
    response = operator.get("/admin/search", {"q": term})

    assert response.status_code == 200
    assert "Finds an order by its id" in response.content.decode()
    assert "<b>" not in response.content.decode()


def test_several_hits_are_listed(operator: Client) -> None:
    stocked(**{"101": 1})
    place()

    told = operator.get("/admin/search", {"q": "101"}).content.decode()

    assert "Product: <a" in told
    assert "User: <a" in told


def test_nobody_finds_what_they_may_not_see() -> None:
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_invoice"))
    order_id = str(place()["_id"])
    failed()

    clerk = client_of(user)

    assert leads_to(clerk, order_id) == ""
    assert leads_to(clerk, "card service") == ""


def without(collection: Collection[Any], field: str) -> None:
    collection.update_many({}, {"$unset": {field: ""}})


def test_a_document_that_lacks_a_field_hides_no_other_hit(operator: Client) -> None:
    """Each is found by `101`, which is a user, too."""
    place()
    stocked(**{"101": 1})
    stored = failed(message_id="101")
    failure_groups().update_one({"_id": stored.fingerprint}, {"$unset": {"pattern": ""}})
    number = {"_id": "shop-1", "number": "101", "state": "issued"}
    invoices().insert_one(number)
    for collection, field in (
        (orders(), "status"),
        (invoices(), "state"),
        (failed_messages(), "service"),
    ):
        without(collection, field)

    told = operator.get("/admin/search", {"q": "101"})

    assert told.status_code == 200
    assert "User: <a" in told.content.decode()
    assert "Product: <a" in told.content.decode()
    for term in (str(place()["_id"]), stored.fingerprint, "shop-1"):
        assert operator.get("/admin/search", {"q": term}).status_code in (200, 302)


def test_a_note_of_a_retry_that_lacks_a_field_hides_no_other(operator: Client) -> None:
    a_retry_waits("foreign")
    without(retry_notes.notes(), "attempts")

    assert operator.get("/admin/search", {"q": "order.placed:foreign"}).status_code in (200, 302)


def test_each_page_has_the_search(operator: Client) -> None:
    assert 'action="/admin/search"' in operator.get("/admin/orders/order/").content.decode()
    assert 'action="/admin/search"' not in Client().get("/admin/login/").content.decode()


def test_ids_that_the_admin_would_read_otherwise_lead_to_their_pages(operator: Client) -> None:
    """In an address of the admin `_40` is `@`; a size may be 40."""
    stocked(shirt_40=5)
    ours = str(place()["_id"])
    for order_id in ("order_40", ours):
        reserve(PlacedOrder(order_id, 101, {"shirt_40": 1}))
    invoices().insert_one({"_id": "order_40", "number": "2026-000040", "state": "issued"})

    page = operator.get(f"/admin/orders/order/{ours}/change/").content.decode()
    [movement] = [each.split('"')[0] for each in page.split('href="') if "/movement/" in each]
    hits = operator.get("/admin/search", {"q": "order_40"}).content.decode()
    found = [each.split('"')[0] for each in hits.split('href="') if "order_5F40" in each]

    assert len(found) == 2
    for address in (movement, *found):
        assert operator.get(address).status_code == 200, address
