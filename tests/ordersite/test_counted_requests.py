"""Each answer is counted by its route and status, and its span is named after the route."""

from __future__ import annotations

import pytest

from ordersite import asgi
from ordersite.web import counts
from ordersite.web.traced_requests import Traced
from runtime.metrics.counting import SECONDS, Histogram
from tests.asgi_client import AsgiClient
from tests.traced import Traces


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Histogram:
    fresh = Histogram("a_seconds", "What it measures", ("method", "route", "status"), SECONDS)
    monkeypatch.setattr(counts, "ANSWERING", fresh)
    counts.series_of.cache_clear()
    yield fresh
    counts.series_of.cache_clear()


def answers(counted: Histogram) -> dict[tuple[str, ...], float]:
    return {
        (each.labels["method"], each.labels["route"], each.labels["status"]): each.value
        for each in counted.family().samples
        if each.name.endswith("_count")
    }


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/health/live", "/health/live", "200"),
        ("GET", "/problems/not-found", "/problems/{name}", "200"),
        ("GET", "/problems/no-such", "/problems/{name}", "404"),
        ("POST", "/orders", "/orders", "400"),
        ("GET", "/nowhere/at/all", "", "404"),
        ("GET", "/static/no-such.css", "", "404"),
        ("DELETE", "/health/live", "/health/live", "405"),
    ],
)
def test_an_answer_is_counted_by_route_and_status(
    counted: Histogram, method: str, path: str, route: str, status: str
) -> None:
    AsgiClient().request(method, path, "{", "application/json")

    assert answers(counted) == {(method, route, status): 1}


def test_what_is_no_method_of_the_api_has_no_name_of_its_own(counted: Histogram) -> None:
    AsgiClient().request("PROPFIND", "/health/live")

    assert answers(counted) == {("other", "/health/live", "405"): 1}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/problems/not-found", "GET /problems/{name}"),
        ("/nowhere/at/all", "GET"),
    ],
)
def test_a_span_is_named_after_the_route(traces: Traces, path: str, name: str) -> None:
    client = AsgiClient()
    client._application = Traced(asgi.application)
    client.get(path)

    [span] = traces.spans()
    assert span.name == name
