"""Each incident that an operator is woken for: from the front page until it is over, in few clicks.

The front page names it with its next step; what is not a click is the command that the page shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId
from django.conf import settings
from django.db import connection
from django.test import override_settings
from kombu import Connection
from playwright.sync_api import Page, expect

from billing.invoicing import invoices
from failed_messages.acting.job_runner import advance_jobs
from failed_messages.models import ReplayJob
from failed_messages.records.collection import failed_messages
from inventory.reserving import reservations
from inventory.stock import products
from localservices.mongodb import MongoDB
from messaging import topology
from messaging.service import services
from orders.collection import orders
from ordersite.doctor import rabbitmq_nodes
from ordersite.overview import stored_snapshot
from ordersite.pipeline.reconciling import reconcile
from runtime.lease import RELAY_LEASE, leases
from tests.broker import amqp_channel
from tests.failed_messages.letters import bury, certificate
from tests.failed_messages.stored_orders import placed_body
from tests.journeys.whole_pipeline.conftest import Pipeline
from tests.journeys.whole_pipeline.desk import Operator
from tests.journeys.whole_pipeline.orders_of_billing import fail_for_billing, order_of_billing
from tests.polling import eventually
from tests.settled_rabbitmq import SettledRabbitMQ
from tests.waiting_retry import a_retry_waits

GROUP_MESSAGES = 2_000
#: Of a bulk replay, one by one and a few at a time.
TRIED_FIRST = 6
RETRIES = 10
RETRY_SECONDS = 600.0


@pytest.fixture
def operator(pipeline: Pipeline, page: Page) -> Iterator[Operator]:
    yield Operator(pipeline, page)
    for name, process in pipeline.by_name.items():
        process.thaw()
        if not process.running:
            pipeline.restart(name)


def ago(**duration: float) -> datetime:
    return datetime.now(UTC) - timedelta(**duration)


def test_billing_is_frozen(operator: Operator, pipeline: Pipeline) -> None:
    pipeline["billing"].freeze()
    order_id = pipeline.api.place(101)
    eventually(lambda: pipeline.api.states(order_id)[0] == "reserved")
    orders().update_many({}, {"$set": {"awaited_since": ago(minutes=3)}})

    frozen = "billing is behind or stuck"
    operator.finds(f"{frozen}: its oldest order has waited 3 min", "End it", "Then start one:")
    operator.clicks("Show the workers of billing")
    operator.reads("Processes")
    pipeline["billing"].kill()
    operator.starts("billing")

    pipeline.api.await_status(order_id, "confirmed")
    operator.sees_that_it_is_over(frozen)


def test_orders_is_frozen(operator: Operator, pipeline: Pipeline) -> None:
    """The others have done their part, so neither of them is named."""
    pipeline["orders"].freeze()
    order_id = pipeline.api.place(101)
    done = {"_id": order_id}
    eventually(lambda: invoices().find_one(done) and reservations().find_one(done))
    orders().update_many({}, {"$set": {"awaited_since": ago(minutes=3)}})

    frozen = "orders is behind or stuck"
    operator.finds(frozen, "The oldest such order has waited 3 min", "End it", "Then start one:")
    expect(operator.page.locator(".concerns")).not_to_contain_text("billing is behind")
    expect(operator.page.locator(".concerns")).not_to_contain_text("inventory is behind")
    pipeline["orders"].kill()
    operator.starts("orders")

    pipeline.api.await_status(order_id, "confirmed")
    operator.sees_that_it_is_over(frozen)


def test_the_relay_is_dead(operator: Operator, pipeline: Pipeline) -> None:
    end_relay(pipeline)
    order_id = pipeline.api.place(101)

    operator.finds("No relay runs: new orders do not reach the services.", "Start one:")
    operator.clicks("Show the relay processes")
    operator.reads("Processes")
    operator.starts("relay")

    pipeline.api.await_status(order_id, "confirmed")
    operator.sees_that_it_is_over("No relay runs")


def end_relay(pipeline: Pipeline) -> None:
    """As it is seen 10 s later."""
    pipeline["relay"].kill()
    leases().delete_one({"_id": RELAY_LEASE})


def test_one_group_of_2000(operator: Operator, pipeline: Pipeline) -> None:
    fail_for_billing(GROUP_MESSAGES)

    operator.finds("2,000 failed messages not settled", "2,000 orders of 1 customer", "25,000.00")
    operator.clicks("Show the cause and its messages")
    operator.reads("TimeoutError", "2,000 messages", "2,000 orders", "Replay is safe.")
    operator.clicks("Replay them all")
    operator.clicks(operator.page.locator("#confirm"))

    eventually(lambda: the_job().resolved >= TRIED_FIRST)
    answer_the_rest()
    eventually(lambda: the_job().state == "done")
    expect(operator.page.locator("#state")).to_have_text("Done")
    operator.sees_that_it_is_over("not settled")


def the_job() -> ReplayJob:
    """After its next step, which is the scheduler's, every second."""
    advance_jobs()
    return ReplayJob.objects.get()


