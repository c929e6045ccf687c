"""The health checks say what is missing, and what to do about it."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from kombu import Connection, Consumer

from messaging import topology
from messaging.service import services
from ordersite.pipeline import health, health_views, kept_readiness, scheduler_heartbeat
from ordersite.pipeline.health import Check
from ordersite.pipeline.kept_readiness import KeptReadiness
from runtime.lease import RELAY_LEASE, Lease

pytestmark = pytest.mark.usefixtures("clean")

Ready = Callable[[], tuple[int, dict[str, dict[str, Any]]]]


@pytest.fixture
def ready(client: Client, readiness_anew: None) -> Ready:
    """Asks for the status code, and for the checks by name."""

    def ask() -> tuple[int, dict[str, dict[str, Any]]]:
        response = client.get("/health/ready")
        return response.status_code, {check["name"]: check for check in response.json()["checks"]}

    return ask


@pytest.fixture
def broker() -> Iterator[Connection]:
    with Connection(settings.AMQP_URL) as connection:
        yield connection


#: Longer than any of it takes.
WAITS_SECONDS = 60


def test_a_process_that_answers_is_live(client: Client) -> None:
    response = client.get("/health/live")

    assert (response.status_code, response.json()) == (200, {"status": "live"})


def test_ready_when_everything_has_a_consumer(broker: Connection, ready: Ready) -> None:
    assert Lease(RELAY_LEASE).is_held()
    scheduler_heartbeat.beat()
    consumed = [queue(broker.default_channel) for queue in topology.queues()]
    with Consumer(broker, consumed, on_message=lambda message: message.requeue()):
        status, checks = ready()

    assert status == 200
    assert {check["status"] for check in checks.values()} == {"ok"}
    assert "nextStep" not in checks["mongodb"]


def test_a_missing_worker_is_named_with_its_command(broker: Connection, ready: Ready) -> None:
    inventory = topology.service_queue(services()["inventory"])(broker.default_channel)
    with Consumer(broker, [inventory], on_message=lambda message: message.requeue()):
        status, checks = ready()

    assert status == 503
    assert checks["worker inventory"]["status"] == "ok"
    assert checks["worker billing"]["status"] == "missing"
    assert "celery -A celery_app worker -Q billing" in checks["worker billing"]["nextStep"]
    assert "manage.py archiver" in checks["archiver"]["nextStep"]
    assert "manage.py relay" in checks["relay"]["nextStep"]


def test_a_probe_that_hears_not_ready_is_not_an_error_in_the_log(
    caplog: pytest.LogCaptureFixture,
    ready: Ready,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status, _ = ready()
    monkeypatch.setattr(health, "is_migrated", lambda: False)
    serving = client.get("/health/serving").status_code
    client.get("/nothing-here")

    assert (status, serving) == (503, 503)
    logged = [record.message for record in caplog.records if record.name == "django.request"]
    assert logged == ["Not Found: /nothing-here"]


def test_a_missing_queue_and_a_missing_exchange_are_named(broker: Connection, ready: Ready) -> None:
    channel = broker.default_channel
    channel.queue_delete("billing.dlq")
    channel.exchange_delete("order_events.topic")
    try:
        _, checks = ready()
    finally:
        topology.declare(broker)

    assert checks["rabbitmq"]["status"] == "ok"
    assert "queue billing.dlq" in checks["topology"]["detail"]
    assert "exchange order_events.topic" in checks["topology"]["detail"]
    assert "queue inventory.dlq" not in checks["topology"]["detail"]
    assert checks["topology"]["nextStep"] == "python manage.py declare_topology"


def test_many_who_ask_at_once_cost_rabbitmq_one_connection(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    connections: list[Connection] = []

    def counted() -> Connection:
        connections.append(made := connection_to_broker())
        time.sleep(0.2)
        return made

    monkeypatch.setattr(health_views, "kept", KeptReadiness(clock=lambda: 0.0))
    connection_to_broker = health.broker_connection
    monkeypatch.setattr(health, "broker_connection", counted)

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: client.get("/health/ready"), range(30)))

    assert len(connections) == 1
    assert {each.status_code for each in answers} == {503}
    assert len({each.content for each in answers}) == 1


def test_what_changed_is_told_after_a_second(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    now = 0.0
    monkeypatch.setattr(health_views, "kept", KeptReadiness(clock=lambda: now))

    def ready_scheduler() -> str:
        checks = client.get("/health/ready").json()["checks"]
        return str(next(each["status"] for each in checks if each["name"] == "scheduler"))

    assert ready_scheduler() == "missing"
    scheduler_heartbeat.beat()
    assert ready_scheduler() == "missing"
    now = 1.0
    assert ready_scheduler() == "ok"


def test_nobody_waits_for_who_asks_anew_unless_the_answer_is_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, asked, answers = 0.0, Event(), Event()
    checks = [Check("rabbitmq", True, "It answers.")]

    def found() -> list[Check]:
        asked.set()
        assert answers.wait(WAITS_SECONDS)
        return checks

    monkeypatch.setattr(kept_readiness, "found", found)
    kept = KeptReadiness(clock=lambda: now)
    answers.set()
    kept.checks()
    asked.clear()
    answers.clear()

    with ThreadPoolExecutor(2) as threads:
        now = 2.0
        first = threads.submit(kept.checks)
        assert asked.wait(WAITS_SECONDS)
        assert kept.checks() == checks
        assert not first.done()
        now = kept_readiness.USABLE_SECONDS
        second = threads.submit(kept.checks)
        assert not second.done()
        answers.set()
        assert first.result(WAITS_SECONDS) == second.result(WAITS_SECONDS) == checks


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word, as a frozen server's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_silent_rabbitmq_is_missed_within_3_seconds(silent_port: int, ready: Ready) -> None:
    began = time.monotonic()
    with override_settings(AMQP_URL=f"amqp://127.0.0.1:{silent_port}//"):
        status, checks = ready()

    assert time.monotonic() - began < 3
    assert status == 503
    assert checks["mongodb"]["status"] == "ok"
    assert "AMQP_URL" in checks["rabbitmq"]["nextStep"]
    assert "topology" in checks
    assert "cannot be seen" in checks["worker orders"]["detail"]
    assert "cannot be checked" in checks["archiver"]["detail"]


def test_a_refused_login_is_missed(broker: Connection, ready: Ready) -> None:
    wrong = re.sub("//[^@]*@", "//nobody:wrong@", settings.AMQP_URL)
    with override_settings(AMQP_URL=wrong):
        _, checks = ready()

    assert checks["rabbitmq"]["status"] == "missing"
