"""An order's timeline: over HTTP, live, and on its page in the admin."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.request import Request, urlopen

import pytest
from bson import ObjectId
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect

import billing.events
import inventory.events
import inventory.order_in_message
from billing.invoicing import issue
from billing.order_in_message import read_placed
from failed_messages.records.collection import failed_messages
from inventory.reserving import reserve
from messaging.service import answering
from orders import ledger
from orders.collection import orders
from ordersite.pipeline import stream_places, timeline_views
from tests import broker
from tests.failed_messages import letters
from tests.orders.conftest import Place
from tests.polling import eventually
from tests.processes import Processes

Events = Callable[..., Iterator[str]]


def shown(client: Client, order_id: str) -> dict[str, Any]:
    response = client.get(f"/orders/{order_id}/timeline")
    assert response.status_code == 200
    return response.json()


def told(timeline: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(step["service"], step["kind"], step["outcome"]) for step in timeline["steps"]]


def fail(order_id: str) -> None:
    """Let billing's message of the order die after two attempts, and archive it."""
    body = json.dumps({"orderId": order_id, "userId": 101}).encode()
    letters.bury(body=body, message_id=f"order.placed:{order_id}", correlation_id=order_id)
    letters.archive_next()


def test_a_new_order_waits_for_each_service(client: Client, place: Place):
    order_id = place()["orderId"]

    timeline = shown(client, order_id)

    assert (timeline["orderId"], timeline["status"]) == (order_id, "placed")
    assert told(timeline) == [
        ("orders", "done", "placed"),
        ("orders", "waiting", "to be published"),
        ("inventory", "waiting", "to be reserved"),
        ("billing", "waiting", "to be invoiced"),
    ]
    lanes = [lane["service"] for lane in timeline["services"]]
    assert lanes == ["orders", *(each.name for each in answering())]
    assert lanes[:3] == ["orders", "inventory", "billing"]


def test_every_step_is_told_in_its_sequence(client: Client, place: Place):
    order_id = place()["orderId"]
    ledger.record(order_id, "billing", "invoiced", "2026-000001")
    ledger.record(order_id, "inventory", "rejected", "Out of stock: pen")
    client.post(f"/orders/{order_id}/cancel", {"reason": "Too late"}, "application/json")
    ledger.record(order_id, "inventory", "released")
    ledger.record(order_id, "billing", "credited", "2026-000001")

    timeline = shown(client, order_id)

    done = [step for step in timeline["steps"] if step["kind"] == "done"]
    assert [(step["service"], step["outcome"], step["detail"]) for step in done] == [
        ("orders", "placed", None),
        ("billing", "invoiced", "2026-000001"),
        ("inventory", "rejected", "Out of stock: pen"),
        ("orders", "cancelled", "Too late"),
        ("inventory", "released", None),
        ("billing", "credited", "2026-000001"),
    ]
    lanes = {lane["service"]: (lane["kind"], lane["outcome"]) for lane in timeline["services"]}
    assert lanes["inventory"] == ("done", "released")
    assert lanes["billing"] == ("done", "credited")


def test_a_failure_shows_each_attempt_and_where_to_fix_it(client: Client, place: Place):
    order_id = place()["orderId"]
    ledger.record(order_id, "inventory", "reserved")
    fail(order_id)

    timeline = shown(client, order_id)

    failed = [step for step in timeline["steps"] if step["kind"] == "failed"]
    assert [(step["outcome"], step["attempt"]) for step in failed] == [
        ("failed", 1),
        ("failed", 2),
        ("gave up", None),
        ("waits for an operator", None),
    ]
    assert failed[0]["detail"] == "card service timed out"
    assert "Every attempt failed" in failed[2]["detail"]
    record = failed_messages().find_one({"order_id": order_id})
    assert record
    assert {step["failedMessageId"] for step in failed} == {str(record["_id"])}
    lanes = {lane["service"]: lane["kind"] for lane in timeline["services"]}
    assert (lanes["inventory"], lanes["billing"]) == ("done", "failed")


