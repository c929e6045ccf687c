"""A database that is older than the broker, and a broker that is older than the database."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from bson import ObjectId
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from billing.invoicing import invoices
from billing.tasks import credit_cancelled, credit_rejected, issue_invoice
from failed_messages.models import AuditEntry
from failed_messages.records.collection import failed_messages
from inventory.recounting import recount
from inventory.reserving import reservations
from inventory.shipping import ship
from inventory.tasks import release_stock, reserve_stock
from messaging.certificate import Reason
from messaging.errors import PermanentError
from messaging.publishing.publisher import Publisher
from messaging.service import events, services
from messaging.trust.contents import problems
from orders import cancelling, placing
from orders.collection import orders
from orders.outbox import store
from orders.outbox.relay import publish_batch
from orders.tasks import note
from ordersite.restoring import findings
from runtime.os_user import os_user
from tests import broker
from tests.failed_messages.letters import failed
from tests.failed_messages.stored_orders import PEN
from tests.inventory.catalogue import stock, stocked

COLLECTIONS = ("orders", "reservations", "invoices", "invoice_counters", "products",
               "stock_movements", "failed_messages")  # fmt: skip
HANDLERS = {
    "inventory": {"order.placed": reserve_stock, "order.cancelled": release_stock},
    "billing": {
        "order.placed": issue_invoice,
        "order.cancelled": credit_cancelled,
        "order.rejected": credit_rejected,
    },
}
Copy = dict[str, list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def shop(clean: None, monkeypatch: pytest.MonkeyPatch) -> None:
    stocked(pen=100)
    monkeypatch.setattr(findings, "SETTLED_AFTER", timedelta(0))


def place(units: int = 1, user_id: int = 101) -> str:
    order = placing.compose(user_id, {"pen": units}, {"pen": PEN})
    placing.store(order)
    return str(order["_id"])


def relay() -> None:
    with Publisher(settings.AMQP_URL) as publisher:
        while publish_batch(publisher):
            pass


def work(*services: str) -> None:
    """What the relay and the services' workers do until nothing waits."""
    relay()
    for service in services or ("inventory", "billing"):
        for message in broker.take_all(service):
            handle = HANDLERS[service].get(message.properties["type"])
            for event in handle(json.loads(message.body)) if handle else ():
                hear(event)
    if orders().find_one(store.IS_PENDING):
        work(*services)


def hear(event: Any) -> None:
    """What the worker of orders does."""
    service, _, state = event.type.partition(".")
    try:
        tell(service, state, json.loads(event.body))
    except PermanentError as error:
        bury(event, str(error))


def tell(service: str, state: str, body: dict[str, Any]) -> None:
    note(services()[service], events()[f"{service}.{state}"], body)


def bury(event: Any, why: str, reason: Reason = Reason.PERMANENT_ERROR) -> None:
    body = json.loads(event.body)
    stored = failed()
    failed_messages().update_one(
        {"_id": stored.pk},
        {
            "$set": {
                "service": "orders",
                "type": event.type,
                "message_id": event.message_id,
                "order_id": body["orderId"],
                "user_id": str(body["userId"]),
                "body": event.body,
                "message": why[:500],
                "reason": reason,
            }
        },
    )


def backup() -> Copy:
    return {name: deepcopy(list(connection.database[name].find())) for name in COLLECTIONS}


def restore(copy: Copy) -> None:
    for name, documents in copy.items():
        connection.database[name].delete_many({})
        if documents:
            connection.database[name].insert_many(documents)


def reconcile(*arguments: str) -> tuple[int, str]:
    """The command's exit code and what it says."""
    said = StringIO()
    try:
        call_command("reconcile_restore", *arguments, stdout=said)
    except SystemExit as error:
        return int(str(error.code)), said.getvalue()
    return 0, said.getvalue()


def status(order_id: str) -> str:
    order = orders().find_one(ObjectId(order_id))
    return order["status"] if order else "gone"


def state(order_id: str) -> tuple[str | None, str | None]:
    """Of its reservation and of its invoice."""
    found = (c().find_one({"_id": order_id}) for c in (reservations, invoices))
    reserved, invoiced = found
    return reserved and reserved["state"], invoiced and invoiced["state"]


def number(order_id: str) -> str:
    invoice = invoices().find_one({"_id": order_id})
    assert invoice
    return str(invoice["number"])


def is_whole(order_id: str) -> bool:
    return status(order_id) == "confirmed" and state(order_id) == ("reserved", "issued")


