"""Each imported order begins a trace of its own; in memory, with a collector."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from pymongo.errors import AutoReconnect

from orders.importing import batches
from runtime.tracing import context
from runtime.tracing.sampling import sampler_of
from runtime.tracing.spans import Kind, span
from tests.traced import Traces


def documents(count: int = 2) -> list[dict[str, Any]]:
    return [{"_id": f"o{number}"} for number in range(count)]


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    monkeypatch.setattr(batches, "store", lambda some: kept.extend(some) or {})
    return kept


def test_each_order_has_a_trace_and_keeps_it(traces: Traces, stored: list[dict[str, Any]]) -> None:
    batches.store_traced(documents())

    first, second = traces.spans()
    assert (first.name, first.kind, first.parent_id) == ("import order", "INTERNAL", "")
    assert first.trace_id != second.trace_id
    assert [each.attributes["ordersite.order_id"] for each in (first, second)] == ["o0", "o1"]
    kept = [context.read(each["trace"]) for each in stored]
    assert [each and each.span_id for each in kept] == [first.span_id, second.span_id]


def test_it_is_linked_with_the_request_of_the_import(
    traces: Traces, stored: list[dict[str, Any]]
) -> None:
    with span("POST orders/import", Kind.SERVER, None, {}) as request:
        batches.store_traced(documents(1))

    assert traces.only("import order").links == [request.span_id]
    assert traces.only("import order").trace_id != request.trace_id


def test_an_order_that_is_not_sampled_has_none(
    traces: Traces, stored: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "TRACE_SAMPLER", sampler_of("parentbased_traceidratio", 0))

    batches.store_traced(documents())

    assert traces.spans() == []
    assert stored == documents()


def test_what_could_not_be_stored_is_an_error(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_: Any) -> Any:
        raise AutoReconnect("MongoDB is down")

    monkeypatch.setattr(batches, "store", refuses)

    with pytest.raises(AutoReconnect):
        batches.store_traced(documents(1))

    assert traces.only("import order").error == "MongoDB is down"


def test_where_nothing_is_traced_orders_are_stored_as_they_are(
    stored: list[dict[str, Any]],
) -> None:
    batches.store_traced(documents())

    assert stored == documents()
