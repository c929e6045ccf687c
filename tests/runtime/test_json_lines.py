"""With LOG_FORMAT=json a log line is one JSON object, whatever values it holds."""

from __future__ import annotations

import json
import logging
import re
from io import StringIO
from typing import Any

import pytest

from runtime import log_context
from runtime.decision_log import decided
from runtime.json_lines import JsonLines
from runtime.requests import request_id
from runtime.tracing import context


def line(message: str, *values: object, error: BaseException | None = None) -> dict[str, Any]:
    failed = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("a.logger", logging.ERROR, "file.py", 1, message, values, failed)
    text = JsonLines().format(record)
    assert text.isascii()
    assert text.isprintable()
    read: dict[str, Any] = json.loads(text)
    return read


def test_the_names_are_those_of_the_elastic_common_schema() -> None:
    read = line("Took %d orders", 3)

    assert read["message"] == "Took 3 orders"
    assert read["log.level"] == "error"
    assert read["log.logger"] == "a.logger"
    assert read["@timestamp"].endswith("Z")
    assert read["ecs.version"]
    assert read["process.pid"]
    assert not [name for name, value in read.items() if isinstance(value, dict)]


@pytest.mark.parametrize("hostile", ["a\nb", "\x1b[31m", "\u2028", "\ud800", '"}', "\x00"])
def test_no_value_ends_the_line_or_hides_what_follows(hostile: str) -> None:
    with log_context.about(lambda: {"ordersite.message_id": hostile}):
        read = line("gave up %s", hostile)

    assert read["message"] == f"gave up {hostile}"
    assert read["ordersite.message_id"] == hostile


def test_a_decision_is_a_line_of_the_same_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the site writes it, also where the other lines are not JSON."""
    written = StringIO()
    handler = logging.getLogger("decisions").handlers[0]
    monkeypatch.setattr(handler, "stream", written)
    token = context.current.set(context.TraceContext("a" * 32, "b" * 16, is_sampled=True))
    try:
        decided("orders.cancel", by="anna", allowed=True)
        decided("orders.cancel", by="eve", allowed=False)
        other = line("Took 3 orders")
    finally:
        context.current.reset(token)

    allowed, denied = (json.loads(each) for each in written.getvalue().splitlines())
    assert (allowed["log.level"], denied["log.level"]) == ("info", "warning")
    assert (allowed["message"], denied["message"]) == (
        "orders.cancel allowed",
        "orders.cancel denied",
    )
    assert allowed["log.logger"] == "decisions"
    assert allowed["event.category"] == ["iam"]
    for name in ("ecs.version", "process.pid", "trace.id"):
        assert allowed[name] == other[name]
    assert other.keys() <= allowed.keys()
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    for each in (allowed, other):
        assert re.fullmatch(moment, each["@timestamp"])


def test_an_error_is_told_with_its_traceback() -> None:
    try:
        raise ValueError("a\nb")
    except ValueError as error:
        read = line("failed", error=error)

    assert (read["error.type"], read["error.message"]) == ("ValueError", "a\nb")
    assert "test_json_lines.py" in read["error.stack_trace"]


def test_a_line_has_the_ids_of_what_it_is_about_and_no_others() -> None:
    token = request_id.current.set(b"r-1")
    try:
        with log_context.about(lambda: {"ordersite.order_id": "o-1", "trace.id": ""}):
            inside = line("inside")
    finally:
        request_id.current.reset(token)
    after = line("after")

    assert (inside["http.request.id"], inside["ordersite.order_id"]) == ("r-1", "o-1")
    assert "trace.id" not in inside
    assert not {"http.request.id", "ordersite.order_id"} & after.keys()