def numbers() -> list[str]:
    return sorted(each["number"] for each in invoices().find({"number": {"$ne": None}}))


def agree() -> None:
    """Nothing is left to settle, the stock adds up, and the numbers have neither gap nor double."""
    assert reconcile() == (0, "MongoDB and RabbitMQ agree: there is nothing to do.\n")
    assert recount().differences == []
    given = numbers()
    assert given == [f"{given[0][:4]}-{n:06d}" for n in range(1, len(given) + 1)] if given else True


def test_what_agrees_is_left_alone() -> None:
    done, cancelled, waiting = place(), place(), place()
    cancelling.cancel(ObjectId(cancelled), None)
    work()
    rejected = place(units=1_000)
    work()

    agree()
    assert [status(each) for each in (done, cancelled, rejected, waiting)] == [
        *("confirmed", "cancelled", "rejected", "confirmed")
    ]
    assert AuditEntry.objects.count() == 0


def test_orders_whose_messages_wait_are_put_back_out_of_their_invoices() -> None:
    before = place()
    work()
    copy = backup()
    after = [place(units=2, user_id=7), place(user_id=8)]
    relay()
    restore(copy)
    work()
    assert [status(each) for each in after] == ["gone", "gone"]

    code, plan = reconcile()
    assert (code, [status(each) for each in after]) == (1, ["gone", "gone"])
    assert "To settle: 2 lost order(s) with an invoice" in plan
    assert after[0] in plan
    reconcile("--apply", "--by", "anna")
    work()

    assert all(map(is_whole, [before, *after]))
    order = orders().find_one(ObjectId(after[0]))
    assert order
    assert (order["user_id"], str(order["total"]), order["items"][0]["quantity"]) == (7, "25.00", 2)
    entries = AuditEntry.objects.filter(act="put back")
    assert {(each.by, each.subject_id) for each in entries} == {
        (f"{os_user()} for anna", each) for each in after
    }
    agree()


def test_an_order_that_was_cancelled_after_the_backup_is_put_back_as_cancelled() -> None:
    copy = backup()
    order_id = place()
    cancelling.cancel(ObjectId(order_id), "Ordered twice")
    relay()
    restore(copy)
    # The cancellation came last, as it was published.
    work()
    if state(order_id)[1] == "void":
        # Nothing is owed and nothing was ever issued.
        assert reconcile("--apply")[0] == 0
        return

    reconcile("--apply")
    work()

    assert status(order_id) == "cancelled"
    assert stock("pen") == (100, 0)
    agree()


def test_an_order_that_is_in_the_backup_and_was_cancelled_later_is_cancelled_again() -> None:
    order_id = place()
    work()
    copy = backup()
    cancelling.cancel(ObjectId(order_id), "Ordered twice")
    relay()
    restore(copy)
    work()
    assert status(order_id) != "cancelled"

    reconcile("--apply")
    work()

    assert (status(order_id), state(order_id)) == ("cancelled", ("released", "credited"))
    assert stock("pen") == (100, 0)
    agree()


def test_work_that_was_done_after_the_backup_is_done_again() -> None:
    order_id = place()
    relay()
    copy = backup()
    work()
    restore(copy)
    assert state(order_id) == (None, None)

    code, plan = reconcile()
    assert (code, plan.count(f"{order_id} order.placed to")) == (1, 2)
    reconcile("--apply")
    work()

    assert is_whole(order_id)
    agree()


def test_an_invoice_that_is_gone_is_issued_again_with_its_number() -> None:
    other = place()
    relay()
    copy = backup()
    work()
    order_id = place()
    # Both are invoiced, and only one of the invoices is in the backup.
    relay()
    in_backup = copy | {"orders": [*copy["orders"], orders().find_one(ObjectId(order_id))]}
    for message in broker.take_all("billing"):
        [told] = issue_invoice(json.loads(message.body))
    issued = number(order_id)
    restore(in_backup)
    hear(told)
    work()

    assert issued == "2026-000002" or issued.endswith("-000002")
    reconcile("--apply")
    work()
    reconcile("--apply")
    work()

    assert number(order_id) == issued
    assert number(other) != issued
    assert is_whole(order_id)


