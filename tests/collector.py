"""A collector of traces on this machine: takes OTLP over HTTP, and tells which spans came."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

KINDS = ("", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
ERROR = 2


@dataclass(frozen=True, slots=True)
class Span:
    """A span as the collector got it."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    #: Empty where it begins its trace.
    parent_id: str
    #: The spans that it is linked with.
    links: list[str]
    #: What each of these links says.
    link_attributes: list[dict[str, Any]]
    attributes: dict[str, Any]
    #: What it failed with; None where it did not.
    error: str | None
    #: Of the process that recorded it.
    resource: dict[str, Any]


@dataclass(slots=True)
class Collector:
    """What has come."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    #: What it answers with.
    status: int = 200

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a process that sends its traces here, soon after they end."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}

    def of_trace(self, trace_id: str) -> list[Span]:
        return [span for span in self.spans if span.trace_id == trace_id]

    def take(self, body: bytes) -> None:
        # Nothing is imported of it where nothing is traced.
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
            ExportTraceServiceRequest,
        )

        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = values_of(group.resource.attributes)
            for scope in group.scope_spans:
                self.spans += [span_of(each, resource) for each in scope.spans]


def span_of(sent: Any, resource: dict[str, Any]) -> Span:
    return Span(
        name=sent.name,
        kind=KINDS[sent.kind],
        trace_id=sent.trace_id.hex(),
        span_id=sent.span_id.hex(),
        parent_id=sent.parent_span_id.hex(),
        links=[link.span_id.hex() for link in sent.links],
        link_attributes=[values_of(link.attributes) for link in sent.links],
        attributes=values_of(sent.attributes),
        error=sent.status.message if sent.status.code == ERROR else None,
        resource=resource,
    )


def values_of(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextmanager
def running_collector() -> Iterator[Collector]:
    """A collector on a free port, until the end of the block."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if collector.status == 200 and self.path == "/v1/traces":
                collector.take(body)
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
