"""The doctor names what is wrong, and the command that fixes it."""

from __future__ import annotations

import base64
import json
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from subprocess import CalledProcessError
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from bson import Decimal128
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, override_settings
from kombu import Connection, Consumer

from messaging import topology
from messaging.service import services
from ordersite.doctor import declared_indexes
from ordersite.patches import django_mongodb_backend
from ordersite.pipeline import scheduler_heartbeat
from runtime.lease import RELAY_LEASE, Lease
from runtime.tried_releases import Tried
from tests.broker import publish
from tests.polling import eventually
from tests.processes import Processes
from tests.server_parameters import server_parameter
from tests.settled_rabbitmq import SettledRabbitMQ

# It judges how both services are configured.
pytestmark = pytest.mark.usefixtures("clean", "private_mongodb", "private_rabbitmq")

NOWHERE = "127.0.0.1:1"


def doctor(*arguments: str) -> tuple[int, str]:
    """The exit code, and what is said."""
    said = StringIO()
    try:
        call_command("doctor", *arguments, stdout=said, no_color=True)
    except SystemExit as ended:
        return int(ended.code), said.getvalue()
    return 0, said.getvalue()


def findings() -> dict[str, dict[str, Any]]:
    """The findings by subject, without those about processes that no test here starts."""
    report = json.loads(doctor("--json")[1])
    assert report["couldNotCheck"] == report["couldNotLook"] == []
    processes = ("Worker", "Archiver", "Relay", "Scheduler")
    return {
        each["subject"]: each
        for each in report["findings"]
        if not each["subject"].startswith(processes)
    }


def fix(finding: dict[str, Any]) -> None:
    """Type the commands of this project that the finding names."""
    for command in finding["fix"].split(" && "):
        python, manage, *arguments = shlex.split(command)
        assert (python, manage) == ("python", "manage.py")
        call_command(*arguments, stdout=StringIO())


@pytest.fixture
def broker() -> Iterator[Connection]:
    """A connection; whatever is done through it, the topology is whole again afterwards."""
    with Connection(settings.AMQP_URL) as connected:
        yield connected
    with Connection(settings.AMQP_URL) as again:
        topology.declare(again)


@pytest.fixture
def everything_runs(clean: None, broker: Connection) -> Iterator[None]:
    """A consumer on each queue, and a holder of the relay's lease."""
    lease = Lease(RELAY_LEASE)
    assert lease.is_held()
    scheduler_heartbeat.beat()
    consumed = [queue(broker.default_channel) for queue in topology.queues()]
    with Consumer(broker, consumed, on_message=lambda message: message.requeue()):
        yield
    lease.release()


@pytest.mark.usefixtures("everything_runs")
def test_healthy_is_exit_code_0() -> None:
    code, said = doctor()

    assert said.startswith("Healthy: 30 checks made")
    assert code == 0
    assert json.loads(doctor("--json")[1])["status"] == "healthy"


def test_every_index_of_a_migrated_database_is_declared() -> None:
    """Else a dropped one would not be missed."""
    declared = {(index.collection, index.name) for index in declared_indexes.declared()}
    database = connection.database
    existing = {
        (name, index["name"])
        for name in database.list_collection_names()
        for index in database[name].list_indexes()
        if index["name"] != "_id_"
    }

    assert declared == existing


def test_a_backend_that_was_not_tried_makes_no_index_where_it_was_to_name_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    untried = Tried("django-mongodb-backend", "==0", "of no release")
    monkeypatch.setattr(django_mongodb_backend, "BACKEND", untried)
    monkeypatch.setattr(django_mongodb_backend, "_NotingEditor", None)

    assert declared_indexes.missing() == []
    assert {each.collection for each in declared_indexes.declared()} == {
        "orders",
        "keyed_requests",
        "retry_notes",
    }


