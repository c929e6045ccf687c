"""`/metrics` tells of the whole pipeline, and of what is left of it while a part is down."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client, override_settings
from prometheus_client.parser import text_string_to_metric_families

from ordersite.pipeline import scheduler_heartbeat
from ordersite.pipeline.metrics import FAMILIES
from runtime.lease import RELAY_LEASE, Lease
from tests.failed_messages.letters import failed

pytestmark = pytest.mark.usefixtures("clean")

Samples = dict[tuple[str, ...], float]


def metrics() -> dict[str, Samples]:
    """The samples of each family, by the values of their labels."""
    response = Client(SERVER_NAME="localhost").get("/metrics")
    assert response.status_code == 200
    return {
        family.name: {tuple(each.labels.values()): each.value for each in family.samples}
        for family in text_string_to_metric_families(response.content.decode())
    }


def test_every_family_is_told() -> None:
    failed()
    scheduler_heartbeat.beat(["reconcile"])
    assert Lease(RELAY_LEASE).is_held()

    told = metrics()

    # Beside them is what this process has counted.
    assert told.keys() >= {family.name for family in FAMILIES}
    assert told["ordersite_outbox_events"] == {("orders",): 0, ("inventory",): 0}
    assert told["ordersite_orders_by_status"]["placed",] == 0
    assert told["ordersite_dependency_up"] == {("mongodb",): 1, ("rabbitmq",): 1}
    assert told["ordersite_failed_messages"] == {("billing", "failed"): 1}
    assert told["ordersite_failure_groups"] == {("billing", "new"): 1}
    assert told["ordersite_orders"]["inventory", "unaccounted"] == 0
    assert told["ordersite_outbox_oldest_age_seconds"] == {("orders",): 0, ("inventory",): 0}
    assert told["ordersite_queue_messages"]["billing",] == 0
    assert told["ordersite_queue_consumers"]["billing.dlq",] == 0
    assert told["ordersite_relay_up"] == {(): 1}
    assert told["ordersite_scheduler_late_jobs"] == {(): 1}
    assert 0 <= told["ordersite_scheduler_heartbeat_age_seconds"][()] < 60


def test_without_rabbitmq_the_rest_is_told() -> None:
    failed()
    nobody = settings.AMQP_URL.rpartition(":")[0] + ":1//"

    with override_settings(AMQP_URL=nobody):
        told = metrics()

    assert told["ordersite_dependency_up"] == {("mongodb",): 1, ("rabbitmq",): 0}
    assert told["ordersite_failed_messages"] == {("billing", "failed"): 1}
    assert not told.keys() & {"ordersite_queue_messages", "ordersite_orders"}
