"""What services told after the backup and the restored database does not know: who is believed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bson import ObjectId

from billing.invoicing import invoices
from failed_messages.models import AuditEntry
from failed_messages.records.collection import failed_messages
from inventory import shipping
from inventory.events import shipped
from inventory.reserving import products, reservations
from inventory.tasks import reserve_stock
from messaging.certificate import Reason
from messaging.message import Message
from messaging.trust.contents import found_out
from messaging.trust.publishers import untrusted
from orders import cancelling
from orders.collection import orders
from ordersite.restoring import answers
from tests import broker
from tests.inventory.catalogue import stock
from tests.ordersite.restored_shop import (
    Copy,
    agree,
    backup,
    bury,
    number,
    place,
    reconcile,
    refuse,
    relay,
    restore,
    set_up,
    state,
    status,
    statuses,
    tell,
    told_by,
    work,
)

BELIEVE = "--believe-answers"


@pytest.fixture(autouse=True)
def shop(clean: None, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch)


def waiting_for(service: str) -> list[Message]:
    """What waits in its queue, as `refuse` takes it."""
    relay()
    return [
        Message(each.body, each.properties["type"], each.properties["message_id"])
        for each in broker.take_all(service)
    ]


def answer_all() -> None:
    """The workers of orders, too: what was replayed is handled, and its failed message resolved."""
    work()
    for message in broker.take_all("orders"):
        body = json.loads(message.body)
        type_ = message.properties["type"]
        assert found_out(type_, [body], ["shared"]).wrong == {}
        service, _, told = type_.partition(".")
        tell(service, told, body)
        failed_messages().update_one(
            {"message_id": message.properties["message_id"]}, {"$set": {"status": "resolved"}}
        )


def invoice(order_id: str) -> dict[str, Any]:
    found = invoices().find_one({"_id": order_id})
    assert found
    return found


def test_answers_whose_record_is_lost_are_true_again_when_it_is_there_again() -> None:
    place()  # Another order has the first number.
    work()
    order_id = place()
    relay()
    copy = backup()
    told = told_by("inventory", "billing")
    issued = number(order_id)
    restore(copy)
    records = [refuse(event) for event in told]

    reconcile("--apply", BELIEVE)
    # Billing's record is there again, and inventory's when it has heard of the order again.
    work()
    reconcile("--apply", BELIEVE)

    assert number(order_id) == issued
    assert statuses(*records) == ["replaying", "replaying"]
    answer_all()
    assert state(order_id) == ("reserved", "issued")
    agree()


def test_an_invoice_that_nothing_proves_is_nobodys_until_somebody_says_so() -> None:
    order_id = place()
    relay()
    copy = backup()
    told = told_by("billing")
    issued = number(order_id)
    restore(copy)
    [record] = [refuse(event) for event in told]
    broker.take_all("inventory")

    code, plan = reconcile()
    assert code == 1
    assert "--believe-answers" in plan
    assert f"{record} of orders: billing.invoiced of order {order_id}, invoice {issued}" in plan
    # With another number its customer would have two invoices.
    assert reconcile("--apply")[0] == 1
    work()
    assert state(order_id) == ("reserved", None)

    reconcile("--apply", BELIEVE)
    work()

    assert number(order_id) == issued
    assert statuses(record) == ["replaying"]
    agree()


def test_a_number_up_to_the_last_one_that_is_named_is_the_orders() -> None:
    order_id = place()
    relay()
    copy = backup()
    told = told_by("billing")
    issued = number(order_id)
    restore(copy)
    [record] = [refuse(event) for event in told]

    reconcile("--apply", "--last-invoice", issued)
    work()
    reconcile("--apply")

    assert (number(order_id), state(order_id)) == (issued, ("reserved", "issued"))
    assert statuses(record) == ["replaying"]


def test_a_forged_number_moves_no_series() -> None:
    order_id = place()
    work()
    forged = json.loads(relay_of(order_id)) | {"orderId": order_id, "invoiceNumber": "2026-009999"}
    other = place()
    relay()
    for queue in ("inventory", "billing"):
        broker.take_all(queue)
    event = Message(json.dumps(forged | {"orderId": other}).encode(), "billing.invoiced", "forged")
    refuse(event)

    reconcile("--apply")

    assert invoices().count_documents({"state": "lost"}) == 0
    assert state(other) == (None, None)


def relay_of(order_id: str) -> bytes:
    """A body of billing's answer."""
    found = invoice(order_id)
    body = {"userId": found["user_id"], "total": "12.50", "currency": "EUR"}
    return json.dumps(body).encode()


