"""The SDK in one process: a collector that is down, a fork, the end; and commands to MongoDB."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

import pytest
from pymongo.monitoring import CommandFailedEvent, CommandStartedEvent, CommandSucceededEvent

from runtime.tracing import context, sdk, spans
from runtime.tracing.mongodb import Commands
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


def test_a_command_to_mongodb_is_a_part_of_what_gave_it(traces: Traces) -> None:
    commands = Commands()
    with spans.span("a", spans.Kind.CONSUMER, None, {}):
        commands.started(started("update", updates=[{}, {}]))
        commands.succeeded(CommandSucceededEvent(timedelta(0), {}, "update", 1, ("db", 27017), 1))
    commands.started(started("find"))
    commands.succeeded(CommandSucceededEvent(timedelta(0), {}, "find", 1, ("db", 27017), 1))

    command, outer = traces.spans()
    assert (command.name, command.kind) == ("update orders", "CLIENT")
    assert command.parent_id == outer.span_id
    assert command.attributes == {
        "db.collection.name": "orders",
        "db.namespace": "shop",
        "db.operation.batch.size": 2,
        "db.operation.name": "update",
        "db.system.name": "mongodb",
        "server.address": "db",
        "server.port": 27017,
    }


def test_what_mongodb_refuses_is_an_error(traces: Traces) -> None:
    commands = Commands()
    with spans.span("a", spans.Kind.CONSUMER, None, {}):
        commands.started(started("commitTransaction"))
        refusal = {"errmsg": "WriteConflict"}
        failed = CommandFailedEvent(timedelta(0), refusal, "commitTransaction", 1, ("db", None), 1)
        commands.failed(failed)

    command = traces.only("commitTransaction")
    assert command.error == "WriteConflict"


def started(name: str, **fields: object) -> CommandStartedEvent:
    command = {name: "orders" if fields or name == "find" else 1, **fields}
    return CommandStartedEvent(command, "shop", 1, ("db", 27017), 1)
