"""The site's commands, as an operator meets them."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.checks import CheckMessage, Error
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.core.management.base import SystemCheckError
from django.db import connection
from django.test import override_settings
from kombu import Connection

from drills.traffic.poison import KINDS
from messaging import declarations
from ordersite.broker import management_api
from tests.broker import publish_poison
from tests.polling import eventually
from tests.processes import Processes
from tests.settled_rabbitmq import SettledRabbitMQ


def command(*arguments: str) -> str:
    said = StringIO()
    call_command(*arguments, stdout=said)
    return said.getvalue()


def publish(body: bytes, exchange: str, routing_key: str, **properties: str) -> None:
    with Connection(settings.AMQP_URL) as broker, broker.Producer() as producer:
        producer.publish(
            body,
            exchange=exchange,
            routing_key=routing_key,
            **{"content_type": "application/json", "content_encoding": "utf-8", **properties},
        )


@pytest.mark.parametrize("process", ["serve", "relay", "archiver", "scheduler", "deliverer"])
def test_a_wrong_declaration_stops_the_start(process: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> list[CheckMessage]:
        return [Error("shipping: order.confirmed leads to 'anounced'.", id="services.E012")]

    monkeypatch.setattr(declarations, "errors", wrong)
    monkeypatch.setattr(
        f"{load_command_class(get_commands()[process], process).__module__}.Command.handle",
        lambda *_, **__: pytest.fail("it starts"),
    )

    with pytest.raises(SystemCheckError, match="anounced"):
        call_command(process, skip_checks=False)


@pytest.mark.usefixtures("clean")
def test_the_development_admin_is_created_once() -> None:
    assert "Created" in command("ensure_admin")
    User.objects.get().set_password("mine")

    assert "exists" in command("ensure_admin")
    admin = User.objects.get()
    assert admin.is_superuser
    assert admin.check_password("admin")


def test_declaring_twice_is_harmless(services: None) -> None:
    assert command("declare_topology") == command("declare_topology")


@override_settings(AMQP_URL="amqp://guest:guest@127.0.0.1:1//")
def test_declaring_without_rabbitmq_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="AMQP_URL"):
        command("declare_topology")


def test_tail_shows_matching_events_of_every_service(processes: Processes) -> None:
    orders = processes.run("tail", "python manage.py tail 'order.*'")
    everything = processes.run("tail-json", "python manage.py tail --json")
    for process in (orders, everything):
        eventually(lambda process=process: "Ctrl-C stops" in process.log_tail())

    publish(b"\x1b[2J\xff", "order_events", "order.odd")
    publish(b'{"orderId": "6743f0"}', "billing_events", "billing.invoiced")
    publish(
        b'{"orderId": "6743f0"}',
        "order_events",
        "order.placed",
        message_id="order.placed:6743f0",
        correlation_id="6743f0",
    )

    eventually(lambda: "order.placed:6743f0" in orders.log_tail())
    assert "order=6743f0" in orders.log_tail()
    assert "order.odd" in orders.log_tail()
    assert "billing.invoiced" not in orders.log_tail()
    assert "\x1b" not in orders.log_tail()

    eventually(lambda: "order.placed:6743f0" in everything.log_tail())
    shown = [json.loads(line) for line in everything.log_tail().splitlines() if line[0] == "{"]
    assert [event["routingKey"] for event in shown] == [
        "order.odd",
        "billing.invoiced",
        "order.placed",
    ]
    assert shown[1]["body"] == {"orderId": "6743f0"}
    assert orders.stop() == 0


@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "TLS"])
def test_no_message_ends_tail(
    processes: Processes, rabbitmq: SettledRabbitMQ, is_tls: bool
) -> None:
    settings_ = rabbitmq.tls_settings if is_tls else {}
    # Nor does a terminal that shows no more than ASCII.
    ascii_only = {**settings_, "PYTHONIOENCODING": "ascii"}
    lines = processes.run("tail", "python manage.py tail '#'", **ascii_only)
    objects = processes.run("tail-json", "python manage.py tail --json", **settings_)
    for process in (lines, objects):
        eventually(lambda process=process: "Ctrl-C stops" in process.log_tail())

    ids = publish_poison()
    publish("é".encode(), "order_events", "the.last", message_id="the-last-é")

    for process in (lines, objects):
        eventually(lambda process=process: "the.last" in process.log_tail())
        assert process.running
    assert r"\xff\xfe" in lines.log_tail(lines=len(ids) + 10)
    shown = [
        json.loads(line, parse_constant=pytest.fail)
        for line in objects.log_tail(lines=len(ids) + 10).splitlines()
        if line.startswith("{")
    ]
    to_all = [name for name, each in KINDS.items() if not each.comes_back]
    assert len(shown) == len(to_all) + 1
    assert {each["messageId"] for each in shown} <= {*ids, "the-last-é"}
    assert r"\xff\xfe" in {each["routingKey"] for each in shown}


def test_tail_leaves_nothing_on_the_broker(processes: Processes) -> None:
    tail = processes.run("tail", "python manage.py tail")
    eventually(lambda: "Ctrl-C stops" in tail.log_tail())
    assert any(name.startswith("tail.") for name in exchanges())

    tail.stop()

    eventually(lambda: not any(name.startswith("tail.") for name in exchanges()))


def test_tail_ends_when_nobody_reads_it_any_more(processes: Processes) -> None:
    """As `head` does; a pipe that is closed is no fault of RabbitMQ's."""
    tail = processes.run("tail", "sh -c 'python manage.py tail | head -1'")
    eventually(lambda: "Ctrl-C stops" in tail.log_tail())

    def is_over() -> bool:
        publish(b"{}", "order_events", "order.odd")
        return not tail.running

    eventually(is_over)
    assert "order.odd" in tail.log_tail()
    assert "Waiting for RabbitMQ" not in tail.log_tail()
    assert "BrokenPipe" not in tail.log_tail()


def exchanges() -> list[str]:
    """The names of all exchanges, by RabbitMQ's management API."""
    return [exchange["name"] for exchange in management_api.get("exchanges").content]


def test_the_scheduler_lists_its_jobs_and_stops_cleanly(processes: Processes) -> None:
    scheduler = processes.run("scheduler", "python manage.py scheduler")
    eventually(lambda: "publish_claimed" in scheduler.log_tail())

    assert scheduler.stop() == 0
    assert "Traceback" not in scheduler.log_tail()


def test_the_scheduler_waits_for_its_database(processes: Processes) -> None:
    scheduler = processes.run(
        "scheduler",
        "python manage.py scheduler",
        MONGODB_URL="mongodb://127.0.0.1:1/?directConnection=true",
    )

    eventually(lambda: "Waiting for MongoDB at 127.0.0.1:1: " in scheduler.log_tail())
    assert scheduler.stop() == 0
    assert "Traceback" not in scheduler.log_tail()


def test_the_databases_url_may_name_the_process(processes: Processes) -> None:
    url = f"{settings.MONGODB_URL}&appName=scheduler-of-berlin"
    processes.run("scheduler", "python manage.py scheduler", MONGODB_URL=url)

    eventually(lambda: {"scheduler-of-berlin", "ordersite"} <= names_at_mongodb())


def names_at_mongodb() -> set[str]:
    """As which clients its connections introduced themselves."""
    connections = connection.database.client.admin.aggregate(
        [{"$currentOp": {"allUsers": True, "idleConnections": True}}]
    )
    return {each.get("appName", "") for each in connections}
