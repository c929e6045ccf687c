"""The front page: what it says, what it costs, and that it says so where a part is down."""

from __future__ import annotations

import html
import re
import time
from typing import Any

import msgspec
import pymongo
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client, override_settings
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError

from billing.tasks import issue_invoice
from failed_messages.acting.discard import discard
from failed_messages.models import FailedMessage
from orders.collection import orders
from ordersite.doctor.report import Report, Unseen
from ordersite.overview import measuring, order_needs, stored_snapshot
from ordersite.overview.snapshot import Deliverer
from ordersite.pipeline import health, scheduler_heartbeat
from runtime.lease import RELAY_LEASE, Lease
from runtime.mongodb_clock import mongodb_now
from tests.failed_messages.letters import failed
from tests.failed_messages.stored_orders import place, placed_body
from tests.overview.snapshots import but, line
from tests.runtime.test_presence import said, store

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture(autouse=True)
def nothing_read_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_snapshot, "_own", stored_snapshot.OwnReading())
    monkeypatch.setattr(stored_snapshot, "_rabbitmq", stored_snapshot.Probe())


def client_of(user: User) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


@pytest.fixture
def operator() -> Client:
    return client_of(User.objects.create_superuser("operator"))


def page(client: Client, address: str = "/admin/") -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def a_failed_order() -> str:
    """One that billing gave up; its id."""
    order = place()
    failed(body=placed_body(order), correlation_id=str(order["_id"]))
    return str(order["_id"])


@pytest.mark.parametrize("address", ["/admin/", "/admin/failed_messages/", "/admin/wall"])
def test_what_is_wrong_is_said_first_with_its_cost_and_the_next_click(
    operator: Client, address: str
) -> None:
    a_failed_order()
    Lease(RELAY_LEASE).is_held()
    scheduler_heartbeat.beat()

    told = page(operator, address)

    assert told.index(" worker runs") < told.index("1 failed message not settled")
    assert "1 order of 1 customer, 12.50 EUR, waits for an operator." in told
    assert 'class="verdict is-broken"' in told
    assert "Broken" in told
    assert "✕" in told