def test_without_processes_each_is_missed_with_its_command() -> None:
    publish(b"{}", routing_key="order.placed")
    code, said = doctor()

    assert code == 1
    assert "Nothing consumes the queue billing. Messages in it: 1." in said
    for command in (
        "celery -A celery_app worker -Q inventory -n inventory@%h",
        "celery -A celery_app worker -Q billing -n billing@%h",
        "celery -A celery_app worker -Q orders -n orders@%h",
        "python manage.py scheduler",
        "python manage.py archiver",
        "python manage.py relay",
    ):
        assert f"$ {command}\n" in said
    assert said.rstrip().endswith("6 errors.")


def test_what_rabbitmq_could_not_deliver(broker: Connection) -> None:
    publish(b"{}", exchange="by_name", routing_key="undeliverable")

    found = eventually(findings)["Queue undeliverable"]

    assert "the archiver could not read: 1" in found["problem"]
    assert found["fix"] == "rabbitmqctl --vhost / purge_queue undeliverable"
    assert "AMQP 1.0" in found["note"]


def test_a_queue_with_other_arguments(broker: Connection) -> None:
    with broker.channel() as channel:
        channel.queue_delete("billing")
        declared = vars(topology.service_queue(services()["billing"]))["queue_arguments"]
        other = declared | {"x-delivery-limit": 9}
        channel.queue_declare("billing", durable=True, auto_delete=False, arguments=other)
        for exchange in ("order_events", "by_name"):
            channel.queue_bind("billing", exchange, "billing")
    try:
        found = findings()
        assert found.keys() == {"Queue billing"}
        assert "x-delivery-limit" in found["Queue billing"]["problem"]
        assert "current is '9'" in found["Queue billing"]["problem"]

        fix(found["Queue billing"])
        assert findings() == {}
    finally:
        with broker.channel() as channel:
            channel.queue_delete("billing")


def test_an_exchange_of_another_type(broker: Connection) -> None:
    with broker.channel() as channel:
        channel.exchange_delete("order_events.headers")
        channel.exchange_declare("order_events.headers", "topic", durable=True, auto_delete=False)
    try:
        found = findings()["Exchange order_events.headers"]
    finally:
        with broker.channel() as channel:
            channel.exchange_delete("order_events.headers")

    assert "'topic'" in found["problem"]
    assert "-X DELETE" in found["fix"]
    assert "/api/exchanges/%2F/order_events.headers" in found["fix"]


def test_a_missing_binding(broker: Connection) -> None:
    with broker.channel() as channel:
        channel.queue_unbind("orders", "billing_events", "orders")

    found = findings()
    assert found.keys() == {"Bindings"}
    assert found["Bindings"]["problem"] == "Not there: billing_events to orders."

    fix(found["Bindings"])
    assert findings() == {}


@pytest.mark.parametrize("routing_key", ["by hand", "#", "", "a/b~c"])
def test_a_binding_that_nobody_declared(broker: Connection, routing_key: str) -> None:
    with broker.channel() as channel:
        channel.queue_bind("billing", "inventory_events", routing_key)
    try:
        found = findings()["Binding of inventory_events to billing"]
        assert found["severity"] == "warning"
        fix(found)
        assert findings() == {}
    finally:
        with broker.channel() as channel:
            channel.queue_unbind("billing", "inventory_events", routing_key)


@pytest.mark.parametrize("routing_key", ["by hand", "", "a/b~c"])
def test_a_binding_of_an_outsiders_exchange(broker: Connection, routing_key: str) -> None:
    with broker.channel() as channel:
        channel.exchange_declare("someone.else", "direct", durable=True, auto_delete=False)
        channel.queue_bind("billing", "someone.else", routing_key)
    try:
        found = findings()["Binding of someone.else to billing"]
        assert found["fix"].startswith("curl --fail --user guest -X DELETE ")

        call_as_curl_does(found["fix"])
        assert findings() == {}
    finally:
        with broker.channel() as channel:
            channel.exchange_delete("someone.else")