def test_at_a_glance_a_settled_order_shows_its_status(client: Client, place: Place):
    order_id = place()["orderId"]
    ledger.record(order_id, "inventory", "reserved")
    ledger.record(order_id, "billing", "invoiced", "2026-000001")
    published = {"$set": {"pending_events": []}, "$unset": {"pending_since": ""}}
    orders().update_one({"_id": ObjectId(order_id)}, published)

    lanes = {lane["service"]: lane["outcome"] for lane in shown(client, order_id)["services"]}

    settled = {"orders": "confirmed", "inventory": "reserved", "billing": "invoiced"}
    assert {name: lanes[name] for name in settled} == settled


@pytest.mark.usefixtures("products")
def test_a_step_tells_how_many_attempts_it_took(processes: Processes, client: Client, place: Place):
    order = place()
    order_id = order["orderId"]
    answers = [
        (inventory.events.answered(reserve(inventory.order_in_message.read(order))), {}),
        (billing.events.billed(issue(read_placed(order))), {"attempt": 3}),
    ]
    for answer, headers in answers:
        exchange = f"{answer.type.partition('.')[0]}_events"
        broker.publish(answer.body, exchange=exchange, type=answer.type, headers=headers)

    processes.start("orders")
    timeline = eventually(lambda: is_confirmed(shown(client, order_id)))

    attempts = {step["outcome"]: step["attempt"] for step in timeline["steps"]}
    assert (attempts["reserved"], attempts["invoiced"]) == (1, 3)


def is_confirmed(timeline: dict[str, Any]) -> dict[str, Any] | None:
    return timeline if timeline["status"] == "confirmed" else None


def test_a_failed_message_of_another_order_is_not_shown(client: Client, place: Place):
    fail(place()["orderId"])

    assert all(kind != "failed" for _, kind, _ in told(shown(client, place()["orderId"])))


@pytest.mark.parametrize("what", ["timeline", "events"])
def test_an_order_that_is_not_there_is_404(client: Client, what: str):
    response = client.get(f"/orders/{'0' * 24}/{what}")

    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"


# --- Live -------------------------------------------------------------------------------------


@pytest.fixture
def events(client: Client) -> Iterator[Events]:
    """Opens an order's stream and returns its chunks; it is closed at the test's end.

    One that is left to the garbage collector may be closed by it while Django sets a context
    variable, which crashes Python 3.11. https://github.com/python/cpython/issues/148891
    """

    def open_stream(order_id: str, **headers: str) -> Iterator[str]:
        response = client.get(f"/orders/{order_id}/events", headers=headers)
        opened.callback(response.close)
        assert response.headers["Content-Type"] == "text/event-stream"
        return (chunk.decode() for chunk in response.streaming_content)

    with ExitStack() as opened:
        yield open_stream


@pytest.fixture
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline_views, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(timeline_views, "STREAM_SECONDS", 0.5)
    monkeypatch.setattr(timeline_views, "HEARTBEAT_SECONDS", 0.1)


@pytest.mark.usefixtures("_brief")
def test_the_stream_tells_what_there_is_and_then_each_change(events: Events, place: Place):
    order_id = place()["orderId"]
    stream = events(order_id)

    assert next(stream) == "retry: 2000\n\n"
    first = next(stream)
    ledger.record(order_id, "inventory", "reserved")
    second = next(chunk for chunk in stream if chunk.startswith("id: "))

    assert first.splitlines()[1] == "event: timeline"
    outcomes = [step["outcome"] for step in data_of(second)["steps"]]
    assert "reserved" in outcomes
    assert first.splitlines()[0] != second.splitlines()[0]


def data_of(chunk: str) -> dict[str, Any]:
    return json.loads(chunk.splitlines()[2].removeprefix("data: "))


