"""The span of a request: what it is named, where it belongs, and who else names its trace."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from django.conf import settings

from ordersite.web import problems
from ordersite.web.fast_path import send_answer
from ordersite.web.request_scope import WRITE_WHOLE, identify
from ordersite.web.route import route_of
from ordersite.web.traced_requests import Traced, name_route
from runtime.json_lines import JsonLines
from runtime.one_line import OneLine
from runtime.tracing import context, spans
from runtime.tracing.sampling import sampler_of
from tests.asgi_client import scope_of
from tests.traced import Traces

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Site:
    """An application that answers with one status, and keeps what it saw of its trace."""

    def __init__(self, status: int = 201) -> None:
        self.status = status
        self.seen: context.TraceContext | None = None
        self.problem: dict[str, Any] = {}
        self.line: dict[str, Any] = {}
        self.text = ""
        self.is_routed = True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        identify(scope)
        if self.is_routed:
            name_route("/orders/{order_id}")
        self.seen = context.current.get()
        self.problem = json.loads(problems.malformed().content)
        record = logging.LogRecord("a", logging.INFO, "a.py", 1, "said", (), None)
        self.line = json.loads(JsonLines().format(record))
        self.text = OneLine().format(record)
        if self.status:
            await send_answer(scope, send, self.status, b"application/json", b"{}")


def ask(site: Any, **headers: str) -> list[Any]:
    """The events of the answer."""
    answered: list[Any] = []

    async def send(event: Any) -> None:
        answered.append(event)

    scope = scope_of("GET", "/orders/1?secret=1", headers)
    scope[WRITE_WHOLE] = lambda *whole: answered.append(whole) or True
    asyncio.run(Traced(site)(scope, None, send))
    return answered


def test_a_request_has_a_span(traces: Traces) -> None:
    answered = ask(Site(), **{"x-request-id": "r-1"})

    assert answered[0]["status"] == 201
    [span] = traces.spans()
    assert (span.name, span.kind, span.parent_id, span.error) == (
        "GET /orders/{order_id}",
        "SERVER",
        "",
        None,
    )
    assert span.attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 201,
        "http.route": "/orders/{order_id}",
        "network.protocol.version": "1.1",
        "ordersite.request_id": "r-1",
        "url.path": "/orders/1",
        "url.scheme": "http",
    }
    assert span.resource["service.name"] == "ordersite"
    assert span.resource["service.version"] == settings.RELEASE


def test_the_service_has_the_name_that_the_operator_gives_it(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    ask(Site())

    [span] = traces.spans()
    assert span.resource["service.name"] == "shop"
    assert span.resource["deployment.environment.name"] == "test"


def test_it_continues_the_callers_trace(traces: Traces) -> None:
    site = Site()
    ask(site, traceparent=f"00-{TRACE}-{SPAN}-01", tracestate="a=1")

    [span] = traces.spans()
    assert (span.trace_id, span.parent_id) == (TRACE, SPAN)
    assert site.seen.headers() == {
        "traceparent": f"00-{TRACE}-{span.span_id}-01",
        "tracestate": "a=1",
    }
    assert site.problem["traceId"] == site.line["trace.id"] == TRACE
    assert site.text.endswith(f" [trace {TRACE}]")
    assert context.current.get() is None


def test_a_trace_that_the_caller_does_not_record_is_named_and_not_recorded(traces: Traces) -> None:
    site = Site()
    ask(site, traceparent=f"00-{TRACE}-{SPAN}-00")

    assert traces.spans() == []
    assert site.seen.headers() == {"traceparent": f"00-{TRACE}-{SPAN}-00"}
    assert site.problem["traceId"] == site.line["trace.id"] == TRACE


def test_a_request_that_is_not_sampled_has_no_trace(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "TRACE_SAMPLER", sampler_of("parentbased_traceidratio", 0))
    site = Site()
    asyncio.run(Traced(site)(scope_of("GET", "/", {}), None, lambda _: asyncio.sleep(0)))

    assert traces.spans() == []
    assert site.seen is None
    assert "traceId" not in site.problem
    assert "trace.id" not in site.line


def test_two_parents_are_none(traces: Traces) -> None:
    scope = scope_of("GET", "/", {})
    parent = f"00-{TRACE}-{SPAN}-01".encode()
    scope["headers"] += [(b"traceparent", parent), (b"traceparent", parent)]
    asyncio.run(Traced(Site())(scope, None, lambda _: asyncio.sleep(0)))

    assert traces.only("GET /orders/{order_id}").trace_id != TRACE


@pytest.mark.parametrize(("status", "error"), [(503, "answered with 503"), (404, None)])
def test_only_the_sites_own_faults_are_errors(
    traces: Traces, status: int, error: str | None
) -> None:
    ask(Site(status))

    [span] = traces.spans()
    assert span.error == error
    assert span.attributes["http.response.status_code"] == status


def test_no_answer_is_an_error_and_no_route_no_name(traces: Traces) -> None:
    site = Site(status=0)
    site.is_routed = False
    ask(site)

    [span] = traces.spans()
    assert (span.name, span.error) == ("GET", "answered with nothing")


def test_texts_that_are_no_utf_8_cost_no_span(traces: Traces) -> None:
    async def site(scope: Any, receive: Any, send: Any) -> None:
        spans.note({"http.route": "/\ud800"})

    ask(site)

    [span] = traces.spans()
    assert span.attributes["http.route"] == "/?"


class Matched:
    route = "orders/<str:order_id>/events/<name>"


def test_a_route_is_written_as_a_template() -> None:
    request: Any = type("Request", (), {"resolver_match": Matched})
    nowhere: Any = type("Request", (), {"resolver_match": None})

    assert route_of(request) == "/orders/{order_id}/events/{name}"
    assert route_of(nowhere) == ""
