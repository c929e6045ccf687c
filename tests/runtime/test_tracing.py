"""The SDK in one process: a collector that is down, a fork, the end; and calls of MongoDB."""

from __future__ import annotations

import logging
import time

import pytest
from pymongo.errors import PyMongoError

from runtime.tracing import context, sdk, spans
from runtime.tracing.mongodb import calling
from tests.traced import Traces


def record(name: str = "a") -> None:
    with spans.span(name, spans.Kind.SERVER, None, {}):
        pass


def test_a_collector_that_is_down_is_told_once_and_so_is_its_return(
    traces: Traces, caplog: pytest.LogCaptureFixture
) -> None:
    traces.collector.status = 400
    caplog.set_level(logging.INFO, "runtime")
    for _ in range(3):
        record("lost")
        traces.spans()
    traces.collector.status = 200
    record("kept")

    assert [span.name for span in traces.spans()] == ["kept"]
    down, again = (line.message for line in caplog.records)
    assert "does not take traces" in down
    assert "takes traces again" in again


def test_a_collector_that_is_down_holds_up_nobody(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing listens there, and the SDK tries again for ten seconds."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr(sdk, "FLUSH_SECONDS", 0.2)
    begun = time.monotonic()
    for _ in range(3_000):
        record()
    sdk.stop()

    assert time.monotonic() - begun < 5


def test_a_process_that_ends_sends_what_it_has(traces: Traces) -> None:
    record("last")
    sdk.stop()

    assert [span.name for span in traces.collector.spans] == ["last"]


def test_a_forked_process_records_with_a_thread_of_its_own(traces: Traces) -> None:
    record("parent")
    parents = sdk.recording()
    # As a fork finds it.
    parents.pid += 1
    record("child")

    assert sdk.recording() is not parents
    assert {span.name for span in traces.spans()} >= {"child"}


def test_a_block_that_fails_is_told_with_its_error(traces: Traces) -> None:
    def fail() -> None:
        with spans.span("a", spans.Kind.SERVER, None, {}):
            spans.note({"b": 1})
            raise ValueError("no \ud800")

    with pytest.raises(ValueError, match="no"):
        fail()

    span = traces.only("a")
    assert (span.error, span.attributes["b"]) == ("no ?", 1)
    assert context.current.get() is None


def test_a_call_of_mongodb_is_a_part_of_what_made_it(traces: Traces) -> None:
    with spans.span("a", spans.Kind.CONSUMER, None, {}):
        with calling("update", "orders"):
            pass
        with calling("transaction"):
            pass
    with calling("find", "orders"):
        pass

    update, transaction, outer = traces.spans()
    assert (update.name, update.kind, update.parent_id) == (
        "update orders",
        "CLIENT",
        outer.span_id,
    )
    assert update.attributes == {
        "db.collection.name": "orders",
        "db.operation.name": "update",
        "db.system.name": "mongodb",
    }
    assert transaction.name == "transaction"


def test_what_mongodb_refuses_is_an_error(traces: Traces) -> None:
    def fail() -> None:
        with spans.span("a", spans.Kind.CONSUMER, None, {}), calling("insert", "orders"):
            raise PyMongoError("WriteConflict")

    with pytest.raises(PyMongoError):
        fail()

    assert traces.only("insert orders").error == "WriteConflict"