def test_a_shipment_that_only_a_failed_message_tells_is_recorded_where_it_is_believed() -> None:
    order_id = place(units=2)
    work()
    copy = backup()
    shipping.ship(order_id, by="warehouse")
    told = shipped(reservations().find_one({"_id": order_id}) or {})
    restore(copy)
    record = refuse(told)

    code, plan = reconcile("--apply")
    assert (code, state(order_id)[0]) == (1, "reserved")
    assert f"inventory.shipped of order {order_id}" in plan

    reconcile("--apply", BELIEVE)

    assert (status(order_id), state(order_id)[0]) == ("shipped", "shipped")
    assert stock("pen") == (98, 0)
    assert statuses(record) == ["replaying"]
    answer_all()
    agree()


def test_a_cancellation_that_services_refused_is_redone_with_its_reason() -> None:
    order_id = place()
    work()
    copy = backup()
    cancelling.cancel(ObjectId(order_id), "Ordered twice")
    relay()
    restore(copy)
    records = [
        refuse(event, service)
        for service in ("inventory", "billing")
        for event in waiting_for(service)
    ]
    assert len(records) == 2

    assert reconcile("--apply")[0] == 1
    assert status(order_id) == "confirmed"

    reconcile("--apply", BELIEVE)
    work()

    assert (status(order_id), state(order_id)) == ("cancelled", ("released", "credited"))
    order = orders().find_one({"_id": ObjectId(order_id)})
    assert order
    assert order["cancellation"]["reason"] == "Ordered twice"
    assert statuses(*records) == ["replaying", "replaying"]
    # The services hear it twice, which changes nothing.
    work()
    for queue in ("inventory", "billing"):
        broker.take_all(queue)
    failed_messages().update_many({}, {"$set": {"status": "resolved"}})
    agree()


def test_a_rejection_is_recorded_as_it_was_told() -> None:
    order_id = place(units=60)
    relay()
    copy = backup()
    products().update_one({"sku": "pen"}, {"$set": {"available": 10}})
    told = told_by("inventory")
    broker.take_all("billing")
    restore(copy)
    [record] = [refuse(event) for event in told]

    reconcile("--apply", BELIEVE)
    answer_all()
    reconcile("--apply", BELIEVE)

    reservation = reservations().find_one({"_id": order_id})
    assert reservation
    assert reservation["state"] == "rejected"
    assert reservation["shortages"] == [{"sku": "pen", "asked": 60, "available": 10}]
    assert statuses(record) == ["resolved"]
    assert (status(order_id), stock("pen")) == ("rejected", (100, 0))


def test_an_invoice_that_was_credited_has_both_of_its_numbers_again() -> None:
    order_id = place()
    relay()
    copy = backup()
    told = told_by("inventory", "billing")
    cancelling.cancel(ObjectId(order_id), "Ordered twice")
    told += told_by("inventory", "billing")
    before = invoice(order_id)
    restore(copy)
    records = [refuse(event) for event in told]
    assert len(records) == 4

    reconcile("--apply", BELIEVE)
    work()
    reconcile("--apply", BELIEVE)

    after = invoice(order_id)
    for each in ("number", "credit_note_number", "state"):
        assert after[each] == before[each]
    assert (status(order_id), state(order_id)[0]) == ("cancelled", "released")
    assert statuses(*records) == ["replaying"] * 4
    answer_all()
    agree()


def test_what_a_later_answer_says_otherwise_is_discarded_where_answers_are_believed() -> None:
    place(units=60)
    relay()
    copy = backup()
    placed = broker.take_all("inventory")
    broker.take_all("billing")
    [reserved] = reserve_stock(json.loads(placed[0].body))
    # As where a first restore had it done again, and then the second one.
    restore(copy)
    products().update_one({"sku": "pen"}, {"$set": {"available": 10}})
    [rejected] = reserve_stock(json.loads(placed[0].body))
    restore(copy)
    records = [refuse(event) for event in (reserved, rejected)]

    reconcile("--apply", BELIEVE)

    assert statuses(*records) == ["discarded", "replaying"]
    discarded = failed_messages().find_one({"_id": records[0]})
    assert discarded
    assert "inventory has rejected the order since" in discarded["discard_reason"]


def test_an_answer_that_says_otherwise_stays_with_the_operator() -> None:
    order_id = place()
    [event] = told_by("billing")
    body = json.loads(event.body) | {"total": "0.01"}
    refuse(Message(json.dumps(body).encode(), event.type, event.message_id))
    work("inventory")

    reconcile("--apply", BELIEVE)

    assert failed_messages().count_documents({"order_id": order_id, "status": "failed"}) == 1


