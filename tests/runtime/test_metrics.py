"""What one process counts, in Prometheus's format, and the port that serves it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from django.conf import settings
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from localservices.ports import free_port
from runtime.metrics import counting, serving
from runtime.metrics.counting import Counter, Histogram
from tests import loopback


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "declared", [])
    monkeypatch.setattr(serving, "declared", counting.declared)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """One that this process serves its metrics on until the end of the test."""
    port = free_port()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    monkeypatch.setattr(serving, "REGISTRY", registry)
    monkeypatch.setattr(settings, "METRICS_PORT", port)
    yield port
    if serving._server is not None:
        serving._server.shutdown()
        serving._server.server_close()
        serving._server = None


def told() -> list[str]:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(serving.Counted())
    return generate_latest(registry).decode().splitlines()


def test_a_counter_adds_for_each_combination_of_labels() -> None:
    counter = Counter("ordersite_a_total", "What it counts", ("service", "type"))
    counter.add("billing", "order.placed")
    counter.add("billing", "order.placed", count=2)
    counter.add("inventory", "order.placed")

    assert told() == [
        "# HELP ordersite_a_total What it counts",
        "# TYPE ordersite_a_total counter",
        'ordersite_a_total{service="billing",type="order.placed"} 3.0',
        'ordersite_a_total{service="inventory",type="order.placed"} 1.0',
    ]


def test_a_histogram_counts_what_is_at_most_as_large_as_each_bound() -> None:
    histogram = Histogram("ordersite_b_seconds", "What it measures", ("service",), (0.5, 1))
    histogram.observe(0.5, "billing")
    histogram.observe(0.75, "billing", times=2)
    histogram.observe(2, "billing")
    histogram.observe(0.25, "billing")

    assert told()[2:] == [
        'ordersite_b_seconds_bucket{le="0.5",service="billing"} 2.0',
        'ordersite_b_seconds_bucket{le="1",service="billing"} 4.0',
        'ordersite_b_seconds_bucket{le="+Inf",service="billing"} 5.0',
        'ordersite_b_seconds_count{service="billing"} 5.0',
        'ordersite_b_seconds_sum{service="billing"} 4.25',
    ]


@pytest.mark.parametrize("has_ipv6", sorted({False, loopback.has_ipv6()}))
def test_it_serves_on_every_network_of_both_protocols(
    port: int, monkeypatch: pytest.MonkeyPatch, has_ipv6: bool
) -> None:
    """A cluster may have IPv6 alone, and a machine none of it."""
    monkeypatch.setattr(settings, "METRICS_ADDRESS", "::")
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: has_ipv6)
    serving.serve()

    for address in loopback.addresses() if has_ipv6 else ["127.0.0.1"]:
        socket.create_connection((address, port), timeout=5).close()


def test_what_has_counted_nothing_is_left_out() -> None:
    Counter("ordersite_c_total", "What it counts", ())

    assert told() == []


def test_a_process_serves_what_it_counts(port: int) -> None:
    Counter("ordersite_d_total", "What it counts", ()).add()
    serving.serve()
    serving.serve()

    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    assert "ordersite_d_total 1.0" in text
    assert "process_cpu_seconds_total" in text


def test_without_a_port_nothing_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "METRICS_PORT", 0)
    serving.serve()

    assert serving._server is None


def test_a_port_that_is_taken_stops_the_start(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)), pytest.raises(SystemExit) as stopped:
        serving.serve()

    assert "METRICS_PORT is not usable: Address already in use" in str(stopped.value)
    assert "for example: METRICS_PORT=9101" in str(stopped.value)