def test_numbers_that_somebody_has_are_nobody_elses_and_leave_no_gap() -> None:
    work_of = [place(), place()]
    work()
    year = number(work_of[0])[:4]
    last = f"{year}-000005"

    code, plan = reconcile("--last-invoice", last)
    assert (code, last in plan) == (1, True)
    assert reconcile("--last-invoice", last, "--apply")[0] == 0
    assert reconcile("--last-invoice", last, "--apply")[0] == 0
    following = place()
    work()

    assert number(following) == f"{year}-000006"
    lost = invoices().find({"state": "lost"}).distinct("number")
    assert lost == [f"{year}-{n:06d}" for n in (3, 4, 5)]
    agree()


@pytest.mark.parametrize("wrong", ["7", "C2026-000001", "2026-1", "", "x"])
def test_a_number_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(CommandError, match="not a number of an invoice"):
        call_command("reconcile_restore", "--last-invoice", wrong)


def test_thousands_of_numbers_are_withheld() -> None:
    assert reconcile("--last-invoice", "2026-005001", "--apply")[0] == 0
    assert len(numbers()) == 5_001
    agree()


def test_a_number_that_is_far_too_high_is_refused() -> None:
    with pytest.raises(CommandError, match="the most that are withheld at once"):
        call_command("reconcile_restore", "--last-invoice", "2026-999999999", "--apply")
    assert numbers() == []


def test_a_broker_that_lost_its_messages_gets_them_again() -> None:
    lost_before, lost_after = place(), place()
    relay()
    for queue in ("inventory", "billing"):
        broker.take_all(queue)
    cancelled, rejected = place(), place(units=1_000)
    work()
    cancelling.cancel(ObjectId(cancelled), None)
    relay()
    for queue in ("inventory", "billing"):
        broker.take_all(queue)

    assert reconcile("--apply")[0] == 0
    work()

    assert is_whole(lost_before)
    assert is_whole(lost_after)
    assert (status(cancelled), state(cancelled)) == ("cancelled", ("released", "credited"))
    assert status(rejected) == "rejected"
    agree()


def test_an_order_that_cannot_be_read_is_named_and_the_others_are_settled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    without_status, without_ledger, lost = place(), place(), place()
    relay()
    for queue in ("inventory", "billing"):
        broker.take_all(queue)
    orders().update_one({"_id": ObjectId(without_status)}, {"$unset": {"status": ""}})
    orders().update_one({"_id": ObjectId(without_ledger)}, {"$set": {"ledger": "none"}})

    assert reconcile("--apply")[0] == 0
    for service in ("inventory", "billing"):
        told = [each.properties["correlation_id"] for each in broker.take_all(service)]
        assert told == [lost]

    for broken in (without_status, without_ledger):
        assert f"Order {broken} is not compared" in caplog.text


def test_what_was_shipped_after_the_backup_is_noted_as_shipped() -> None:
    order_id = place()
    work()
    copy = backup()
    ship(order_id, by="warehouse")
    restore(copy)
    tell("inventory", "shipped", {"orderId": order_id})

    reconcile("--apply")

    assert state(order_id)[0] == "shipped"
    agree()


def test_a_rejection_after_the_backup_stands_though_there_is_stock_again() -> None:
    order_id = place(units=60)
    relay()
    copy = backup()
    for message in broker.take_all("inventory"):
        reserve_stock(json.loads(message.body))
    restore(copy)
    tell("inventory", "rejected", {"orderId": order_id, "reason": "Out of stock"})
    work("billing")

    reconcile("--apply")
    work()
    reconcile("--apply")
    work()

    assert (status(order_id), state(order_id)[0]) == ("rejected", "rejected")
    assert stock("pen") == (100, 0)


def test_stock_of_an_order_that_nothing_else_tells_of_is_released_once() -> None:
    copy = backup()
    order_id = place(units=5)
    relay()
    restore(copy)
    work("inventory")
    assert stock("pen") == (95, 5)

    code, said = reconcile("--apply")
    assert (code, "billing has messages waiting" in said) == (1, True)
    assert stock("pen") == (95, 5)
    broker.take_all("billing")
    assert reconcile("--apply")[0] == 0
    assert reconcile("--apply")[0] == 0

    assert stock("pen") == (100, 0)
    assert state(order_id) == ("released", None)
    assert recount().differences == []


def test_a_cancelled_order_that_is_gone_keeps_no_stock() -> None:
    order_id = str(ObjectId())
    order = {"orderId": order_id, "userId": 5, "items": [{"sku": "pen", "quantity": 3}]}
    reserve_stock(order)
    credit_cancelled({"orderId": order_id, "userId": 5})
    assert (stock("pen"), state(order_id)) == ((97, 3), ("reserved", "void"))

    assert reconcile("--apply")[0] == 0

    assert (stock("pen"), state(order_id)) == ((100, 0), ("released", "void"))