def test_what_a_forged_dead_letter_says_has_no_effect_by_itself() -> None:
    order_id = place()
    work()
    body = json.dumps({"orderId": order_id, "userId": 101, "items": []}).encode()
    for type_ in ("inventory.shipped", "inventory.released", "billing.credited", "billing.evil"):
        for why, reason in (
            ("Orders never took order", Reason.PERMANENT_ERROR),
            ("billing recorded no billing.credited of order", Reason.CONTRADICTS_RECORD),
        ):
            bury(Message(body, type_, f"{type_} {why}"), why, reason)

    code, plan = reconcile("--apply")

    assert code == 1
    assert "6 failed message(s) that nothing in the database proves" in plan
    assert (status(order_id), state(order_id)) == ("confirmed", ("reserved", "issued"))


def test_a_lost_order_that_a_failed_message_has_whole_is_put_back_with_its_invoice() -> None:
    copy = backup()
    order_id = place(units=3, user_id=77)
    relay()
    [placed] = waiting_for("inventory")
    told = told_by("billing")
    issued = number(order_id)
    restore(copy)
    why = str(untrusted("shared", "order.placed", " about an order that orders never took"))
    records = [bury(placed, why, Reason.UNTRUSTED_PUBLISHER, "inventory")]
    records += [bury(event, "Orders never took order", service="orders") for event in told]

    code, plan = reconcile("--apply")
    assert (code, status(order_id)) == (1, "gone")
    assert f"order.placed of order {order_id}" in plan

    code, plan = reconcile(BELIEVE)
    assert (code, status(order_id)) == (1, "gone")
    assert f"{order_id}, invoice {issued}" in plan
    reconcile("--apply", BELIEVE)
    work()
    reconcile("--apply", BELIEVE)

    assert (status(order_id), number(order_id)) == ("confirmed", issued)
    order = orders().find_one({"_id": ObjectId(order_id)})
    assert order
    assert (order["user_id"], str(order["total"]), order["items"][0]["quantity"]) == (
        *(77, "37.50"),
        3,
    )
    assert statuses(*records) == ["replaying", "replaying"]
    answer_all()
    broker.take_all("inventory")
    failed_messages().update_many({}, {"$set": {"status": "resolved"}})
    agree()


def test_a_lost_order_whose_invoice_was_credited_has_both_of_its_numbers_again() -> None:
    copy = backup()
    order_id = place()
    told = told_by("inventory", "billing")
    cancelling.cancel(ObjectId(order_id), "Ordered twice")
    relay()
    [cancelled] = waiting_for("inventory")
    told += told_by("billing")
    before = invoice(order_id)
    restore(copy)
    why = str(untrusted("shared", "order.cancelled", " about an order that orders never took"))
    bury(cancelled, why, Reason.UNTRUSTED_PUBLISHER, "inventory")
    for event in told:
        bury(event, "Orders never took order", service="orders")

    plan = reconcile(BELIEVE)[1]
    assert f"{order_id}, invoice {before['number']} {before['credit_note_number']}" in plan
    reconcile("--apply", BELIEVE)
    work()

    after = invoice(order_id)
    for each in ("number", "credit_note_number", "credit_reason", "state"):
        assert after[each] == before[each]
    assert invoices().count_documents({"state": "lost"}) == 0
    assert status(order_id) == "cancelled"


def test_a_lost_order_that_a_service_failed_for_keeps_its_stock() -> None:
    copy = backup()
    order_id = place(units=5)
    relay()
    [placed] = waiting_for("billing")
    restore(copy)
    work("inventory")
    bury(placed, "card service timed out", Reason.ATTEMPTS_USED_UP, "billing")

    assert reconcile("--apply")[0] == 1
    assert stock("pen") == (95, 5)
    reconcile("--apply", BELIEVE)
    work()

    assert (status(order_id), state(order_id)) == ("confirmed", ("reserved", "issued"))
    assert stock("pen") == (95, 5)


def test_failed_messages_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read, reads = answers.read, []

    def counted() -> answers.Answers:
        reads.append(1)
        return read()

    monkeypatch.setattr(answers, "read", counted)
    copy = backup()
    place()
    relay()
    restore(copy)
    work()

    reconcile("--apply")

    assert len(reads) == 1


def go_on(copy: Copy, *last: str) -> None:
    """Restore the copy, name the last numbers, and let the restored outbox and workers work."""
    restore(copy)
    reconcile("--apply", *last)
    work()


def invoiced_anew() -> tuple[str, Message, str]:
    """An order whose event the restored outbox has published again: its id, what billing told
    before, and the number that it told.
    """
    order_id = place()
    copy = backup()  # Its event is in the outbox.
    [told] = told_by("billing")
    lost = number(order_id)
    go_on(copy, "--last-invoice", lost)
    assert number(order_id) != lost
    return order_id, told, lost


def reason_of(record: ObjectId) -> str:
    """Why the failed message was discarded."""
    found = failed_messages().find_one({"_id": record})
    assert found
    return str(found["discard_reason"])