def answer_the_rest() -> None:
    """In place of billing, as it has answered those that are tried first."""
    waits = {"job_state": "waiting"}
    ids = [ObjectId(each["order_id"]) for each in failed_messages().find(waits)]
    orders().update_many({"_id": {"$in": ids}}, {"$set": {"awaited": []}})
    failed_messages().update_many(waits, {"$set": {"status": "resolved", "job_state": "resolved"}})


@pytest.fixture
def retry_queue() -> Iterator[str]:
    """A retry queue of billing whose messages wait for as long as in production."""
    with override_settings(RETRY_DELAYS_SECONDS=(*settings.RETRY_DELAYS_SECONDS, RETRY_SECONDS)):
        topology.queues.cache_clear()
        queue = topology.retry_queue(services()["billing"], RETRY_SECONDS)
        with Connection(settings.AMQP_URL) as broker, broker.channel() as channel:
            topology.declare(broker)
            yield queue.name
            for service in services().values():
                channel.queue_delete(topology.retry_queue(service, RETRY_SECONDS).name)
    topology.queues.cache_clear()


def test_a_retry_storm(operator: Operator, pipeline: Pipeline, retry_queue: str) -> None:
    several = [order_of_billing() for _ in range(RETRIES)]
    orders().insert_many(several)
    for each in several:
        a_retry_waits(str(each["_id"]), placed_body(each), retry_queue)

    operator.finds(
        f"billing keeps failing: {RETRIES} messages wait for a retry.",
        "One of them: card service timed out.",
        "The list has the error of each.",
    )
    operator.clicks("Show the waiting retries")
    expect(operator.page.locator("#retries tbody tr")).to_have_count(RETRIES)
    operator.reads("card service timed out")
    # Whether the cause is gone is seen at once.
    operator.clicks(operator.page.locator("#retries tbody a", has_text="Retry now").first)
    operator.clicks(operator.page.locator("#confirm"))
    pipeline.api.await_status(str(several[0]["_id"]), "confirmed")

    def all_succeed() -> bool:
        let_all_be_due(retry_queue)
        return orders().count_documents({"status": "confirmed"}) == RETRIES

    eventually(all_succeed)
    operator.sees_that_it_is_over("keeps failing")


def let_all_be_due(queue: str) -> None:
    """RabbitMQ does so when their time has come."""
    with amqp_channel() as channel:
        while message := channel.basic_get(queue):
            channel.basic_reject(message.delivery_tag, requeue=False)


