"""Every process that there is, healthy or not: where it runs, since when, and what it does."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from msgspec import Struct

from messaging.service import services
from ordersite.overview import stored_snapshot
from ordersite.overview.durations import age, seconds_since
from ordersite.overview.snapshot import QueueReading
from runtime import presence
from runtime.health import PROCESSES
from runtime.mongodb_clock import mongodb_now
from runtime.plural import counted
from runtime.presence import MOST_LISTED, Process
from runtime.wrong_filters import wrong_in

#: Whose details the front page's are, too.
VIEW_ORDERS = "orders.view_order"


class Row(Struct, frozen=True):
    """One process, and how it is."""

    process: Process
    state: str
    is_bad: bool
    lives_for: str
    alive: str
    did: str


def processes_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """All of them; those of a kind with `?kind=`, the workers of a queue with `?queue=`."""
    if not request.user.has_perm(VIEW_ORDERS):
        raise PermissionDenied
    kind, queue = request.GET.get("kind", ""), request.GET.get("queue", "")
    wrong = wrong_in(request.GET.dict(), {"kind": PROCESSES, "queue": tuple(services())})
    found = [] if wrong else presence.processes(*filter(None, [kind]), queue=queue)
    now = mongodb_now()
    queues = stored_snapshot.current().queues if queue and not wrong else None
    reading = (queues or {}).get(queue)
    context = {
        **context,
        "title": "Processes",
        "kind": kind,
        "queue": queue,
        "kinds": PROCESSES,
        "queues": tuple(services()),
        "wrong": wrong,
        "rows": [row(each, seconds_since(each.since, now), now) for each in found],
        "queued": queued(reading) if reading else "",
        "others": others(reading, found) if reading else "",
        "most": MOST_LISTED if len(found) >= MOST_LISTED else 0,
    }
    return TemplateResponse(request, "ordersite/processes.html", context)


def row(process: Process, lives_for: float, now: Any) -> Row:
    state = state_of(process)
    did = process.did
    if process.did_at:
        did += f", {age(seconds_since(process.did_at, now))} ago"
    alive = f"{age(seconds_since(process.alive_at, now))} ago"
    return Row(process, state or "works", bool(state), age(lives_for), alive, did)


def state_of(process: Process) -> str:
    """What is wrong with it; empty where nothing is."""
    if process.is_silent:
        return "silent: killed, frozen, or without MongoDB"
    if process.trouble:
        return process.trouble
    return "hangs: end it, and start it again" if process.is_stuck else ""


def queued(reading: QueueReading) -> str:
    """How many messages the workers of the queue have before them, as the front page has it."""
    waits = "waits" if reading.messages == 1 else "wait"
    return f"{counted(reading.messages, 'message')} {waits} in the queue {reading.name}."


def others(reading: QueueReading, found: list[Process]) -> str:
    """That RabbitMQ knows another number of the queue's workers, and why; empty where it agrees."""
    listed = sum(not each.is_silent for each in found)
    if reading.consumers == listed:
        return ""
    return (
        f"RabbitMQ knows {counted(reading.consumers, 'worker')} of {reading.name}. One that has "
        "just begun or ended, or is of an earlier release, is in one of the two numbers only; so "
        "is a program of others."
    )