@pytest.mark.parametrize("believe", [(), (BELIEVE,)])
@pytest.mark.parametrize("service", ["orders", "a later one"])
def test_an_answer_whose_number_is_lost_is_discarded_where_its_order_has_another_one(
    believe: tuple[str, ...], service: str
) -> None:
    order_id, told, lost = invoiced_anew()
    record = refuse(told, service)

    code, plan = reconcile(*believe)
    assert (code, statuses(record)) == (1, ["failed"])
    assert f"    {record} of {service}: billing.invoiced of order {order_id}: number {lost}" in plan
    assert reconcile("--apply", "--by", "anna", *believe)[0] == 0

    assert statuses(record) == ["discarded"]
    assert reason_of(record).endswith(
        f": number {lost} was lost with the restore; the order's invoice is {number(order_id)}"
    )
    assert AuditEntry.objects.filter(act="discard", subject_id=str(record)).count() == 1
    assert (status(order_id), state(order_id)) == ("confirmed", ("reserved", "issued"))
    agree()


def test_an_answer_whose_credit_note_is_lost_is_discarded_too() -> None:
    order_id = place()
    copy = backup()
    told = told_by("billing")
    cancelling.cancel(ObjectId(order_id), "Ordered twice")
    told += told_by("billing")
    before = invoice(order_id)
    lost = (before["number"], before["credit_note_number"])
    broker.take_all("inventory")
    last = ("--last-invoice", lost[0], "--last-credit-note", lost[1])
    go_on(copy, *last)
    cancelling.cancel(ObjectId(order_id), "Ordered twice")
    work()
    records = [refuse(event) for event in told]
    after = invoice(order_id)

    assert reconcile("--apply")[0] == 0

    assert statuses(*records) == ["discarded", "discarded"]
    assert reason_of(records[1]).endswith(
        f": number {lost[0]} was lost with the restore; the order's invoice is {after['number']}; "
        f"number {lost[1]} was lost with the restore; the order's credit note is "
        f"{after['credit_note_number']}"
    )
    agree()


def test_an_answer_that_found_no_record_is_discarded_where_the_order_has_another_number() -> None:
    order_id = place()
    copy = backup()
    [told] = told_by("billing")
    lost = number(order_id)
    restore(copy)
    record = refuse(told)
    go_on(backup(), "--last-invoice", lost)
    assert number(order_id) != lost

    assert reconcile()[0] == 1
    assert reconcile("--apply")[0] == 0

    assert f"number {lost} was lost with the restore" in reason_of(record)
    agree()


@pytest.mark.parametrize(
    "otherwise",
    [{"invoiceNumber": "2020-000007"}, {"total": "0.01"}, {"userId": 7}, {"invoiceNumber": [1]}],
)
def test_an_answer_that_says_something_else_than_a_lost_number_stays_with_the_operator(
    otherwise: dict[str, Any],
) -> None:
    _, told, _ = invoiced_anew()
    body = json.dumps(json.loads(told.body) | otherwise).encode()
    record = refuse(Message(body, told.type, told.message_id))

    reconcile("--apply", BELIEVE)

    assert statuses(record) == ["failed"]


def test_a_failed_message_that_would_be_replayed_is_told_before() -> None:
    order_id = place()
    work()
    copy = backup()
    cancelling.cancel(ObjectId(order_id), "Ordered twice")
    relay()
    broker.take_all("billing")
    restore(copy)
    [cancelled] = waiting_for("inventory")
    record = refuse(cancelled, "inventory")
    # Somebody was faster than the command.
    cancelling.cancel(ObjectId(order_id), "Ordered twice")
    work()

    code, plan = reconcile()

    assert (code, statuses(record)) == (1, ["failed"])
    assert f"    {record} of inventory: order.cancelled of order {order_id}" in plan
    assert reconcile("--apply")[0] == 0
    assert statuses(record) == ["replaying"]


def test_a_failed_message_that_would_be_discarded_is_told_before() -> None:
    order_id = place(units=60)
    copy = backup()
    [event] = told_by("inventory")
    broker.take_all("billing")
    restore(copy)
    record = refuse(event)
    products().update_one({"sku": "pen"}, {"$set": {"available": 10}})
    work()
    assert status(order_id) == "rejected"
    products().update_one({"sku": "pen"}, {"$set": {"available": 100}})

    code, plan = reconcile(BELIEVE)

    assert (code, statuses(record)) == (1, ["failed"])
    assert f"    {record} of orders: inventory.reserved of order {order_id}" in plan
    assert reconcile(BELIEVE, "--apply")[0] == 0
    assert statuses(record) == ["discarded"]
    agree()