def test_an_interrupted_change_of_the_topology(broker: Connection) -> None:
    with broker.channel() as channel:
        topology.change_marker(channel).declare()

    found = findings()["Change of the topology"]

    assert found["severity"] == "error"
    fix(found)
    assert findings() == {}


def test_a_policy_that_limits_a_queue(broker: Connection, rabbitmq: SettledRabbitMQ) -> None:
    rabbitmq.control("set_policy", "short", "^billing$", '{"max-length": 10}')
    try:
        found = eventually(lambda: findings().get("Queue billing"))
        assert "The policy short sets max-length" in found["problem"]
        call_as_curl_does(found["fix"])
        eventually(lambda: "Queue billing" not in findings())
    finally:
        with suppress(CalledProcessError):
            rabbitmq.control("clear_policy", "short")


def call_as_curl_does(command: str) -> None:
    """With the password that curl asks for."""
    login = base64.b64encode(b"guest:guest").decode()
    url = shlex.split(command)[-1]
    request = Request(url, headers={"Authorization": f"Basic {login}"}, method="DELETE")
    urlopen(request, timeout=5).close()


def test_a_retry_queue_of_an_earlier_schedule(broker: Connection) -> None:
    """Its message returns by itself, and then the command deletes it."""
    leftover = topology.retry_queue(services()["billing"], 600)
    leftover(broker.default_channel).queue_declare()
    try:
        publish(b"{}", exchange="", routing_key=leftover.name)
        found = findings()[f"Queue {leftover.name}"]
        assert "messages in it: 1" in found["problem"]
        assert "in 10m" in found["note"]
        with pytest.raises(CommandError, match="holds 1 messages"):
            fix(found)

        leftover(broker.default_channel).purge()
        fix(findings()[f"Queue {leftover.name}"])
        assert findings() == {}
    finally:
        leftover(broker.default_channel).delete()


def test_a_leftover_queue_that_nothing_leaves(broker: Connection) -> None:
    channel = broker.default_channel
    channel.queue_declare("billing.retry.old", durable=True, auto_delete=False)
    try:
        publish(b"{}", exchange="", routing_key="billing.retry.old")
        found = findings()["Queue billing.retry.old"]
    finally:
        channel.queue_delete("billing.retry.old")

    assert found["severity"] == "error"
    assert found["fix"].startswith("rabbitmqctl set_parameter --vhost / shovel")


def test_the_queue_of_a_service_that_is_no_more(broker: Connection) -> None:
    channel = broker.default_channel
    dying = {"x-dead-letter-exchange": "dead_letters"}
    channel.queue_declare("shipping", durable=True, auto_delete=False, arguments=dying)
    try:
        publish(b"{}", exchange="", routing_key="shipping")
        found = findings()["Queue shipping"]
        assert (found["severity"], "messages in it: 1" in found["problem"]) == ("error", True)

        channel.queue_purge("shipping")
        fix(findings()["Queue shipping"])
        assert findings() == {}
    finally:
        channel.queue_delete("shipping")


def test_an_exchange_that_feeds_one_of_ours(broker: Connection) -> None:
    channel = broker.default_channel
    channel.exchange_declare("someone.else", "fanout", durable=True, auto_delete=False)
    try:
        channel.exchange_bind("order_events", "someone.else")
        found = eventually(lambda: findings().get("Binding of someone.else to order_events"))
        call_as_curl_does(found["fix"])
        eventually(lambda: findings() == {})
    finally:
        channel.exchange_delete("someone.else")


@pytest.mark.usefixtures("everything_runs")
def test_a_queue_that_is_consumed_is_not_deleted() -> None:
    with pytest.raises(CommandError, match="1 consume billing"):
        call_command("delete_queue", "billing")


