"""Log lines as JSON, for programs that collect logs.

The names are those of the Elastic Common Schema: https://www.elastic.co/docs/reference/ecs
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from ecs_logging import StdlibFormatter

from runtime import log_context
from runtime.requests import request_id
from runtime.tracing.context import current_trace_id

ECS_VERSION = "8.17"


class JsonLines(StdlibFormatter):
    """Any record as one JSON object in ASCII, so that no value ends the line or hides what follows.

    It has the ids of the request, or of the message and the order, that it is about, and of their
    trace. Each name is one key, with its dots.
    """

    def __init__(self) -> None:
        # The message is there once, and where the code logs it is not the operator's concern.
        super().__init__(exclude_fields=["log.original", "log.origin", "process.thread.id"])

    def format_to_ecs(self, record: logging.LogRecord) -> dict[str, Any]:
        line = dict(dotted(super().format_to_ecs(record))) | {"ecs.version": ECS_VERSION}
        ids = {
            "http.request.id": request_id.in_logs(),
            "trace.id": current_trace_id(),
            **log_context.current(),
        }
        return line | {name: value for name, value in ids.items() if value}


def dotted(fields: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Each value of nested fields, by its whole name."""
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from dotted(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value
