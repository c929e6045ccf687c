"""With LOG_FORMAT=json a log line is one JSON object, whatever values it holds."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest

from runtime import log_context
from runtime.decision_log import decided
from runtime.json_lines import JsonLines
from runtime.requests import request_id


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
    assert read["log"] == {"logger": "a.logger"}
    assert read["@timestamp"].endswith("Z")
    assert read["ecs.version"]
    assert read["process"]["pid"]


@pytest.mark.parametrize("hostile", ["a\nb", "\x1b[31m", "\u2028", "\ud800", '"}', "\x00"])
def test_no_value_ends_the_line_or_hides_what_follows(hostile: str) -> None:
    with log_context.about(lambda: {"ordersite.message_id": hostile}):
        read = line("gave up %s", hostile)

    assert read["message"] == f"gave up {hostile}"
    assert read["ordersite.message_id"] == hostile


def test_a_decision_is_a_line_of_the_same_schema(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "decisions")
    decided("orders.cancel", by="anna", allowed=True)
    decision = json.loads(caplog.messages[-1])
    other = line("Took 3 orders")

    assert decision["ecs.version"] == other["ecs.version"]
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    for each in (decision, other):
        assert re.fullmatch(moment, each["@timestamp"])


def test_an_error_is_told_with_its_traceback() -> None:
    try:
        raise ValueError("a\nb")
    except ValueError as error:
        read = line("failed", error=error)

    assert (read["error"]["type"], read["error"]["message"]) == ("ValueError", "a\nb")
    assert "test_json_lines.py" in read["error"]["stack_trace"]


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
