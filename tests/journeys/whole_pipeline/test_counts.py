"""What each process tells Prometheus of an order that fails twice and is replayed."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from django.db import connection
from prometheus_client.parser import text_string_to_metric_families

from tests.journeys.api import await_failed_messages
from tests.journeys.whole_pipeline.conftest import Pipeline
from tests.polling import eventually

Counts = dict[tuple[str, ...], float]


@pytest.fixture(autouse=True)
def no_fault_stays() -> Iterator[None]:
    yield
    connection.database["simulated_faults"].delete_many({})


def counted(url: str, name: str) -> Counts:
    """The samples of one name, by the values of their labels in the order of these."""
    with urlopen(f"{url}/metrics", timeout=60) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        samples = [each for family in families for each in family.samples if each.name == name]
    return {
        tuple(value for _, value in sorted(each.labels.items())): each.value for each in samples
    }


def more(before: Counts, after: Counts) -> Counts:
    return {
        labels: count - before.get(labels, 0)
        for labels, count in after.items()
        if count > before.get(labels, 0)
    }


def test_each_process_counts_its_part(pipeline: Pipeline) -> None:
    """
    Given billing fails for user 500
    When an order of theirs is placed and given up
    Then web counts the request, the relay its event, inventory that it was handled and its answer,
    billing both retries and the dead letter, and the archiver that it stored it.
    """
    urls = {name: f"http://127.0.0.1:{port}" for name, port in pipeline.metrics_ports.items()}
    urls["web"] = pipeline.api.url
    asked = {
        ("web", "ordersite_http_request_duration_seconds_count"),
        ("relay", "ordersite_confirmed_total"),
        ("relay", "ordersite_relay_lag_seconds_count"),
        ("inventory", "ordersite_confirmed_total"),
        ("inventory", "ordersite_messages_total"),
        ("inventory", "ordersite_sent_to_handled_seconds_count"),
        ("billing", "ordersite_messages_total"),
        ("billing", "ordersite_handler_seconds_count"),
        ("archiver", "ordersite_archived_total"),
    }
    before = {each: counted(urls[each[0]], each[1]) for each in asked}
    fault = {"service": "billing", "user_id": 500, "kind": "error"}
    connection.database["simulated_faults"].insert_one(fault)
    pipeline.api.place(500)
    await_failed_messages(1)

    def since(process: str, name: str) -> Counts:
        return more(before[process, name], counted(urls[process], name))

    eventually(lambda: since("archiver", "ordersite_archived_total") == {("billing",): 1})
    assert (
        since("web", "ordersite_http_request_duration_seconds_count")["POST", "/orders", "201"] == 1
    )
    assert since("relay", "ordersite_confirmed_total") == {("orders", "order.placed"): 1}
    reserved = ("inventory", "inventory.reserved")
    assert since("inventory", "ordersite_confirmed_total") == {reserved: 1}
    assert since("relay", "ordersite_relay_lag_seconds_count") == {(): 1}
    placed = ("inventory", "order.placed")
    assert since("inventory", "ordersite_messages_total") == {("handled", *placed): 1}
    assert since("inventory", "ordersite_sent_to_handled_seconds_count") == {placed: 1}
    assert since("billing", "ordersite_messages_total") == {
        ("retried", "billing", "order.placed"): 2,
        ("dead_lettered", "billing", "order.placed"): 1,
    }
    assert since("billing", "ordersite_handler_seconds_count") == {("billing", "order.placed"): 3}
