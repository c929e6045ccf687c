"""What only the primary has is gone with it: nobody is told of that before a majority has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pymongo
import pytest
from django.conf import settings
from django.core.management import call_command
from django.http import HttpResponse
from pymongo import WriteConcern
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from drills.cluster.network import Network
from drills.cluster.replica_set import Document, Member, ReplicaSet
from inventory import shipping
from inventory.reserving import reservations, reserve
from messaging.publishing.publisher import Publisher
from orders import idempotency, placing
from orders.outbox import relay, store
from orders.requests.order_request import OrderRequest
from ordersite.keyed_requests import store as keyed_store
from runtime.mongodb_clock import mongodb_now
from runtime.stored_documents import AWARE
from tests.inventory.catalogue import order, stocked
from tests.polling import eventually

#: The secondary's fetcher of the oplog polls for it between two batches, seconds apart when idle.
FETCHER_MILLISECONDS = 30_000
#: No write is answered meanwhile: who asks for one hears of that after so long.
ANSWER_SECONDS = 60
#: What is not answered meanwhile is waited for no longer.
SOON_SECONDS = 1.0

Answer = TypeVar("Answer")

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture(scope="module")
def replica_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    folder = tmp_path_factory.mktemp("replica-set")
    with Network() as network, ReplicaSet(folder, network) as running:
        yield running


@contextmanager
def replicating_nothing(replica_set: ReplicaSet) -> Iterator[None]:
    """The secondaries follow their primary, and get none of its writes."""
    secondaries = [each for each in replica_set.members if each is not replica_set.primary()]
    try:
        for member in secondaries:
            stop_fetching(member)
        yield
    finally:
        for member in secondaries:
            with member.client() as client:
                client.admin.command({"configureFailPoint": "stopReplProducer", "mode": "off"})


def stop_fetching(member: Member) -> None:
    with member.client() as client:
        stop = {"configureFailPoint": "stopReplProducer", "mode": "alwaysOn"}
        entered = client.admin.command(stop)["count"]
        client.admin.command(
            {
                "waitForFailPoint": "stopReplProducer",
                "timesEntered": entered + 1,
                "maxTimeMS": FETCHER_MILLISECONDS,
            }
        )


@contextmanager
def at_the_primary_alone(
    replica_set: ReplicaSet, there: Collection[Document], document: Document
) -> Iterator[None]:
    # While the secondaries have no such collection at all, a majority's read waits for them.
    there.insert_one({"_id": "everywhere"})
    with replicating_nothing(replica_set):
        there.with_options(write_concern=WriteConcern(w=1)).insert_one(document)
        assert there.find_one(document["_id"])
        yield


def told_late(
    replica_set: ReplicaSet,
    there: Collection[Document],
    document: Document,
    tell: Callable[[], int],
) -> None:
    """Store it at the primary alone: `tell` passes it over, until the secondaries have it, too."""
    with at_the_primary_alone(replica_set, there, document), pymongo.timeout(ANSWER_SECONDS):
        assert tell() == 0
    assert eventually(lambda: tell() == 1)


def test_an_order_that_only_the_primary_has_is_not_published(
    replica_set: ReplicaSet, monkeypatch: pytest.MonkeyPatch
):
    call_command("load_demo_products", verbosity=0)
    placed = placing.place(OrderRequest(user_id=101, items=["book"]))
    there = replica_set.database("rolled_back")["orders"]
    monkeypatch.setattr(store, "orders", lambda: there)

    with Publisher(settings.AMQP_URL) as publisher:
        told_late(replica_set, there, placed, lambda: relay.publish_batch(publisher))


def test_a_shipment_that_only_the_primary_has_is_not_published(
    replica_set: ReplicaSet, monkeypatch: pytest.MonkeyPatch
):
    stocked(pen=10)
    reserve(order("o1", pen=3))
    shipping.ship("o1", by="operator")
    [shipped] = reservations().find()
    there = replica_set.database("rolled_back")["reservations"]
    monkeypatch.setattr(shipping, "reservations", lambda: there)

    told_late(replica_set, there, shipped, shipping.publish_waiting)


def read_late(
    replica_set: ReplicaSet,
    there: Collection[Document],
    document: Document,
    read: Callable[[], Answer],
) -> Answer:
    """What `read` returns of what the primary alone has, once the secondaries have it, too."""
    with (
        at_the_primary_alone(replica_set, there, document),
        pymongo.timeout(SOON_SECONDS),
        pytest.raises(PyMongoError),
    ):
        read()
    with pymongo.timeout(ANSWER_SECONDS):
        return read()


def test_an_order_that_only_the_primary_has_is_no_answer_to_a_repeat(
    replica_set: ReplicaSet, monkeypatch: pytest.MonkeyPatch
):
    there = replica_set.database("repeated")["orders"]
    monkeypatch.setattr(idempotency, "orders", lambda: there)
    placed = {"_id": "o1", "idempotency_key": "101:k"}

    found = read_late(replica_set, there, placed, lambda: idempotency.find("101:k"))

    assert found == placed
    assert idempotency.find("101:other") is None


def test_an_answer_that_only_the_primary_has_is_not_given_again(
    replica_set: ReplicaSet, monkeypatch: pytest.MonkeyPatch
):
    # So that the key is found to be taken without a wait for a majority.
    there = replica_set.database("repeated").get_collection(
        "keyed", codec_options=AWARE, write_concern=WriteConcern(w=1)
    )
    monkeypatch.setattr(keyed_store, "keyed_requests", lambda: there)
    taken = keyed_store.new("k", "the same", mongodb_now())
    answered = {**taken, "status": 201, "head": "{}", "body": "the first answer"}

    answer = read_late(replica_set, there, answered, lambda: keyed_store.claim("k", "the same"))

    assert isinstance(answer, HttpResponse)
    assert answer.text == "the first answer"
