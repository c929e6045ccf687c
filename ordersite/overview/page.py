"""The front page's part that tells how all is, its refresh, and the wall."""

from __future__ import annotations

import logging
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import msgspec
import pymongo
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import patch_cache_control
from pymongo.errors import PyMongoError

from messaging.service import answering, services
from ordersite.overview import measuring, numbers, stored_snapshot
from ordersite.overview.charts import charts, span_named
from ordersite.overview.durations import age
from ordersite.overview.reading import without_mongodb
from ordersite.overview.snapshot import Snapshot
from ordersite.overview.time_buckets import SPANS, Span
from ordersite.overview.verdict import judge
from ordersite.pipeline import health
from ordersite.pipeline.conservation import NAMED_ORDERS
from runtime.mongodb_clock import carried_on, mongodb_now
from runtime.trouble import refusal

logger = logging.getLogger(__name__)

#: What MongoDB may take for the charts.
CHARTS_SECONDS = 1.0
#: Whose details are about orders.
VIEW_ORDERS = "orders.view_order"
REFUSED = "It refuses this site's login, or what the login wants to do."
SILENT = "It does not answer."


def overview(request: HttpRequest) -> dict[str, Any]:
    """What `ordersite/overview.html` shows; never raises for a dependency that is down."""
    may_see = request.user.has_perm(VIEW_ORDERS)
    snapshot = stored_snapshot.current()
    # This one runs, also where nobody knows that yet.
    snapshot = msgspec.structs.replace(snapshot, web=max(1, snapshot.web or 0))
    told = shown(snapshot, is_for_staff=may_see)
    if not may_see:
        return told
    span = span_named(request.GET.get("span"))
    # Without a primary a member still answers, with what it has heard of.
    return told | (drawn(span) if not snapshot.mongodb else named(span))


def named(span: Span) -> dict[str, Any]:
    return {"span": span.name, "spans": [each.name for each in SPANS]}


def drawn(span: Span) -> dict[str, Any]:
    """The charts of the span; none where MongoDB has no answer in time."""
    told = named(span)
    names = [service.name for service in answering()]
    with pymongo.timeout(CHARTS_SECONDS), suppress(PyMongoError):
        told["charts"] = charts(span, measuring.of(span, mongodb_now()), names)
    return told


def shown(snapshot: Snapshot, *, is_for_staff: bool) -> dict[str, Any]:
    """The template's variables; whoever may not see orders sees the verdict alone."""
    now = max(snapshot.at, carried_on())
    names = tuple(services())
    verdict = judge(snapshot, now, names)
    told = {"verdict": verdict, "age": age((now - snapshot.at).total_seconds()), "at": snapshot.at}
    if not is_for_staff:
        return told
    return told | {
        "concerns": verdict.concerns,
        "tiles": numbers.tiles(snapshot, now, names),
        "service_heads": numbers.SERVICE_HEADS,
        "service_rows": numbers.service_rows(snapshot, now, names),
        "queue_heads": numbers.QUEUE_HEADS,
        "queue_rows": numbers.queue_rows(snapshot, now),
        "processes": numbers.processes(snapshot, now, names),
        "line_heads": numbers.LINE_HEADS,
        "line_rows": numbers.line_rows(snapshot),
        "unaccounted": [
            (each.service, each.orders[:NAMED_ORDERS])
            for each in snapshot.lines or ()
            if each.orders
        ],
    }


def part(request: HttpRequest) -> HttpResponse:
    """The overview alone, for the page's script."""
    context = {"overview": overview(request)}
    response = TemplateResponse(request, "ordersite/overview.html", context)
    patch_cache_control(response, no_store=True)
    return response


def wall(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The same for a screen on the wall: dark, large, to look at."""
    context = {**context, "title": "Wall", "overview": overview(request)}
    return TemplateResponse(request, "ordersite/wall.html", context)


def _why(error: Exception) -> str:
    if refusal(error):
        return REFUSED
    return health.NO_PRIMARY if health.lacks_primary() else SILENT


def without_database(request: HttpRequest, error: Exception) -> HttpResponse:
    """That MongoDB is down, to whoever asks: who that is cannot be known without it."""
    logger.error("MongoDB cannot be used, so the admin says so: %s", str(error)[:200])
    # Nobody asks again who it is: that would take as long once more.
    request.user = AnonymousUser()
    snapshot = without_mongodb(_why(error))
    told = shown(snapshot, is_for_staff=False)
    # The page that was asked for tells how all is; what was to be done was not done.
    status = HTTPStatus.OK if request.method == "GET" else HTTPStatus.SERVICE_UNAVAILABLE
    context = {"overview": told}
    response = TemplateResponse(request, "ordersite/without_database.html", context, status=status)
    patch_cache_control(response, no_store=True)
    return response
