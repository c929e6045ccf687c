"""Spans of calls to MongoDB, around the few that write an order's way.

PyMongo could tell of each command, and takes some 50 µs more for every one then, traced or not.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from runtime.tracing import context, spans
from runtime.tracing.spans import Kind

NOTHING: AbstractContextManager[None] = nullcontext()


def calling(operation: str, collection: str = "") -> AbstractContextManager[object]:
    """A span around a call, where it is made in a recorded trace."""
    here = context.current.get()
    if here is None or here.span is None:
        return NOTHING
    attributes = {"db.system.name": "mongodb", "db.operation.name": operation}
    if collection:
        attributes["db.collection.name"] = collection
    name = f"{operation} {collection}" if collection else operation
    return spans.span(name, Kind.CLIENT, here, attributes)