@pytest.mark.parametrize(
    ("collection", "name", "severity"),
    [
        ("orders", "orders_pending", "warning"),
        ("orders", "orders_unanswered", "warning"),
        ("auth_user", "username", "error"),
    ],
)
def test_a_dropped_index(collection: str, name: str, severity: str) -> None:
    indexes = connection.database[collection].list_indexes()
    [dropped] = [index["name"] for index in indexes if name in index["name"]]
    connection.database[collection].drop_index(dropped)
    try:
        found = findings()
        assert found.keys() == {f"Index {dropped} of {collection}"}
        assert found.popitem()[1]["severity"] == severity
    finally:
        call_command("declare_indexes", stdout=StringIO())

    assert findings() == {}


def test_before_migrations_are_applied_no_index_is_missed() -> None:
    """They make the collections, which must not be there yet, and the indexes."""
    noted = connection.database["django_migrations"]
    last = noted.find_one_and_delete({"app": "orders"}, sort=[("name", -1)])
    connection.database["orders"].drop_index("orders_pending")
    try:
        found = findings()
        assert found.keys() == {"Migrations"}
        assert f"orders.{last['name']}" in found["Migrations"]["problem"]
        with pytest.raises(CommandError, match=r"manage\.py migrate"):
            call_command("declare_indexes")
    finally:
        noted.insert_one(last)
        call_command("declare_indexes", stdout=StringIO())


def test_an_index_with_the_right_name_and_other_columns() -> None:
    orders = connection.database["orders"]
    orders.drop_index("orders_user")
    orders.create_index("user_id", name="orders_user")
    try:
        assert findings().keys() == {"Index orders_user of orders"}
        with pytest.raises(CommandError, match=r'orders\.dropIndex\("orders_user"\)'):
            call_command("declare_indexes", stdout=StringIO())
    finally:
        orders.drop_index("orders_user")
        call_command("declare_indexes", stdout=StringIO())


def test_an_old_event_in_the_outbox() -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    connection.database["orders"].insert_one({"pending_since": an_hour_ago, "pending_events": []})

    found = findings()["Outbox"]

    assert found["severity"] == "error"
    assert "60 min" in found["problem"]
    assert found["fix"] == "python manage.py relay"


def test_a_shipment_that_the_scheduler_has_not_published() -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    connection.database["reservations"].insert_one({"pending_since": an_hour_ago})

    found = findings()["Outbox of inventory"]

    assert "60 min" in found["problem"]
    assert found["fix"] == "python manage.py scheduler"


@pytest.mark.parametrize(
    ("parameter", "by_default"),
    [("transactionLifetimeLimitSeconds", 60), ("minSnapshotHistoryWindowInSeconds", 300)],
)
def test_a_parameter_that_mongodb_was_not_given(parameter: str, by_default: int) -> None:
    with server_parameter(parameter, by_default) as ours:
        found = findings()["MongoDB"]

    assert f"{parameter} is {by_default}" in found["problem"]
    assert f"{parameter}: {ours}" in found["fix"]


def test_without_a_management_url_the_rest_is_checked() -> None:
    with override_settings(RABBITMQ_MANAGEMENT_URL=""):
        code, said = doctor()

    assert code == 1
    assert "Not checked: bindings, undeclared bindings, leftover queues" in said
    assert "export RABBITMQ_MANAGEMENT_URL=http://127.0.0.1:15672" in said


@pytest.fixture
def url_of_a_process(rabbitmq: SettledRabbitMQ) -> Iterator[str]:
    """RabbitMQ's address for a user who may do what web does, and declare nothing."""
    virtual_host = Connection(settings.AMQP_URL).virtual_host
    rabbitmq.control("add_user", "process", "secret")
    rabbitmq.control("set_permissions", "-p", virtual_host, "process", "^$", "order_events", "^$")
    rabbitmq.control("set_user_tags", "process", "monitoring")
    login = f"process:secret@127.0.0.1:{rabbitmq.port}"
    yield f"amqp://{login}/{quote(virtual_host, safe='')}"
    rabbitmq.control("delete_user", "process")


