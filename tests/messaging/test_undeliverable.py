"""A message that RabbitMQ cannot deliver: it ends alone, and takes nobody along."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.db import connection

from failed_messages.models import FailedMessage
from messaging.topology import undeliverable
from tests import broker
from tests.messaging.test_returned import invoiced, place
from tests.polling import eventually
from tests.processes import Processes
from tests.refusing_rabbitmq import MARK, refusing
from tests.settled_rabbitmq import SettledRabbitMQ

ORDERS = 40
#: In place of a thousand, which take half a minute on a busy machine.
RETURNS = 30


@pytest.fixture
def soon(rabbitmq: SettledRabbitMQ) -> Iterator[None]:
    """RabbitMQ gives up earlier than the queues ask for."""
    limit = json.dumps({"delivery-limit": RETURNS})
    rabbitmq.control("set_policy", "soon", "^billing", limit)
    yield
    rabbitmq.control("clear_policy", "soon")


def test_it_ends_alone_where_the_doctor_sees_it(processes: Processes, soon: None) -> None:
    """
    Given a message among others that RabbitMQ closes the connection over at each delivery
    When billing's worker and the archiver meet it
    Then the others are done, also those of the archiver, and it alone is kept as undeliverable.
    """
    with refusing() as (url, refuser):
        for number in range(ORDERS // 2):
            place(f"before-{number}")
        place("refused", message_id=MARK.decode())
        for number in range(ORDERS // 2):
            place(f"after-{number}")
        place("failing", message_id="failing", type="order.exploded")
        [worker, archiver] = processes.start("billing", "archiver", AMQP_URL=url)

        eventually(lambda: len(invoiced()) == ORDERS)
        eventually(lambda: broker.depth(undeliverable.name) == 1)
        broker.publish(
            b"{}", exchange="dead_letters", routing_key="inventory", message_id="another's"
        )
        eventually(lambda: FailedMessage.objects.count() == 2)

        assert worker.running
        assert archiver.running
    assert {failed.message_id for failed in FailedMessage.objects.all()} == {"failing", "another's"}
    # Since 4.3 RabbitMQ goes on counting in the dead-letter queue: the archiver meets it once.
    assert refuser.refusals > RETURNS + 1
    kept = broker.take(undeliverable.name)
    assert [death["queue"] for death in kept.headers["x-death"]] == ["billing.dlq", "billing"]
    assert connection.database.invoices.count_documents({"_id": "refused"}) == 0
