"""One reading of everything that the front page shows, each part for itself.

What MongoDB or RabbitMQ does not tell is None in the snapshot, which says why.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Set
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import msgspec
import pymongo
from django.conf import settings
from pymongo.errors import PyMongoError

from failed_messages.reading.affected_orders import affected_among
from messaging.handling import retry_notes
from messaging.outboxes import outboxes
from messaging.queue_state import QueueState, queue_states
from messaging.service import Service, answering
from messaging.topology import queues
from messaging.trust.records import recorded
from orders import unanswered
from orders.attention import MOST
from orders.unanswered import Waiting, answers
from ordersite.overview import failures
from ordersite.overview.snapshot import (
    Deliverer,
    Heartbeat,
    Line,
    Outbox,
    QueueReading,
    Snapshot,
)
from ordersite.pipeline import conservation, health, scheduler_heartbeat
from ordersite.pipeline.conservation import Accepted
from runtime import presence
from runtime.connecting import BROKER_ERRORS, connect
from runtime.lease import RELAY_LEASE, is_taken
from runtime.mongodb_clock import mongodb_now
from runtime.trouble import refusal
from webhooks.waking import unclaimed

logger = logging.getLogger(__name__)
#: Kinds of errors that the log has.
_told: set[str] = set()

Part = TypeVar("Part")
#: What `retry_notes.waiting` returns.
Retrying = Mapping[str, Set[str]]


def read(counting: Callable[[], Accepted], within_seconds: float = 2.0) -> Snapshot:
    """The pipeline now, except what the scheduler alone knows: doctor, stock, who was seen when.

    Args:
        counting: called once, as all lines have to agree; it returns what counts the orders that
            a service accepted.
        within_seconds: what MongoDB may take for all that is asked of it.
    """
    began = time.monotonic()
    database = health.mongodb()
    found = without_mongodb("" if database.ok else database.detail)
    if database.ok:
        with pymongo.timeout(within_seconds):
            found = _of_mongodb(found, counting)
    return msgspec.structs.replace(found, took_seconds=round(time.monotonic() - began, 3))


def without_mongodb(why: str) -> Snapshot:
    """What RabbitMQ alone tells; `why` MongoDB cannot be used, empty where it can."""
    states, silent = _queues()
    return Snapshot(
        at=datetime.now(UTC),
        mongodb=why,
        rabbitmq=silent,
        queues=None if states is None else _present(states),
        missing_queues=tuple(name for name, state in (states or {}).items() if state is None),
    )


def _of_mongodb(found: Snapshot, counting: Callable[[], Accepted]) -> Snapshot:
    now = _asked(mongodb_now) or found.at
    relay, beats = _asked(lambda: is_taken(RELAY_LEASE)), _asked(_beats)
    retrying = _asked(retry_notes.waiting)
    lines = waiting = None
    if retrying is not None:
        lines = _lines(found, counting, retrying)
        waiting = _asked(lambda: _waiting(lines or (), retrying))
    return msgspec.structs.replace(
        found,
        at=now,
        relay=relay,
        scheduler=next(iter(beats or ()), None),
        scheduler_is_unread=beats is None,
        web=_asked(lambda: presence.living("web")),
        deliverer=_asked(_deliverer) if settings.WEBHOOKS else None,
        outboxes=_asked(_outboxes),
        failed=_asked(lambda: failures.unsettled(now)),
        lines=None if lines is None else tuple(map(_named, lines)),
        waiting_since=None
        if waiting is None
        else {service: each.since for service, each in waiting.items()},
        unheard=_asked(lambda: _unheard(waiting or {})) or (),
        retries_due=_asked(retry_notes.by_service),
    )


def _beats() -> tuple[Heartbeat, ...]:
    """The scheduler's last one; empty where there is none."""
    last = scheduler_heartbeat.last()
    if last is None:
        return ()
    return (Heartbeat(last.age_seconds, last.is_fresh, last.late, last.running_seconds),)


def _deliverer() -> Deliverer:
    return Deliverer(presence.living("deliverer"), unclaimed())


def _lines(
    found: Snapshot, counting: Callable[[], Accepted], retrying: Retrying
) -> list[conservation.Line] | None:
    if found.queues is None:
        return None
    waiting = {queue.name: 0 for queue in queues()}
    waiting |= {name: queue.messages for name, queue in found.queues.items()}
    return _asked(lambda: conservation.lines_of(waiting, counting(), retrying))


def _named(line: conservation.Line) -> Line:
    """As it is kept: with as many of its orders' ids as the list of orders shows."""
    shown = msgspec.convert(line, Line, from_attributes=True)
    return msgspec.structs.replace(shown, orders=line.orders[:MOST])


def _outboxes() -> tuple[Outbox, ...]:
    return tuple(Outbox(each.service, each.oldest_pending_since()) for each in outboxes())


def _waiting(lines: Iterable[conservation.Line], retrying: Retrying) -> dict[str, Waiting]:
    """By service: its oldest order that neither failed nor waits for a retry nor is lost."""
    found = {}
    lost = {line.service: set(line.orders) for line in lines}
    for service in answering():
        # With the answers that `orders` tries to note again.
        known = retrying["orders"] | retrying[service.name] | lost.get(service.name, set())
        if oldest := unanswered.oldest(service, partial(_explained_among, service, known)):
            found[service.name] = oldest
    return found


def _unheard(waiting: Mapping[str, Waiting]) -> tuple[str, ...]:
    """The services that have recorded an answer to the order that waits for them longest."""
    asked = {service.name: service for service in answering()}
    return tuple(
        name
        for name, oldest in waiting.items()
        if any(recorded(each, [oldest.order_id]) for each in answers(asked[name], oldest.awaited))
    )


def _explained_among(service: Service, known: Set[str], order_ids: Collection[str]) -> set[str]:
    """Those of which a failed message, one that was given up, or `known` tells why they wait."""
    return affected_among(service, order_ids) | known


def _queues() -> tuple[dict[str, QueueState | None] | None, str]:
    """The state of each declared queue, None where it is missing; or why none can be seen."""
    try:
        with health.broker_connection() as broker:
            connect(broker)
            return queue_states(broker, (queue.name for queue in queues())), ""
    except BROKER_ERRORS as error:
        if refusal(error):
            return None, health.REFUSED
        return None, health.silence(error)


def _present(states: dict[str, QueueState | None]) -> dict[str, QueueReading]:
    return {
        name: QueueReading(name, state.messages, state.consumers)
        for name, state in states.items()
        if state
    }


def _asked(part: Callable[[], Part]) -> Part | None:
    """What MongoDB says; None where it says nothing in time, or what nobody can read."""
    try:
        return part()
    except PyMongoError as error:
        logger.info("A part of the overview could not be read: %s", error)
    except Exception as error:
        # Some document is not as this release stores one; the other parts are shown.
        if (kind := type(error).__name__) not in _told:
            logger.exception("A part of the overview cannot be read; the other parts are")
        _told.add(kind)
    return None
