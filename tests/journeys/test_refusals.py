"""RabbitMQ refuses a process its login, its virtual host or what it wants to do there.

Each process says once what is wrong and what to do, waits, and goes on by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from subprocess import CalledProcessError

import pytest
from amqp import NotFound
from bson import ObjectId
from django.core.management import call_command
from django.db import connection
from kombu import Connection

from localservices.pipeline import procfile
from localservices.process import Process
from tests.journeys.api import Api
from tests.journeys.rabbitmq_user import EVERYTHING, RabbitMQUser
from tests.polling import eventually
from tests.processes import Processes
from tests.settled_rabbitmq import SettledRabbitMQ

pytestmark = pytest.mark.usefixtures("clean")


NAMES = ("relay", "billing", "archiver", "scheduler")
TAIL = "python manage.py tail"

REFUSED_LOGIN = "refuses the login of the user"
NO_VIRTUAL_HOST = "has no virtual host"
REFUSED_VIRTUAL_HOST = "access to vhost"
REFUSED = "access to"


@pytest.fixture
def user(rabbitmq: SettledRabbitMQ) -> Iterator[RabbitMQUser]:
    """Whom nobody has made yet, nor its virtual host."""
    user = RabbitMQUser(rabbitmq, f"user-{ObjectId()}")
    yield user
    for delete in (user.delete, user.delete_virtual_host):
        # A test that failed may not have made it.
        with suppress(CalledProcessError):
            delete()


def there(user: RabbitMQUser) -> None:
    user.add()
    user.add_virtual_host()
    user.permit(*EVERYTHING)


def start(processes: Processes, user: RabbitMQUser) -> dict[str, Process]:
    commands = {**{name: procfile()[name] for name in NAMES}, "tail": TAIL}
    return {
        name: processes.run(name, command, AMQP_URL=user.url) for name, command in commands.items()
    }


def said(process: Process) -> str:
    return process.log.read_text(errors="replace")


def each_says(started: dict[str, Process], text: str, but: tuple[str, ...] = ()) -> None:
    for name, process in started.items():
        if name not in but:
            eventually(lambda process=process: text in said(process))


def works(user: RabbitMQUser) -> None:
    """An order that is published in the user's virtual host is invoiced, and tail shows it."""
    order_id = str(ObjectId())
    line = {"sku": "pen", "quantity": 1, "unitPrice": "1.80"}
    order = {"orderId": order_id, "userId": 101, "items": [line], "total": "1.80"}
    with Connection(user.url) as broker, broker.Producer() as producer:
        eventually(lambda: consumers(broker))
        producer.publish(
            json.dumps({**order, "currency": "EUR"}).encode(),
            exchange="order_events",
            content_type="application/json",
            content_encoding="utf-8",
            message_id=f"order.placed:{order_id}",
        )
    invoices = connection.database["invoices"]
    eventually(lambda: invoices.find_one({"_id": order_id}))


def consumers(broker: Connection) -> int:
    """How many workers billing's queue has; 0 where it is not there."""
    with suppress(NotFound), broker.channel() as channel:
        return int(channel.queue_declare("billing", passive=True).consumer_count)
    return 0


def assert_told_once(started: dict[str, Process], *texts: str) -> None:
    for name, process in started.items():
        log = said(process)
        assert process.running, f"{name} ended:\n{log[-3000:]}"
        assert "Traceback" not in log, log[-6000:]
        for text in texts:
            assert log.count(text) <= 2, log[-6000:]


def test_a_login_and_a_virtual_host_that_come_later(
    processes: Processes, user: RabbitMQUser
) -> None:
    started = start(processes, user)
    each_says(started, REFUSED_LOGIN, but=("scheduler",))

    user.add()
    each_says(started, NO_VIRTUAL_HOST, but=("scheduler",))
    user.add_virtual_host()
    each_says(started, REFUSED_VIRTUAL_HOST, but=("scheduler",))
    user.permit("", "", "")
    each_says(started, "Give the permission back", but=("scheduler", "relay"))
    user.permit(*EVERYTHING)

    eventually(lambda: " ready." in said(started["billing"]))
    # What is published before it listens, tail does not show.
    each_says({"tail": started["tail"]}, "Events with a routing key")
    works(user)
    each_says(
        {"archiver": started["archiver"]}, "INFO    failed_messages.archiving.archiver: Archiving"
    )
    each_says({"tail": started["tail"]}, "order.placed")
    assert_told_once(started, REFUSED_LOGIN, NO_VIRTUAL_HOST, REFUSED_VIRTUAL_HOST)


def test_what_is_taken_away_while_they_run(processes: Processes, user: RabbitMQUser) -> None:
    there(user)
    started = start(processes, user)
    eventually(lambda: " ready." in said(started["billing"]))
    works(user)
    consuming = {name: started[name] for name in ("billing", "archiver", "tail")}

    user.change_password("another")
    user.close_connections()
    each_says(consuming, REFUSED_LOGIN)
    user.change_password(user.password)
    works(user)

    user.delete()
    user.add()
    each_says(consuming, REFUSED_VIRTUAL_HOST)
    user.permit(*EVERYTHING)
    works(user)

    user.delete_virtual_host()
    each_says(consuming, NO_VIRTUAL_HOST)
    user.add_virtual_host()
    user.permit(*EVERYTHING)
    works(user)

    with Connection(user.url) as broker, broker.channel() as channel:
        for queue in ("billing", "billing.dlq"):
            channel.queue_delete(queue)
    each_says({"billing": started["billing"]}, "ended a consumer")
    works(user)
    assert_told_once(started, NO_VIRTUAL_HOST)


def test_a_permission_to_publish_uses_up_no_attempt(
    processes: Processes, user: RabbitMQUser
) -> None:
    there(user)
    started = start(processes, user)
    eventually(lambda: " ready." in said(started["billing"]))
    works(user)

    user.permit(".*", "^(?!billing_events$)", ".*")
    # A channel remembers for what it has had a permission.
    user.close_connections()
    works(user)
    eventually(
        lambda: "Paused, no attempt is used up: RabbitMQ answers" in said(started["billing"]),
    )
    assert "rabbitmqctl set_permissions" in said(started["billing"])
    user.permit(*EVERYTHING)

    eventually(lambda: "Continuing" in said(started["billing"]))
    # That the connection was closed is told, too, where the worker was publishing.
    assert_told_once(started, "Paused, no attempt is used up: RabbitMQ answers")


def test_a_missing_exchange_is_told_as_what_it_is(processes: Processes, user: RabbitMQUser) -> None:
    there(user)
    started = {"relay": processes.run("relay", procfile()["relay"], AMQP_URL=user.url)}
    call_command("load_demo_products", verbosity=0)
    Api(processes.start_web(AMQP_URL=user.url)).place(101)

    each_says(started, "no exchange 'order_events'")
    assert "python manage.py declare_topology" in said(started["relay"])
    declared = processes.run("declare", "python manage.py declare_topology", AMQP_URL=user.url)
    eventually(lambda: declared.exit_code == 0)

    each_says(started, "The fault is over")
    assert_told_once(started, "no exchange")
