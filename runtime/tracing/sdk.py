"""OpenTelemetry's SDK in one process: a tracer, and a thread that sends what it records.

Imported with the first span, as the SDK is. The process that a fork made begins anew: it has none
of the threads of the one it was forked from.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping, Sequence
from threading import Event, Lock, Thread
from traceback import format_exception
from typing import Any

from django.conf import settings
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TraceState,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)

from runtime.tracing import spans
from runtime.tracing.context import TraceContext
from runtime.tracing.exporting import ToldOnce

#: What a process that ends gives the collector for what is not sent yet.
FLUSH_SECONDS = 2.0


class Recording:
    """What records the spans of one process."""

    def __init__(self, processor: SpanProcessor) -> None:
        self.pid = os.getpid()
        # Who is not to be recorded never comes here.
        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=resource(), shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self.tracer: Tracer = self._provider.get_tracer("ordersite", settings.RELEASE)
        self._asked_to_stop, self._has_stopped = Event(), Event()
        # Begun now, as a process that ends can begin none.
        Thread(target=self._shut_down, name="traces-end", daemon=True).start()

    def flush(self) -> bool:
        """Send what is not sent yet, and return once it is; False where it could not be."""
        return self._provider.force_flush()

    def stop(self) -> None:
        """Send what is not sent yet, for at most `FLUSH_SECONDS`."""
        self._asked_to_stop.set()
        self._has_stopped.wait(FLUSH_SECONDS)

    def _shut_down(self) -> None:
        self._asked_to_stop.wait()
        self._provider.shutdown()
        self._has_stopped.set()


_recording: Recording | None = None
_lock = Lock()


def begin(
    name: str,
    kind: str,
    parent: TraceContext | None,
    attributes: Any,
    links: Sequence[spans.Link],
) -> TraceContext:
    """See `runtime.tracing.spans.begin`."""
    inside = Context()
    if parent is not None:
        inside = set_span_in_context(NonRecordingSpan(theirs(parent)), inside)
    span = recording().tracer.start_span(
        name,
        context=inside,
        kind=SpanKind[kind],
        attributes=legible(attributes),
        links=[Link(theirs(each.context), legible(each.attributes)) for each in links],
    )
    ours = span.get_span_context()
    return TraceContext(
        trace_id=format_trace_id(ours.trace_id),
        span_id=format_span_id(ours.span_id),
        is_sampled=True,
        state=parent.state if parent else "",
        span=span,
    )


def fail(span: Span, error: BaseException) -> None:
    """Note what the span failed with."""
    kind, told = f"{type(error).__module__}.{type(error).__qualname__}", str(error)
    trace = "".join(format_exception(error))
    said = {"exception.type": kind, "exception.message": told, "exception.stacktrace": trace}
    span.add_event("exception", legible(said))
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR, legible({"": told})[""]))


def legible(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The same in valid UTF-8: one text that is none would cost the whole batch of spans."""
    return {
        name: value.encode(errors="replace").decode() if isinstance(value, str) else value
        for name, value in attributes.items()
    }


def theirs(context: TraceContext) -> SpanContext:
    """The same as the SDK has it."""
    return SpanContext(
        int(context.trace_id, 16),
        int(context.span_id, 16),
        is_remote=context.span is None,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if context.is_sampled else TraceFlags.DEFAULT),
        trace_state=TraceState.from_header([context.state]) if context.state else None,
    )


def recording() -> Recording:
    """That of this process."""
    found = _recording
    return found if found is not None and found.pid == os.getpid() else record_with()


def record_with(processor: SpanProcessor | None = None) -> Recording:
    """Begin to record; by default for the collector."""
    global _recording
    with _lock:
        if processor is None and _recording is not None and _recording.pid == os.getpid():
            return _recording
        _recording = Recording(processor or BatchSpanProcessor(ToldOnce(OTLPSpanExporter())))
        return _recording


@atexit.register
def stop() -> None:
    """Send what this process has recorded; what begins after it is not recorded."""
    if _recording is not None and _recording.pid == os.getpid():
        _recording.stop()


def resource() -> Resource:
    """Who records it; `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win."""
    ours = Resource({"service.name": "ordersite", "service.version": settings.RELEASE})
    named = Resource.create()
    unnamed = str(named.attributes["service.name"]).startswith("unknown_service")
    return named.merge(ours) if unnamed else ours.merge(named)
