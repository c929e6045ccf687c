"""The trace that an order is part of: it begins with the request that places it, or its import.

The order keeps it, as headers, and each event of the order is sent with it. An import may be one
request with thousands of orders, so each of these begins a trace of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from runtime.tracing import context, spans
from runtime.tracing.context import TraceContext
from runtime.tracing.spans import Kind


def join(document: dict[str, Any]) -> TraceContext | None:
    """Note in a new order the trace of its request; None where that has none."""
    here = context.current.get()
    if here is not None:
        document["trace"] = here.headers()
        spans.note({"ordersite.order_id": str(document["_id"])})
    return here


@contextmanager
def begun(documents: Sequence[dict[str, Any]]) -> Iterator[None]:
    """Inside, imported orders are stored: each that is sampled begins a trace, noted in it.

    It is linked with the request of the import, where that is recorded. Only to be called where
    traces are recorded.
    """
    request = context.current.get()
    links = [spans.Link(request)] if request is not None and request.span is not None else []
    sampled = [each for each in documents if settings.TRACE_SAMPLER.samples(None)]
    stored = [_begin(each, links) for each in sampled]
    failed: BaseException | None = None
    try:
        yield
    except BaseException as error:
        failed = error
        raise
    finally:
        for each in stored:
            spans.end(each, failed)


def _begin(document: dict[str, Any], links: Sequence[spans.Link]) -> TraceContext:
    about = {"ordersite.order_id": str(document["_id"])}
    here = spans.begin("import order", Kind.INTERNAL, None, about, links)
    document["trace"] = here.headers()
    return here