def test_each_part_of_an_open_page_is_replaced_whatever_has_happened(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the script would leave what was true before."""
    parts = []
    for down in ({}, {"rabbitmq": "No answer.", "queues": None, "lines": None}, {"failed": None}):
        snapshot = msgspec.structs.replace(stored_snapshot.current(), **down)
        monkeypatch.setattr(stored_snapshot, "current", lambda now=snapshot: now)
        parts.append(re.findall(r'data-part="(\w+)"', page(operator)))

    assert parts[0] == parts[1] == parts[2]


def test_every_number_leads_to_a_list_that_opens(operator: Client) -> None:
    a_failed_order()

    told = page(operator)

    links = {each.replace("&amp;", "&") for each in re.findall(r'href="(/admin/[^"]+)"', told)}
    for link in sorted(each for each in links if "logout" not in each):
        response = operator.get(link, follow=True)
        assert response.status_code == 200, link


def test_as_many_are_listed_as_the_number_says(operator: Client) -> None:
    a_failed_order()
    for status in ("failed", "replaying", "replaying"):
        record = failed(message_id=f"another that is {status}", body=b"%d" % len(status))
        FailedMessage.objects.filter(pk=record.pk).update(status=status)
    stored_snapshot.take()
    told = page(operator)

    shown = re.findall(r'<dt>([^<]+)</dt><dd><a href="([^"]+)"[^>]*>(?:! )?(\d+)</a>', told)
    counts = {name: (html.unescape(url), count) for name, url, count in shown}
    for name in ("failed messages", "being replayed", "orders that failed", "new causes in 24 h"):
        url, count = counts[name]
        assert f"{count} result" in page(operator, url), name


@pytest.mark.parametrize("query", ["needs=failed", "needs=attention", "waits=billing"])
def test_a_failed_order_is_found_and_looks_failed(operator: Client, query: str) -> None:
    order_id = a_failed_order()
    place()
    orders().update_many({}, {"$set": {"pending_events": []}, "$unset": {"pending_since": ""}})

    told = page(operator, f"/admin/orders/order/?{query}")

    assert order_id in told
    assert told.count("state-failed") == 1
    assert told.count('class="field-id"') == (2 if query.startswith("waits") else 1)


@pytest.mark.parametrize("query", ["needs=unaccounted", "needs=attention", "waits=billing"])
def test_an_unaccounted_order_looks_so(
    operator: Client, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    order_id = str(place()["_id"])
    lost = but(lines=(line("billing", unaccounted=1, orders=(order_id,)),))
    monkeypatch.setattr(order_needs, "current", lambda: lost)
    monkeypatch.setattr(order_needs, "last", lambda: lost)

    listed = page(operator, f"/admin/orders/order/?{query}")
    shown = page(operator, f"/admin/orders/order/{order_id}/change/")

    mark = '<span class="state state-unaccounted">unaccounted</span>'
    assert listed.count(mark) == listed.count('class="field-id"') == 1
    assert mark in shown


@pytest.mark.parametrize("query", ["needs=coffee", "waits=nobody", "done=nobody"])
def test_a_filter_that_cannot_be_is_refused(operator: Client, query: str) -> None:
    place()

    told = page(operator, f"/admin/orders/order/?{query}")

    assert "Nothing is listed: of the filters in the address" in told
    assert 'class="field-id"' not in told


def test_the_page_shows_what_the_scheduler_kept_and_asks_for_nothing_else(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_failed_order()
    stored_snapshot.take()
    monkeypatch.setattr(stored_snapshot, "read", lambda *_: pytest.fail("the page read it itself"))
    page(operator)

    began = time.process_time()
    for _ in range(10):
        told = page(operator, "/admin/overview/")
    cpu_seconds = (time.process_time() - began) / 10

    assert "1 failed message not settled" in told
    assert cpu_seconds < 0.05


def test_checks_that_are_not_made_again_are_not_made_since_the_first_time() -> None:
    silent = Report(unchecked=[Unseen(("version", "queues"), "No answer.", "Start it.")])
    kept = []
    for report in (silent, silent, Report()):
        stored_snapshot.keep_report(report)
        kept.append(stored_snapshot.current().doctor or pytest.fail("nothing is kept"))

    assert [each.unchecked for each in kept] == [2, 2, 0]
    assert [each.unchecked_since for each in kept] == [kept[0].at, kept[0].at, None]


def test_without_a_scheduler_the_page_reads_it_itself(operator: Client) -> None:
    place()
    stored_snapshot.take()
    place()
    stale = {"$set": {"at": mongodb_now().replace(year=2020)}}
    stored_snapshot.kept().update_one({"_id": "now"}, stale)

    told = page(operator)

    assert "No scheduler runs" in told
    assert re.search(r'title="All orders">2</a>', told), re.findall(r"All orders.{30}", told)


def test_the_deliverer_is_asked_for_where_webhooks_run() -> None:
    store(said(kind="deliverer"))

    assert stored_snapshot.current().deliverer is None
    with override_settings(WEBHOOKS=True):
        assert stored_snapshot.take().deliverer == Deliverer(1)


@pytest.mark.parametrize("is_given_up", [False, True])
def test_only_an_order_that_waits_for_no_known_reason_is_behind(is_given_up: bool) -> None:
    order_id = a_failed_order()
    orders().update_many({}, {"$set": {"pending_events": []}, "$unset": {"pending_since": ""}})
    if is_given_up:
        discard([str(each.pk) for each in FailedMessage.objects.all()], "operator", "a rehearsal")

    waiting = stored_snapshot.take().waiting_since or {}
    assert waiting.keys() == {"inventory"}, order_id

    FailedMessage.objects.all().delete()
    assert (stored_snapshot.take().waiting_since or {}).keys() == {"inventory", "billing"}


def test_a_service_that_has_answered_is_not_what_an_order_waits_for() -> None:
    order = place()
    orders().update_many({}, {"$set": {"pending_events": []}, "$unset": {"pending_since": ""}})
    assert stored_snapshot.take().unheard == ()

    issue_invoice(msgspec.json.decode(placed_body(order)))
    taken = stored_snapshot.take()

    assert (taken.waiting_since or {}).keys() == {"inventory", "billing"}
    assert taken.unheard == ("billing",)
    # The invoice is not an answer to the cancellation.
    orders().update_one({}, {"$set": {"awaited": ["billing order.cancelled"]}})
    assert stored_snapshot.take().unheard == ()


def test_both_lines_have_the_same_accepted(operator: Client) -> None:
    for _ in range(3):
        place()
    taken = stored_snapshot.take()

    assert [line.accepted for line in taken.lines or ()] == [3, 3]


def test_who_may_not_see_orders_sees_the_verdict_alone() -> None:
    a_failed_order()

    told = page(client_of(User.objects.create_user("someone", is_staff=True)))

    assert "Broken" in told
    assert "12.50" not in told
    assert "tiles" not in told


def test_without_rabbitmq_the_page_says_so(operator: Client) -> None:
    a_failed_order()
    nobody = settings.AMQP_URL.rpartition(":")[0] + ":1//"
    began = time.monotonic()

    with override_settings(AMQP_URL=nobody):
        told = page(operator)

    assert time.monotonic() - began < 3
    assert "RabbitMQ cannot be used" in told
    assert "1 failed message not settled" in told


def test_what_was_kept_a_moment_ago_does_not_hide_that_rabbitmq_is_down_since(
    operator: Client,
) -> None:
    stored_snapshot.take()
    nobody = settings.AMQP_URL.rpartition(":")[0] + ":1//"

    with override_settings(AMQP_URL=nobody):
        told = page(operator)

    assert "RabbitMQ cannot be used" in told


@pytest.mark.parametrize(
    "address", ["/admin/", "/admin/failed_messages/", "/admin/overview/", "/admin/login/"]
)
def test_without_mongodb_the_page_says_so_to_anyone(
    operator: Client, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def down(*_: Any) -> Any:
        raise DatabaseError("no primary") from ServerSelectionTimeoutError("no primary")

    monkeypatch.setattr("django.contrib.auth.middleware.auth.get_user", down)
    began = time.monotonic()

    told = page(operator, address)

    assert time.monotonic() - began < 3
    assert "MongoDB cannot be used" in told
    assert "Broken" in told


def test_members_without_a_primary_are_not_called_silent(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any) -> Any:
        raise DatabaseError("no primary") from ServerSelectionTimeoutError("no primary")

    monkeypatch.setattr("django.contrib.auth.middleware.auth.get_user", down)
    monkeypatch.setattr(health, "lacks_primary", lambda: True)

    assert page(operator).count(f"MongoDB cannot be used: {health.NO_PRIMARY}") == 1


def test_a_slow_mongodb_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kept snapshot is asked for within a second, whatever MongoDB's own time-outs are."""
    limits: list[float] = []

    def find() -> Any:
        limits.append(pymongo._csot.remaining() or 60.0)  # type: ignore[attr-defined]
        raise ServerSelectionTimeoutError("no primary")

    monkeypatch.setattr(stored_snapshot, "kept", find)

    assert stored_snapshot.current().doctor is None
    assert limits[0] <= stored_snapshot.ANSWER_SECONDS


def test_charts_that_could_not_be_read_are_not_left_out_in_silence(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object) -> None:
        raise PyMongoError("too slow")

    monkeypatch.setattr(measuring, "of", silent)

    assert "The charts cannot be read now" in operator.get("/admin/").content.decode()