def test_the_outbox_grows(operator: Operator, pipeline: Pipeline) -> None:
    pipeline["relay"].freeze()
    order_id = pipeline.api.place(101)
    orders().update_many({}, {"$set": {"pending_since": ago(minutes=3)}})
    # One that hangs keeps its lease for as long as a thread of it renews that.
    lease = {"expires_at": ago(seconds=-15), "holder": "the one that hangs"}
    leases().update_one({"_id": RELAY_LEASE}, {"$set": lease}, upsert=True)

    grows = "The outbox grows"
    operator.finds(f"{grows}: its oldest event has waited 3 min", "end it, then start one:")
    operator.clicks("Show the relay processes")
    operator.reads("Processes")
    end_relay(pipeline)
    operator.starts("relay")

    pipeline.api.await_status(order_id, "confirmed")
    operator.sees_that_it_is_over(grows)


def test_the_archiver_is_down(operator: Operator, pipeline: Pipeline) -> None:
    pipeline["archiver"].kill()
    bury(certificate(message="card service timed out"))

    down = "No archiver runs"
    operator.finds(f"{down}: what fails now cannot be seen here.", "1 message about failures")
    operator.clicks("Show the archiver processes")
    operator.reads("Processes")
    operator.starts("archiver")

    operator.sees_that_it_is_over(down)
    operator.finds("1 failed message not settled")


def test_mongodb_has_no_primary(operator: Operator, pipeline: Pipeline, mongodb: MongoDB) -> None:
    admin = connection.database.client.admin
    admin.command("replSetStepDown", 60, force=True)
    try:
        without = "MongoDB cannot be used"
        operator.finds(f"{without}: No member of its replica set is primary.", "says why")
        operator.clicks("Show what the doctor says")
        operator.reads("is SECONDARY.", "rs.freeze(0)")
    finally:
        # What the command of mongosh does.
        admin.command("replSetFreeze", 0)

    eventually(lambda: admin.command("hello")["isWritablePrimary"])
    pipeline.api.await_status(pipeline.api.place(101), "confirmed")
    operator.sees_that_it_is_over(without)


def test_rabbitmq_has_no_room_on_its_disk(
    operator: Operator, pipeline: Pipeline, rabbitmq: SettledRabbitMQ
) -> None:
    rabbitmq.control("set_disk_free_limit", "1000000GB")
    try:
        order_id = pipeline.api.place(101)
        operator.jobs.append(stored_snapshot.ask_doctor)
        # Its management tells some seconds later.
        eventually(lambda: [*rabbitmq_nodes.of_nodes()])
        operator.finds("Disk alarm", "orders are accepted and wait in the outbox", "make room")
        operator.clicks("Show what the doctor says")
        operator.reads("Disk alarm", "df -h")
    finally:
        rabbitmq.control("set_disk_free_limit", "50MB")

    pipeline.api.await_status(order_id, "confirmed")
    eventually(lambda: not [*rabbitmq_nodes.of_nodes()])
    operator.sees_that_it_is_over("Disk alarm")


def test_the_recount_of_the_stock_differs(operator: Operator) -> None:
    pen = products().find_one_and_update({"sku": "pen"}, {"$inc": {"available": -4}})
    quantity = pen["available"]

    operator.jobs.append(stored_snapshot.recount_stock)
    differs = "The stock of pen differs from what its movements add up to."
    stored, moved = quantity - 4, quantity
    operator.finds(
        differs,
        f"{stored:,} are stored as available, its movements add up to {moved:,}.",
        "Orders may be refused although there are goods.",
        "Count the goods",
    )
    operator.clicks("Show its movements")
    operator.reads("pen", "opening")
    operator.types_the_command()

    operator.sees_that_it_is_over(differs)


def test_an_order_is_unaccounted_for(operator: Operator, pipeline: Pipeline) -> None:
    order = {**order_of_billing(), "awaited_since": ago(minutes=20)}
    orders().insert_one(order)

    lost = "1 order unaccounted for: billing never answered."
    operator.finds(lost, "Nothing is to be done if it is gone within 5 min.")
    expect(operator.page.locator(".concern")).to_have_count(1)
    operator.clicks("Open the order")
    operator.reads(str(order["_id"]))
    # The scheduler's, every minute.
    assert reconcile() == 1

    pipeline.api.await_status(str(order["_id"]), "confirmed")
    operator.sees_that_it_is_over(lost)