@pytest.mark.usefixtures("_brief")
def test_a_client_that_comes_back_gets_only_what_is_new(events: Events, place: Place):
    order_id = place()["orderId"]
    seen = list(itertools.islice(events(order_id), 2))[1].splitlines()[0][4:]

    again = list(events(order_id, **{"Last-Event-ID": seen}))

    assert again[0].startswith("retry")
    assert set(again[1:]) == {": still there\n\n"}
    ledger.record(order_id, "inventory", "reserved")
    after = list(itertools.islice(events(order_id, **{"Last-Event-ID": seen}), 2))
    assert after[1].startswith("id: ")


@pytest.mark.usefixtures("_brief")
def test_beyond_the_last_place_a_client_gets_what_is_new_and_no_thread(
    client: Client, events: Events, place: Place, monkeypatch: pytest.MonkeyPatch
):
    order_id = place()["orderId"]
    monkeypatch.setattr(timeline_views, "STREAM_SECONDS", 60)
    address = f"/orders/{order_id}/events"
    held = [client.get(address) for _ in range(stream_places.OF_A_CLIENT)]
    for response in held:
        list(itertools.islice(response.streaming_content, 2))

    assert len(list(events(order_id))) == 2

    held[0].close()
    monkeypatch.setattr(timeline_views, "STREAM_SECONDS", 0.5)
    assert len(list(events(order_id))) > 2
    for response in held:
        response.close()


@pytest.mark.usefixtures("products")
def test_the_web_server_sends_each_event_when_it_happens(processes: Processes, place: Place):
    url = processes.start_web()
    order_id = place()["orderId"]

    with urlopen(Request(f"{url}/orders/{order_id}/events"), timeout=20) as stream:
        lines = (line.decode() for line in stream)
        first = next(line for line in lines if line.startswith("data: "))
        ledger.record(order_id, "inventory", "reserved")
        second = next(line for line in lines if line.startswith("data: "))

    assert '"reserved"' not in first
    assert '"reserved"' in second


# --- In the admin -----------------------------------------------------------------------------


def test_the_admins_page_draws_it(client: Client, place: Place):
    order_id = place()["orderId"]
    ledger.record(order_id, "inventory", "rejected", "<b>Out of stock</b>")
    fail(order_id)
    client.force_login(User.objects.create_superuser("operator", password="x"))

    text = client.get(f"/admin/orders/order/{order_id}/change/").content.decode()

    assert '<li class="lane is-failed"><b>billing</b> <span>waits for an operator</span>' in text
    assert '<li class="lane is-done"><b>inventory</b> <span>rejected</span>' in text
    assert "card service timed out" in text
    assert "&lt;b&gt;Out of stock&lt;/b&gt;" in text
    assert "/admin/failed_messages/failedmessage/" in text


@pytest.mark.usefixtures("products")
def test_the_admins_page_follows_the_order(processes: Processes, place: Place, page: Page):
    url = processes.start_web()
    order_id = place()["orderId"]
    User.objects.create_superuser("operator", password="x")
    page.goto(f"{url}/admin/orders/order/{order_id}/change/")
    page.get_by_label("Username").fill("operator")
    page.get_by_label("Password").fill("x")
    page.get_by_role("button", name="Log in").click()
    billing = page.locator(".lane").filter(has_text="billing")
    expect(billing).to_contain_text("to be invoiced")

    ledger.record(order_id, "billing", "invoiced", "2026-000001")

    expect(billing).to_contain_text("invoiced", timeout=10_000)
    expect(billing).not_to_contain_text("to be")
    expect(page.locator(".steps")).to_contain_text("2026-000001")

    # What can be done follows, too, but nobody loses what they are typing.
    note, cancel = page.get_by_text("Note something"), page.get_by_text("Cancel the order …")
    note.click()
    page.get_by_label("Note", exact=True).fill("a word")
    orders().update_one({"_id": ObjectId(order_id)}, {"$set": {"status": "cancelled"}})
    ledger.record(order_id, "inventory", "reserved")
    expect(page.locator(".lane").filter(has_text="inventory")).to_contain_text("reserved")
    expect(page.get_by_label("Note", exact=True)).to_have_value("a word")
    expect(cancel).to_be_visible()
    note.click()
    ledger.record(order_id, "inventory", "shipped")
    expect(cancel).to_have_count(0)
