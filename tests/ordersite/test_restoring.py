"""A database that is older than the broker, and a broker that is older than the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from bson import ObjectId
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from billing.invoicing import invoices, issue
from billing.order_in_message import read_placed
from billing.tasks import credit_cancelled, issue_invoice
from failed_messages.acting.replay import replay
from failed_messages.models import AuditEntry
from failed_messages.records.collection import failed_messages
from inventory import shipping
from inventory.recounting import recount
from inventory.reserving import reservations
from inventory.restocking import deliver
from inventory.tasks import reserve_stock
from orders import cancelling
from orders.collection import orders
from ordersite.broker import management_api
from runtime.mongodb_clock import mongodb_now
from runtime.os_user import os_user
from tests import broker
from tests.billing.orders import placed
from tests.concurrency import at_once
from tests.failed_messages.letters import failed
from tests.inventory.catalogue import stock
from tests.ordersite.restored_shop import (
    COLLECTIONS,
    agree,
    backup,
    hear,
    is_whole,
    number,
    numbers,
    place,
    reconcile,
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

YEAR = datetime.now(UTC).year


@pytest.fixture(autouse=True)
def shop(clean: None, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch)


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


def test_events_that_the_restored_outbox_publishes_twice_have_one_effect() -> None:
    order_id = place()
    copy = backup()
    relay()
    restore(copy)

    relay()
    work()

    assert (is_whole(order_id), numbers()) == (True, [number(order_id)])
    assert stock("pen") == (99, 1)
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


def invoiced_in_january() -> tuple[str, str, datetime]:
    """An order, noted as invoiced at that time, and its number; the invoice is lost."""
    order_id = place()
    work()
    issued, january = number(order_id), datetime(2026, 1, 31, 12, tzinfo=UTC)
    lost = invoices().find_one_and_delete({"_id": order_id})
    connection.database["invoice_counters"].delete_many({})
    assert lost
    noted = {"ledger.billing.at": january, "steps.$[each].at": january}
    of_billing = [{"each.service": "billing"}]
    orders().update_one({"_id": ObjectId(order_id)}, {"$set": noted}, array_filters=of_billing)
    return order_id, issued, january


def test_an_invoice_that_is_issued_again_has_its_own_date() -> None:
    order_id, issued, january = invoiced_in_january()

    assert reconcile("--apply")[0] == 0

    invoice = invoices().find_one({"_id": order_id})
    assert invoice
    assert (invoice["number"], invoice["created_at"]) == (issued, january)


def test_an_invoice_whose_tax_rate_may_have_been_another_is_named(settings: Any) -> None:
    place()
    work()
    order_id, issued, _ = invoiced_in_january()
    settings.TAX_RATE_PERCENT = Decimal("7.00")

    code, said = reconcile("--apply")

    assert code == 1
    assert f"order {order_id}: invoice {issued} has today's tax rate" in said


def test_an_order_with_another_programs_id_is_named_and_the_others_are_settled() -> None:
    lost = place()
    relay()
    stored = orders().find_one({"_id": ObjectId(lost)})
    orders().insert_one({**stored, "_id": "legacy-17"})
    for queue in ("inventory", "billing"):
        broker.take_all(queue)

    code, said = reconcile("--apply")

    assert code == 1
    assert "order legacy-17: its order.placed to billing cannot be made" in said
    for service in ("inventory", "billing"):
        told = [each.properties["correlation_id"] for each in broker.take_all(service)]
        assert told == [lost]


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


def test_numbers_are_withheld_while_invoices_are_issued() -> None:
    def issue_some(begin: int) -> None:
        for n in range(begin, begin + 10):
            issue(read_placed(placed(f"order-{n}")))

    def withhold() -> None:
        assert reconcile("--last-invoice", f"{YEAR}-000040", "--apply", "--json")[0] == 0

    at_once([partial(issue_some, 0), withhold, partial(issue_some, 100), withhold])

    assert numbers() == [f"{YEAR}-{n:06d}" for n in range(1, len(numbers()) + 1)]
    assert invoices().count_documents({"state": "issued"}) == 20
    assert len(numbers()) >= 40


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


def test_records_of_another_program_are_left_as_they_are() -> None:
    """Their ids are not text, and one is a document."""
    order_id = place()
    relay()
    for queue in ("inventory", "billing"):
        broker.take_all(queue)
    invoices().insert_many([{"_id": 7}, {"_id": {"year": 2026}, "items": ["pen"]}])
    reservations().insert_one({"_id": 7, "state": "reserved", "created_at": mongodb_now()})

    code, said = reconcile("--apply")

    assert (code, "{'year': 2026}" in said) == (0, True)
    assert f"{order_id} order.placed to billing" in said


def test_an_order_that_awaits_nothing_does_not_wait_when_it_is_sent_again() -> None:
    order_id = place()
    work()
    noted = {"$set": {"ledger.inventory.state": "pending"}}
    orders().update_one({"_id": ObjectId(order_id)}, noted)

    assert reconcile("--apply")[0] == 0

    order = orders().find_one({"_id": ObjectId(order_id)})
    assert order
    assert len(broker.take_all("inventory")) == 1
    assert "awaited_since" not in order


def test_what_was_shipped_after_the_backup_is_noted_as_shipped() -> None:
    order_id = place()
    work()
    copy = backup()
    shipping.ship(order_id, by="warehouse")
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


def test_a_part_that_is_down_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "AMQP_URL", "amqp://guest:guest@127.0.0.1:1//")
    place()

    with pytest.raises(CommandError, match="a dependency did not answer"):
        call_command("reconcile_restore", "--apply")


@pytest.mark.parametrize("command", [("dumpdata", "orders"), ("loaddata", "x.json")])
def test_djangos_own_dumps_are_refused_with_the_way_that_works(command: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=r"mongodump --oplog.*docs/backup.md"):
        call_command(*command)


def snapshot() -> dict[str, list[dict[str, Any]]]:
    return {
        name: sorted(connection.database[name].find(), key=lambda each: str(each["_id"]))
        for name in (*COLLECTIONS, "failed_messages_audit", "replay_jobs")
    }


def mixed_up() -> dict[str, str]:
    """One order of nearly each kind, by what happened to it."""
    cancelled, in_part = place(), place()
    work()
    open_ = place()
    relay()
    copy = backup()
    cancelling.cancel(ObjectId(cancelled), "Ordered twice")
    lost = place(user_id=9)
    shipping.ship(in_part, by="warehouse")
    relay()
    restore(copy)
    tell("inventory", "shipped", {"orderId": in_part})
    work()
    return {"cancelled": cancelled, "shipped": in_part, "open": open_, "lost": lost}


def test_without_apply_nothing_is_changed_and_each_kind_says_why_and_what_is_next() -> None:
    ids = mixed_up()
    before = snapshot()

    code, plan = reconcile("--last-invoice", "2026-000050", "--last-credit-note", "C2026-000007")

    assert (code, snapshot()) == (1, before)
    for order_id in (ids["cancelled"], ids["shipped"], ids["lost"]):
        assert f"    {order_id}" in plan
    assert (
        "To settle: 1 order(s) that were cancelled after the backup\n  A service was told" in plan
    )
    assert "2026-000050" in plan
    assert "C2026-000007" in plan


def test_what_is_settled_is_settled_once() -> None:
    ids = mixed_up()
    reconcile("--apply")
    work()
    reconcile("--apply")
    work()
    agree()
    before = snapshot()

    assert reconcile("--apply") == (0, "MongoDB and RabbitMQ agree: there is nothing to do.\n")

    assert snapshot() == before
    assert status(ids["cancelled"]) == "cancelled"
    assert state(ids["shipped"])[0] == "shipped"
    assert is_whole(ids["open"])
    assert is_whole(ids["lost"])


def test_a_backup_that_is_restored_twice_gives_no_number_twice() -> None:
    place()
    work()
    copy = backup()
    first = [place(), place()]
    work()
    given = {number(each) for each in first}
    restore(copy)
    reconcile("--apply", "--last-invoice", max(given))
    second = place()
    work()
    given.add(number(second))
    restore(copy)

    reconcile("--apply", "--last-invoice", max(given))
    third = place()
    work()

    assert number(third) not in given
    agree()


def test_numbers_of_credit_notes_are_not_issued_again_either() -> None:
    order_id = place()
    work()
    cancelling.cancel(ObjectId(order_id), None)
    reconcile("--last-credit-note", f"C{YEAR}-000003", "--apply")
    reconcile("--last-credit-note", f"C{YEAR}-000003", "--apply")
    work()

    credited = invoices().find_one({"_id": order_id})
    assert credited
    assert credited["credit_note_number"] == f"C{YEAR}-000004"
    lost = invoices().find({"state": "lost"}).distinct("credit_note_number")
    assert lost == [f"C{YEAR}-{n:06d}" for n in (1, 2, 3)]


def test_the_last_numbers_of_several_years_may_be_named() -> None:
    assert reconcile("--last-invoice", "2025-000002", "2026-000001", "--apply")[0] == 0
    lost = invoices().find({"state": "lost"}).distinct("number")
    assert lost == ["2025-000001", "2025-000002", "2026-000001"]


@pytest.mark.parametrize("wrong", ["2026-000001", "C2026-1", "x"])
def test_a_credit_note_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(CommandError, match="not a number of a credit note"):
        call_command("reconcile_restore", "--last-credit-note", wrong)


def test_a_series_that_was_copied_before_its_invoices_is_moved_on() -> None:
    """As `mongodump` without `--oplog` may do it: each collection at a moment of its own."""
    issued = [place(), place(), place()]
    work()
    year = number(issued[0])[:4]
    connection.database["invoice_counters"].update_one({"_id": year}, {"$set": {"last": 1}})

    assert reconcile("--apply")[0] == 0
    following = place()
    work()

    assert number(following) == f"{year}-000004"
    assert invoices().count_documents({"state": "lost"}) == 0
    agree()


def test_what_was_shipped_is_recorded_though_billing_failed_for_it() -> None:
    order_id = place()
    work()
    copy = backup()
    shipping.ship(order_id, by="warehouse")
    restore(copy)
    tell("inventory", "shipped", {"orderId": order_id})
    orders().update_one(
        {"_id": ObjectId(order_id)}, {"$set": {"awaited": ["billing order.placed"]}}
    )
    failed_messages().update_one({"_id": failed().pk}, {"$set": {"order_id": order_id}})

    reconcile("--apply")

    assert state(order_id)[0] == "shipped"


def test_what_was_shipped_and_is_not_in_stock_is_recorded_when_it_is() -> None:
    """What came in after the backup, and left again, is not in the restored stock."""
    order_id = place(units=130)
    relay()
    copy = backup()
    deliver("pen", 50, key="came in", by="warehouse")
    work()
    shipping.ship(order_id, by="warehouse")
    restore(copy)
    tell("inventory", "shipped", {"orderId": order_id})
    reconcile("--apply")
    work()
    assert state(order_id)[0] == "rejected"

    code, said = reconcile("--apply")
    assert (code, "it was shipped, and the stock lacks 130 x pen: restock" in said) == (1, True)
    deliver("pen", 50, key="came in", by="warehouse")
    assert reconcile("--apply")[0] == 0
    assert reconcile("--apply")[0] == 0

    assert (state(order_id)[0], stock("pen")) == ("shipped", (20, 0))
    agree()


def test_one_that_cannot_be_settled_is_named_and_the_others_are_settled() -> None:
    stuck, other = place(units=2), place()
    work()
    copy = backup()
    for each in (stuck, other):
        shipping.ship(each, by="warehouse")
    restore(copy)
    for each in (stuck, other):
        tell("inventory", "shipped", {"orderId": each})
    # Its units are not where its reservation says.
    reservations().update_one({"_id": stuck}, {"$set": {"items.0.quantity": 50}})

    code, said = reconcile("--apply")

    assert (code, state(stuck)[0], state(other)[0]) == (1, "reserved", "shipped")
    assert f"Left: order {stuck}: The stock of order {stuck} is not where" in said


def test_a_replay_that_was_lost_is_made_again() -> None:
    """The backup was taken while it was on its way, or the broker was lost with it."""
    order_id = place()
    relay()
    [placed] = broker.take_all("billing")
    record = failed(body=placed.body, message_id=f"order.placed:{order_id}")
    failed_messages().update_one({"_id": record.pk}, {"$set": {"order_id": order_id}})
    replay([record.pk], by="anna")
    # A bulk replay waits for how it ends.
    failed_messages().update_one({"_id": record.pk}, {"$set": {"job_state": "sent"}})
    [waits] = broker.take_all("billing")
    code, plan = reconcile()
    assert (code, f"{record.pk} order.placed of order {order_id}" in plan) == (1, True)

    reconcile("--apply", "--by", "anna")

    [sent] = broker.take_all("billing")
    assert (sent.body, statuses(record.pk)) == (waits.body, ["replaying"])
    acts = AuditEntry.objects.filter(subject_id=str(record.pk)).values_list("act", flat=True)
    assert sorted(acts) == ["replay", "replay", "replay lost"]
    assert failed_messages().distinct("job_state") == ["sent"]


def test_a_replay_that_waits_is_not_made_again() -> None:
    record = failed()
    replay([record.pk], by="anna")

    assert reconcile("--apply")[0] == 0

    assert len(broker.take_all("billing")) == 1


def test_a_failed_message_of_before_does_not_keep_a_later_invoice_lost() -> None:
    order_id = place()
    relay()
    [placed] = broker.take_all("billing")
    failed_messages().update_one(
        {"_id": failed(body=placed.body).pk}, {"$set": {"order_id": order_id}}
    )
    copy = backup()
    # An operator replayed it after the backup.
    [told] = issue_invoice(json.loads(placed.body))
    issued = number(order_id)
    restore(copy)
    hear(told)

    reconcile("--apply")

    assert number(order_id) == issued


def test_a_ledger_with_a_number_of_another_program_is_invoiced_anew() -> None:
    order_id = place()
    work("inventory")
    broker.take_all("billing")
    tell("billing", "invoiced", {"orderId": order_id, "invoiceNumber": "INV-7"})
    relay()

    assert reconcile("--apply")[0] == 0
    work()

    assert state(order_id) == ("reserved", "issued")


def test_a_cancellation_keeps_the_reason_that_billing_was_told() -> None:
    order_id = place()
    work()
    copy = backup()
    cancelling.cancel(ObjectId(order_id), "Ordered twice")
    relay()
    restore(copy)
    work()

    reconcile("--apply")

    order = orders().find_one({"_id": ObjectId(order_id)})
    assert order
    assert order["cancellation"]["reason"] == "Ordered twice"


def test_what_a_worker_holds_is_on_its_way_too(monkeypatch: pytest.MonkeyPatch) -> None:
    copy = backup()
    order_id = place(units=5)
    relay()
    restore(copy)
    work("inventory")

    with broker.amqp_channel() as channel:
        channel.basic_consume("billing")
        code, said = reconcile("--apply")
        assert (code, "set RABBITMQ_MANAGEMENT_URL, or stop the workers" in said) == (1, True)

        management_says(monkeypatch, held=1)
        code, said = reconcile("--apply")
        assert (code, "billing has messages waiting" in said) == (1, True)
        assert state(order_id)[0] == "reserved"

        management_says(monkeypatch, held=0)
        assert reconcile("--apply")[0] == 0
        assert state(order_id)[0] == "released"


def test_billing_is_not_asked_again_while_its_answer_may_wait() -> None:
    """It would give the order another number than its customer has."""
    order_id = place()
    relay()
    copy = backup()
    [told] = told_by("billing")
    issued = number(order_id)
    restore(copy)
    broker.publish(told.body, exchange="", routing_key="orders", type=told.type)

    code, said = reconcile("--apply")

    assert (code, "1 event(s) order.placed to billing: orders has messages" in said) == (1, True)
    assert broker.take_all("billing") == []
    [waited] = broker.take_all("orders")
    tell("billing", "invoiced", json.loads(waited.body))
    reconcile("--apply")
    work()
    assert (number(order_id), is_whole(order_id)) == (issued, True)


def management_says(monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    queues = [{"name": "billing", "messages_unacknowledged": held}, {"name": "another's"}]
    monkeypatch.setattr(settings, "RABBITMQ_MANAGEMENT_URL", "http://localhost:15672")
    monkeypatch.setattr(
        management_api, "get", lambda kind: management_api.Answer(queues, mongodb_now())
    )
