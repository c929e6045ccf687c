"""The trace that an order is part of: it begins with the request that places it.

The order keeps it, as headers, and each event of the order is sent with it. An import has one trace
for its request and none for its orders, of which there may be thousands.
"""

from __future__ import annotations

from typing import Any

from runtime.tracing import context, spans
from runtime.tracing.context import TraceContext


def join(document: dict[str, Any]) -> TraceContext | None:
    """Note in a new order the trace of its request; None where that has none."""
    here = context.current.get()
    if here is not None:
        document["trace"] = here.headers()
        spans.note({"ordersite.order_id": str(document["_id"])})
    return here