def test_an_order_that_only_a_message_tells_of_is_named_with_its_invoice() -> None:
    copy = backup()
    order_id = place(user_id=777)
    relay()
    [message] = broker.take_all("billing")
    [told] = issue_invoice(json.loads(message.body))
    issued = number(order_id)
    broker.take_all("inventory")
    restore(copy)
    hear(told)

    code, plan = reconcile()

    assert code == 1
    assert f"{order_id} of user 777, invoice {issued}" in plan
    reconcile("--apply")
    assert invoices().find_one({"number": issued})["state"] == "lost"
    following = place()
    work()
    assert number(following) != issued


def test_what_external_publishers_ordered_is_left_alone() -> None:
    order = {"orderId": "theirs-7", "userId": 5, "items": [{"sku": "pen", "quantity": 1}]}
    reserve_stock(order)
    priced = [{"sku": "pen", "quantity": 1, "unitPrice": "12.50"}]
    issue_invoice(order | {"items": priced})

    code, said = reconcile("--apply")

    assert (code, state("theirs-7")) == (0, ("reserved", "issued"))
    assert "theirs-7" in said


def test_what_an_operator_holds_is_not_sent_again() -> None:
    order_id = place()
    relay()
    broker.take_all("billing")
    failed_messages().update_one(
        {"_id": failed().pk},
        {"$set": {"service": "billing", "type": "order.placed", "order_id": order_id}},
    )
    broker.take_all("inventory")

    _, plan = reconcile()

    assert "order.placed to inventory" in plan
    assert "order.placed to billing" not in plan


def test_answers_that_found_no_order_are_replayed_once_there_is_one() -> None:
    copy = backup()
    order_id = place()
    relay()
    restore(copy)
    work()
    assert failed_messages().count_documents({"order_id": order_id, "status": "failed"}) == 2

    reconcile("--apply", "--json")

    assert failed_messages().count_documents({"order_id": order_id, "status": "replaying"}) == 2
    assert {m.properties["type"] for m in broker.take_all("orders")} == {
        *("inventory.reserved", "billing.invoiced")
    }


def test_answers_whose_record_is_lost_are_true_again_when_it_is_there_again() -> None:
    """As it is where services share a user of RabbitMQ: what they stored is their proof."""
    order_id = place()
    relay()
    copy = backup()
    told = [
        event
        for service, handle in (("inventory", reserve_stock), ("billing", issue_invoice))
        for message in broker.take_all(service)
        for event in handle(json.loads(message.body))
    ]
    issued = number(order_id)
    restore(copy)
    for event in told:
        [problem] = problems(event.type, [json.loads(event.body)], ["shared"]).values()
        bury(event, str(problem), Reason.CONTRADICTS_RECORD)

    reconcile("--apply")
    # Billing's record is there again, and inventory's when it has heard of the order again.
    work()
    reconcile("--apply")

    assert number(order_id) == issued
    assert failed_messages().count_documents({"order_id": order_id, "status": "replaying"}) == 2
    for message in broker.take_all("orders"):
        body = json.loads(message.body)
        assert problems(message.properties["type"], [body], ["shared"]) == {}
    assert state(order_id) == ("reserved", "issued")


def test_an_answer_that_says_otherwise_stays_with_the_operator() -> None:
    order_id = place()
    relay()
    [event] = issue_invoice(json.loads(broker.take_all("billing")[0].body))
    body = json.loads(event.body) | {"total": "0.01"}
    [problem] = problems(event.type, [body], ["shared"]).values()
    bury(event, str(problem), Reason.CONTRADICTS_RECORD)
    work("inventory")

    reconcile("--apply")

    assert failed_messages().count_documents({"order_id": order_id, "status": "failed"}) == 1


def test_a_part_that_is_down_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "AMQP_URL", "amqp://guest:guest@127.0.0.1:1//")
    place()

    with pytest.raises(CommandError, match="a dependency did not answer"):
        call_command("reconcile_restore", "--apply")


@pytest.mark.parametrize("command", [("dumpdata", "orders"), ("loaddata", "x.json")])
def test_djangos_own_dumps_are_refused_with_the_way_that_works(command: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=r"mongodump --oplog.*docs/backup.md"):
        call_command(*command)