@pytest.mark.usefixtures("everything_runs")
def test_what_a_process_may_not_ask_is_left_out_and_the_rest_is_checked(
    url_of_a_process: str,
) -> None:
    with override_settings(AMQP_URL=url_of_a_process):
        report = json.loads(doctor("--json")[1])

    assert report["couldNotCheck"] == []
    assert {check for each in report["leftOut"] for check in each["checks"]} == {
        "arguments of exchanges and queues",
        "rights of RabbitMQ's users",
    }
    assert "topology, workers and archiver" in report["checked"]


def test_a_silent_management_api_is_not_healthy() -> None:
    with override_settings(RABBITMQ_MANAGEMENT_URL=f"http://{NOWHERE}"):
        code, said = doctor()

    assert code == 2
    assert "rabbitmq-plugins enable rabbitmq_management" in said


def test_services_that_are_down_are_told_within_seconds(processes: Processes) -> None:
    began = time.monotonic()
    unreachable = processes.run(
        "doctor",
        "python manage.py doctor",
        MONGODB_URL=f"mongodb://{NOWHERE}/?directConnection=true",
        AMQP_URL=f"amqp://{NOWHERE}//",
    )

    assert unreachable.wait() == 2
    assert time.monotonic() - began < 10  # with the start of Python
    said = unreachable.log_tail()
    assert "MongoDB: No answer" in said
    assert "RabbitMQ: No answer" in said
    assert "correct the setting MONGODB_URL" in said
    assert "correct the setting AMQP_URL" in said
    assert "30 checks could not be made" in said
    assert "Traceback" not in said


def test_the_admin_page_shows_the_findings_to_staff_alone() -> None:
    browser = Client(SERVER_NAME="localhost")
    assert browser.get("/admin/doctor/").status_code == 302
    browser.force_login(User.objects.create_user("customer"))
    assert browser.get("/admin/doctor/").status_code == 302

    may_see = User.objects.create_user("operator", is_staff=True)
    may_see.user_permissions.add(Permission.objects.get(codename="view_order"))
    browser.force_login(may_see)
    page = browser.get("/admin/doctor/").content.decode()
    assert "celery -A celery_app worker -Q billing -n billing@%h" in page
    assert re.search(r"6 errors\.", page)
    assert 'href="/admin/doctor/"' in browser.get("/admin/").content.decode()


def test_a_product_that_cannot_be_sold_is_named_with_the_command_that_corrects_it():
    products = connection.database["products"]
    right = {"price": Decimal128("9.95"), "currency": "EUR"}
    wrong = {
        "a double": {"price": 9.95, "currency": "EUR"},
        "none": {"price": None, "currency": "EUR"},
        "three places": {"price": Decimal128("9.999"), "currency": "EUR"},
        "no number": {"price": Decimal128("NaN"), "currency": "EUR"},
        "yen in parts": {"price": Decimal128("9.95"), "currency": "JPY"},
        "gold": {"price": Decimal128("9.95"), "currency": "XAU"},
        'it\'s "quoted"': {"price": Decimal128("9.95")},
    }
    free = {"sku": "free", "price": Decimal128("0"), "currency": "EUR"}
    foreign = {"sku": "tea", "price": Decimal128("5"), "currency": "GBP"}
    exact = {"sku": "ink", "price": Decimal128("5.125"), "currency": "KWD"}
    sold = [{"sku": "pen", **right}, free, foreign, exact]
    products.insert_many([*sold, *({"sku": s, **w} for s, w in wrong.items())])

    found = {name: each for name, each in findings().items() if name.startswith("Product ")}

    assert found.keys() == {f"Product {sku}" for sku in wrong}
    told = found['Product it\'s "quoted"']
    assert "it has no currency" in told["problem"]
    assert "409" in told["consequence"]
    assert '"995"), currency: "JPY"' in found["Product yen in parts"]["fix"]
    mongosh, url, option, script = shlex.split(told["fix"])
    assert (mongosh, url, option) == ("mongosh", "$MONGODB_URL", "--eval")
    assert '{sku: "it\'s \\"quoted\\""}, {$set: {price: NumberDecimal("9.95")' in script
