"""A span for each command to MongoDB that is part of a recorded trace.

PyMongo tells of its commands in the thread that gives them. Commands of no recorded trace, such as
a poll for pending events, are not recorded, however often they come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from runtime.tracing import spans
from runtime.tracing.context import TraceContext, current


class MongoDBError(Exception):
    """What MongoDB said of a command."""


class Commands(CommandListener):
    """Begins a span with each command, and ends it with its answer."""

    def __init__(self) -> None:
        #: By the id that PyMongo gave the command.
        self._running: dict[int, TraceContext] = {}

    def started(self, event: CommandStartedEvent) -> None:
        here = current.get()
        if here is None or here.span is None:
            return
        collection = collection_of(event.command_name, event.command)
        name = f"{event.command_name} {collection}" if collection else event.command_name
        attributes = {
            "db.system.name": "mongodb",
            "db.namespace": event.database_name,
            "db.operation.name": event.command_name,
            **({"db.collection.name": collection} if collection else {}),
            **batch_of(event.command),
            **server_of(event.connection_id),
        }
        self._running[event.request_id] = spans.begin(name, spans.Kind.CLIENT, here, attributes)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        if ours := self._running.pop(event.request_id, None):
            spans.end(ours)

    def failed(self, event: CommandFailedEvent) -> None:
        if ours := self._running.pop(event.request_id, None):
            spans.end(ours, MongoDBError(event.failure.get("errmsg") or str(event.failure)))


def collection_of(name: str, command: Mapping[str, Any]) -> str:
    """Which collection the command is for; empty where it is for the whole database."""
    value = command.get("collection" if name == "getMore" else name)
    return value if isinstance(value, str) else ""


def batch_of(command: Mapping[str, Any]) -> dict[str, int]:
    """How many operations it carries, where there are several."""
    for field in ("documents", "updates", "deletes"):
        several = command.get(field)
        if isinstance(several, list) and len(several) > 1:
            return {"db.operation.batch.size": len(several)}
    return {}


def server_of(address: tuple[str, int | None]) -> dict[str, str | int]:
    host, port = address
    return {"server.address": host, **({"server.port": port} if port else {})}
