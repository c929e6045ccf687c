"""The trace of an order that fails and is replayed, as a collector gets it from every process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.collector import Collector, Span
from tests.journeys.api import Api, await_failed_messages, manage
from tests.polling import eventually

TRACE, CLIENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture(autouse=True)
def no_fault_stays() -> Iterator[None]:
    yield
    connection.database["simulated_faults"].delete_many({})


def test_an_order_and_its_replay_are_one_trace(api: Api, collector: Collector) -> None:
    """
    Given billing fails for user 500
    When a client that records its trace places an order of theirs, and the operator replays it
    Then request, messages, handlers, the archiver and what they write are spans of that trace,
    each below the one that led to it, and an order of a client that names no trace has none.
    """
    fault = {"service": "billing", "user_id": 500, "kind": "permanent"}
    connection.database["simulated_faults"].insert_one(fault)
    answer = api.post(500, "book", traceparent=f"00-{TRACE}-{CLIENT}-01")
    order_id = answer.json["order"]["orderId"]
    [failed] = await_failed_messages(1)
    # Only now: beside the one that fails it would share its batch, which is one more span.
    api.place(101)
    connection.database["simulated_faults"].delete_many({})
    manage("failed_messages", "replay", failed["id"], **collector.settings)
    api.await_status(order_id, "confirmed")

    def of(name: str) -> list[Span]:
        return [span for span in collector.spans if span.name == name]

    def outcome_is_noted() -> bool:
        replayed = [span for span in of("process billing") if "ordersite.replay" in span.attributes]
        return bool(replayed and of("process replay_outcomes") and len(of("process orders")) == 2)

    eventually(outcome_is_noted)
    assert {span.trace_id for span in collector.spans} == {TRACE}
    by_id = {span.span_id: span for span in collector.spans}

    def way_to(span: Span) -> list[str]:
        """The names from the request to the span."""
        above = by_id.get(span.parent_id)
        return [*(way_to(above) if above else []), span.name]

    [request] = of("POST /orders")
    assert (request.parent_id, request.attributes["ordersite.order_id"]) == (CLIENT, order_id)
    [stored] = of("insert orders")
    assert way_to(stored) == ["POST /orders", "insert orders"]
    [reserved] = of("send inventory_events")
    begun = ["POST /orders", "send order_events"]
    assert way_to(reserved) == [*begun, "process inventory", "send inventory_events"]
    first, again = of("process billing")
    assert (first.error is None, again.error) == (False, None)
    [invoiced] = of("send billing_events")
    died = [*begun, "process billing", "send dead_letters"]
    assert way_to(invoiced) == [*died, "send billing", "process billing", "send billing_events"]
    [archived] = of("process billing.dlq")
    assert way_to(archived) == [*died, "process billing.dlq"]
    calls = [span for span in collector.spans if span.attributes.get("db.system.name")]
    assert {tuple(way_to(span)[-2:]) for span in calls} >= {
        ("process inventory", "transaction"),
        ("process billing", "transaction"),
        ("process orders", "update orders"),
        ("process billing.dlq", "transaction"),
    }
